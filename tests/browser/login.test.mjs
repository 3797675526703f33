// The page of a service that asks who is there.
import { test, after, afterEach } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { build, network, open, endTest, endAll, startUpgrade, untilJob, findings } from "./harness.mjs";

afterEach(endTest);
after(endAll);

// A file of tokens, and the tokens by role.
function makeTokens(dir) {
  const tokens = {};
  let lines = "";
  for (const role of ["read", "operate"]) {
    const [token, line] = execFileSync(join(build, "orchestrator"), ["token", `a-${role}`, role], { encoding: "utf8" }).split("\n");
    tokens[role] = token;
    lines += `${line}\n`;
  }
  const file = join(dir, "tokens");
  writeFileSync(file, lines, { mode: 0o600 });
  return { file, tokens };
}

async function guarded() {
  const { file, tokens } = makeTokens(mkdtempSync(join(build, "browser/run-")));
  return { ...(await network({ orchestrator: ["--tokens", file] })), tokens };
}

async function logIn(page, token) {
  await page.waitForSelector("#login[open]");
  await page.fill("#login-token", token);
  await page.press("#login-token", "Enter");
}

test("whoever has a token works as ever, and it is kept nowhere", async () => {
  const { orc, tokens } = await guarded();
  const page = await open();
  await page.goto(orc.url);
  await page.waitForSelector("#login[open]");
  assert.equal(await page.evaluate(() => document.activeElement.id), "login-token");
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press("Escape");
  assert.ok(await page.isVisible("#login"), "there is no way around it");
  await logIn(page, "nobody-has-this");
  await page.waitForFunction(() => document.getElementById("login-why").textContent.includes("Nobody has this token"));
  await logIn(page, tokens.operate);
  await page.waitForSelector("#login:not([open])", { state: "attached" });
  await startUpgrade(page, "5.3.1", { sites: ["earth"] });
  const job = await untilJob(page, "done");
  assert.equal(job.outcome, "completed");
  const kept = await page.evaluate((token) => [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage),
    document.documentElement.outerHTML, location.href].some((text) => text.includes(token)), tokens.operate);
  assert.equal(kept, false);
  assert.equal(await page.inputValue("#login-token"), "");
  await page.reload();
  await page.waitForSelector("#login[open]");
  assert.deepEqual(page.troubles, []);
});

test("whoever may read sees all, and is told why nothing begins", async () => {
  const { orc, tokens } = await guarded();
  const page = await open();
  await page.goto(orc.url);
  await logIn(page, tokens.read);
  await page.waitForFunction(() => document.getElementById("verdict").textContent.includes("848 devices in the inventory"));
  await page.fill('input[name="version"]', "5.3.1");
  await page.click("#dry-run");
  await page.waitForFunction(() => document.body.innerText.includes("this token is for reading alone"));
  assert.deepEqual(page.troubles, []);
});
