// Programs and a browser for the tests of the page. Programs bind port 0, are waited for by their
// ready line, and are ended by their own pid.
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createRequire } from "node:module";

export const build = resolve(process.env.BUILD ?? "build");
const require = createRequire(join(build, "browser/package.json"));
const { chromium } = require("playwright-core");
const axeSource = require("axe-core").source;

export const shots = join(build, "browser/screenshots");
mkdirSync(shots, { recursive: true });

const endings = []; // what is still to be ended, the newest last

// Starts a program and returns {url, child, end()} once it says that it is ready.
export async function start(program, args, place) {
  const child = spawn(join(build, program), args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.on("exit", (code, signal) => done({ code, signal })));
  const line = await new Promise((done, fail) => {
    createInterface({ input: child.stdout }).once("line", done);
    ended.then(({ code, signal }) => fail(new Error(`${program} ended before it was ready: ${code ?? signal}`)));
  });
  const started = {
    url: /(http:\/\/[0-9.:]+)\/?$/.exec(line.split(" admin ").at(-1))[1],
    child,
    async end(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
    place,
  };
  endings.push(() => started.end("SIGKILL"));
  return started;
}

// A simulator and an orchestrator over it, in a folder of their own.
export async function network({ latency = "2ms..20ms", simulator = [], orchestrator = [], withDemo = false } = {}) {
  const dir = mkdtempSync(join(build, "browser/run-"));
  endings.push(() => rmSync(dir, { recursive: true, force: true }));
  const sim = await start("simulator", ["--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--latency", latency, ...simulator]);
  const args = (listen) => ["--listen", listen, "--inventory", `${sim.url}/inventory/`, "--state", join(dir, "orchestrator.db"),
    "--log", join(dir, "orchestrator.log"), ...(withDemo ? ["--simulator", sim.url] : []), ...orchestrator];
  const orc = await start("orchestrator", args("127.0.0.1:0"));
  return { sim, orc, dir, again: () => start("orchestrator", args(orc.url.replace("http://", ""))) };
}

// Three orchestrators over one simulator and one database, which are a server's own.
export async function cluster({ latency = "2ms..20ms" } = {}) {
  const dir = mkdtempSync("/tmp/browser-"); // the server may run as another user, and its socket's path is short
  chmodSync(dir, 0o755);
  endings.push(() => rmSync(dir, { recursive: true, force: true }));
  const postgres = (how) => execFileSync("tests/lab/postgres.sh", [how, join(dir, "postgres")], { encoding: "utf8" }).trim();
  endings.push(() => postgres("kill"));
  const state = postgres("start");
  const sim = await start("simulator", ["--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--latency", latency]);
  const nodes = [];
  for (const i of [0, 1, 2])
    nodes.push(await start("orchestrator", ["--listen", "127.0.0.1:0", "--inventory", `${sim.url}/inventory/`, "--state", state,
      "--log", join(dir, `orchestrator${i}.log`), "--install-timeout", "3s"]));
  return { sim, nodes };
}

let browser = null;

export async function open(options = {}) {
  if (browser === null) {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.example 127.0.0.1"],
    });
  }
  const context = await browser.newContext({ viewport: { width: 1120, height: 640 }, ...options });
  endings.push(() => context.close());
  const page = await context.newPage();
  page.troubles = [];
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => page.troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // Of a service that is down, or that refuses, the browser itself tells in the console.
    // /nodes/ is asked once, and answers 404 where there is one node.
    if (message.location().url.endsWith("/nodes/") && message.text().includes("404")) return;
    if (message.type() === "error" && !/net::ERR_|status of (40[0139]|421|50[23])/.test(message.text())) page.troubles.push(message.text());
  });
  const own = [];
  page.on("request", (request) => own.push(new URL(request.url()).origin));
  page.origins = own;
  return page;
}

// What a test has started; the browser stays.
export async function endTest() {
  while (endings.length > 0) await endings.pop()();
}

export async function endAll() {
  await endTest();
  await browser?.close();
  browser = null;
}

export async function json(url, options) {
  const answer = await fetch(url, options);
  const text = await answer.text();
  return text === "" ? null : JSON.parse(text);
}

export const postJson = (url, body, headers = {}) => json(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });

export async function hostsOf(url, id) {
  const rows = [];
  let after = "";
  for (;;) {
    const { hosts } = await json(`${url}/jobs/${id}/hosts/?limit=1000${after}`);
    rows.push(...hosts);
    if (hosts.length < 1000) return rows;
    after = `&after=${encodeURIComponent(hosts.at(-1).name)}`;
  }
}

// What the page's model has of each device, in the words of /jobs/{id}/hosts/.
export const picture = (page) => page.evaluate(() => globalThis.page.view.model.hosts.map(({ index, ...row }) => row));

export const jobOf = (page) => page.evaluate(() => globalThis.page.view.model?.job ?? null);

export async function untilJob(page, state) {
  await page.waitForFunction((wanted) => globalThis.page.view.isJob && globalThis.page.view.model.isWhole &&
    globalThis.page.view.model.job.state === wanted, state);
  return jobOf(page);
}

// From the form: a dry run, then the start.
export async function startUpgrade(page, version, { sites = [], types = [] } = {}) {
  await page.fill('input[name="version"]', version);
  for (const site of sites) await page.check(`input[name="filter_sites"][value="${site}"]`);
  for (const type of types) await page.check(`input[name="filter_dev_types"][value="${type}"]`);
  await page.click("#dry-run");
  await page.waitForSelector("#go");
  await page.click("#go");
  await page.waitForFunction((wanted) => globalThis.page.view.isJob && globalThis.page.view.model.job.version === wanted, version);
}

// What axe has to say of the page as it is.
export async function findings(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
}
