// Every view in both themes before axe, on a phone, and on paper.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { endAll, findings, json, network, open, postJson, shots, startUpgrade, untilJob } from "./harness.mjs";

after(endAll);

let net;
let jobId;
before(async () => {
  net = await network({ withDemo: true, simulator: ["--network", "tests/browser/network.yaml"] });
  await postJson(`${net.sim.url}/faults/`, { match: { site: "mars", dev_type: "leaf" }, on: "install_os_version", effect: "error", message: "no space left on device", probability: 0.5 });
  const page = await open();
  await page.goto(`${net.orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="mars"]');
  await page.screenshot({ path: join(shots, "empty.png") });
  await startUpgrade(page, "5.3.1");
  jobId = (await untilJob(page, "done")).id;
  await page.context().close();
});

const views = {
  device: async (page) => {
    await page.fill("#find", "leaf");
    await page.press("#find", "Enter");
    await page.waitForSelector("#device:not([hidden])");
    await page.waitForFunction(() => /at a time/.test(document.getElementById("device-body").textContent));
  },
  preview: async (page) => {
    await page.fill('input[name="version"]', "5.4.0");
    await page.click("#dry-run");
    await page.waitForSelector("#go");
    await page.click("#preview summary");
  },
  refused: async (page) => {
    await page.fill('input[name="version"]', "no");
    await page.click("#dry-run");
    await page.waitForSelector("#start-wrong");
  },
  why: async (page) => {
    for (const summary of await page.locator("#why summary").all()) await summary.click();
  },
};

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in any view, ${colorScheme}`, async () => {
    const page = await open({ colorScheme, viewport: { width: 1440, height: 900 }, bypassCSP: true });
    await page.goto(`${net.orc.url}/#/jobs/${jobId}`);
    await untilJob(page, "done");
    await page.waitForSelector("#why:not([hidden])");
    await page.waitForSelector('input[name="version"]');
    await page.screenshot({ path: join(shots, `job-${colorScheme}.png`) });
    // All that stands beside one another is looked at at once: axe takes its time.
    for (const view of ["device", "why", "preview"]) await views[view](page);
    assert.deepEqual(await findings(page), [], "a device, what went wrong, a dry run");
    await page.screenshot({ path: join(shots, `all-${colorScheme}.png`) });
    await views.refused(page);
    await page.click('button[data-verb="retry"]');
    await page.waitForSelector("#ask[open]");
    assert.deepEqual(await findings(page), [], "a form that was refused, a question");
    await page.screenshot({ path: join(shots, `asked-${colorScheme}.png`) });
    assert.deepEqual(page.troubles, []);
    await page.context().close();
  });

  test(`a phone's width, ${colorScheme}`, async () => {
    const page = await open({ colorScheme, viewport: { width: 390, height: 844 }, bypassCSP: true });
    await page.goto(`${net.orc.url}/#/jobs/${jobId}`);
    await untilJob(page, "done");
    await page.waitForSelector("#why:not([hidden])");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing reaches past the right edge");
    for (const summary of await page.locator("#why summary").all()) await summary.click();
    await page.selectOption("#devices-state", "failed");
    await page.waitForFunction(() => document.querySelector("#devices tbody .is-failed") !== null && document.querySelector("#devices tbody .is-changed") === null);
    assert.deepEqual(await page.evaluate(() => ["#why-body", ".scroll", "#map", "#jobs-list"].filter((part) => {
      const { scrollWidth, clientWidth } = document.querySelector(part);
      return scrollWidth > clientWidth;
    })), [], "nothing scrolls sideways");
    // Why a device failed has the whole width.
    const { why, row } = await page.evaluate(() => {
      const cell = document.querySelector("#devices tbody td:last-child");
      return { why: cell.getBoundingClientRect().width, row: cell.parentElement.getBoundingClientRect().width };
    });
    assert.ok(why > row * 0.9, `why has ${why} of ${row} px`);
    await page.locator(".scroll").scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(shots, `phone-devices-${colorScheme}.png`) });
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(shots, `phone-${colorScheme}.png`) });
    await views.device(page);
    assert.deepEqual(await findings(page), []);
    await page.screenshot({ path: join(shots, `phone-device-${colorScheme}.png`) });
    await page.context().close();
  });
}

test("another theme changes the colours of all that is drawn", async () => {
  const page = await open({ colorScheme: "dark" });
  await page.goto(`${net.orc.url}/#/jobs/${jobId}`);
  await untilJob(page, "done");
  await page.waitForSelector("#chart-figure:not([hidden])");
  const chart = () => page.evaluate(() => document.getElementById("chart").toDataURL());
  const dark = await chart();
  await page.click("#theme");
  const light = await chart();
  assert.ok(light !== dark, "the chart");
  await page.click("#theme");
  assert.ok((await chart()) !== light, "and back");
  await page.context().close();
});

test("paper has the colours of the light theme, whichever is on the screen", async () => {
  const drawn = async (colorScheme, printed) => {
    const page = await open({ colorScheme });
    await page.goto(`${net.orc.url}/#/jobs/${jobId}`);
    await untilJob(page, "done");
    await page.waitForSelector("#chart-figure:not([hidden])");
    await page.emulateMedia({ media: "print" });
    // As a browser does around the print: what is read is drawn by then.
    const [before, during, after] = await page.evaluate((inPrint) => {
      const colours = () => [...["map-canvas", "chart"].map((id) => document.getElementById(id).toDataURL()),
        ...["--failed", "--changed", "--ink"].map((name) => getComputedStyle(document.documentElement).getPropertyValue(name))];
      const said = [document.documentElement.dataset.theme];
      if (inPrint) dispatchEvent(new Event("beforeprint"));
      said.push(colours());
      if (inPrint) dispatchEvent(new Event("afterprint"));
      return [...said, document.documentElement.dataset.theme];
    }, printed);
    assert.deepEqual([before, after], [colorScheme, colorScheme]);
    await page.context().close();
    return during;
  };
  assert.deepEqual(await drawn("dark", true), await drawn("light", true));
});

test("on paper it is a report of the window", async () => {
  const page = await open();
  await page.goto(`${net.orc.url}/#/jobs/${jobId}`);
  await untilJob(page, "done");
  await page.waitForSelector("#why:not([hidden])");
  await page.emulateMedia({ media: "print" });
  for (const gone of [".side", "#controls", "nav"]) assert.equal(await page.locator(gone).isVisible(), false, gone);
  for (const there of ["#verdict", "#bars", "#why", "#map-canvas"]) assert.equal(await page.locator(there).isVisible(), true, there);
  const onPaper = await page.evaluate(() => {
    dispatchEvent(new Event("beforeprint"));
    const { height, style } = document.getElementById("map-canvas");
    const said = { id: document.getElementById("paper").textContent, rows: document.querySelectorAll("#devices tbody tr").length,
      completed: document.getElementById("paper-completed").textContent, map: height / devicePixelRatio, space: parseFloat(document.getElementById("map-space").style.height), style: style.height };
    dispatchEvent(new Event("afterprint"));
    return { ...said, after: document.querySelectorAll("#devices tbody tr").length };
  });
  const { counts } = await json(`${net.orc.url}/jobs/${jobId}/`);
  assert.match(onPaper.id, new RegExp(`^Job ${jobId}, as it was on `));
  assert.equal(onPaper.rows, counts.failed + counts.skipped);
  assert.equal(onPaper.completed.split(", ").length - 1, counts.changed + counts.unchanged, "the names of those that completed");
  assert.ok(Math.abs(onPaper.map - onPaper.space) <= 1, "the map is there as a whole");
  assert.equal(onPaper.after, Math.min(100, counts.hosts));
  const pdf = await page.pdf({ path: join(shots, "paper.pdf"), printBackground: true });
  assert.ok(pdf.length > 10_000);
});

test("the page is at most 150 kB in all, and may ask nobody else", async () => {
  const answer = await fetch(`${net.orc.url}/`);
  const html = await answer.text();
  const policy = answer.headers.get("content-security-policy");
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.ok(policy.includes(`connect-src 'self' ${net.sim.url};`), policy);
  let bytes = html.length;
  const names = new Set(["style.css", "main.js"]);
  for (const name of names) {
    const file = await fetch(`${net.orc.url}/web/${name}`);
    assert.equal(file.status, 200, name);
    const text = await file.text();
    bytes += text.length;
    for (const [, other] of text.matchAll(/from "\.\/([a-z]+\.js)"/g)) names.add(other);
  }
  assert.ok(names.size > 10);
  assert.ok(bytes <= 150_000, `${bytes} bytes`);
  assert.equal((await fetch(`${net.orc.url}/web/none.js`)).status, 404);
});

test("Swagger UI on another port executes POST /upgrade-os/ cross-origin", async () => {
  const page = await open();
  await page.goto(`${net.orc.url}/docs/`);
  if ((await page.textContent("body")).includes("not part of this build")) return; // built where there is no npm
  await page.waitForSelector("#operations-tasks-upgradeOs");
  assert.deepEqual(page.troubles, []);

  // The same files from another address of this machine.
  const { createServer } = await import("node:http");
  const files = createServer(async (request, response) => {
    const path = request.url === "/" ? "/docs/" : request.url;
    const answer = await fetch(`${net.orc.url}${path.replace("/other/", "/docs/")}`);
    let body = Buffer.from(await answer.arrayBuffer());
    if (path.endsWith("docs.js")) body = Buffer.from(body.toString().replace('fetch("/swagger/")', `fetch("${net.orc.url}/swagger/")`).replace("location.origin", `"${net.orc.url}"`));
    response.writeHead(answer.status, { "Content-Type": answer.headers.get("content-type") });
    response.end(body);
  });
  await new Promise((done) => files.listen(0, "127.0.0.1", done));
  try {
    const other = await open();
    await other.goto(`http://127.0.0.1:${files.address().port}/`);
    const operation = other.locator("#operations-tasks-upgradeOs");
    await operation.locator("button.opblock-summary-control").click();
    await operation.locator("textarea.body-param__text").fill(JSON.stringify({ version: "5.3.1", filter_sites: ["earth"], filter_dev_types: ["spine"] }));
    await operation.locator("button.execute").click();
    await operation.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
    assert.match(await operation.locator(".live-responses-table").textContent(), /spine00\.earth/);
  } finally {
    files.close();
    files.closeAllConnections();
  }
  assert.ok((await json(`${net.orc.url}/jobs/`)).jobs.some((job) => job.request.filter_dev_types?.[0] === "spine"));
});
