// The stream of events is lost and found, and the service with it.
import { after, afterEach, test } from "node:test";
import assert from "node:assert/strict";
import { endAll, endTest, findings, hostsOf, jobOf, json, network, open, picture, postJson, startUpgrade, untilJob } from "./harness.mjs";

afterEach(endTest);
after(endAll);

test("a stream that is cut again and again", async () => {
  const { orc } = await network({ latency: "20ms..60ms" });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="earth"]');
  await startUpgrade(page, "5.3.1", { sites: ["earth", "mars"] });
  await page.evaluate(() => {
    const cut = setInterval(() => {
      globalThis.page.drop();
      if (globalThis.page.view.model.job.state === "done") clearInterval(cut);
    }, 300);
  });
  const job = await untilJob(page, "done");
  assert.deepEqual(await picture(page), await hostsOf(orc.url, job.id));
  await page.waitForSelector('#link[data-is="live"]');
});

test("848 devices through a kill and a restart of the service", async () => {
  const { orc, sim, again } = await network({ latency: "30ms..90ms", orchestrator: ["--install-timeout", "3s"] });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForFunction(() => globalThis.page.view.model?.hosts.length === 848);
  await startUpgrade(page, "5.3.1");
  await page.waitForFunction(() => globalThis.page.view.model.done > 200);
  const { id } = await jobOf(page);
  await orc.end("SIGKILL");
  await page.waitForSelector('#link[data-is="away"]');
  await again();
  await page.waitForSelector('#link[data-is="live"]');
  await untilJob(page, "done");
  const told = await json(`${orc.url}/jobs/${id}/`);
  assert.equal(told.counts.hosts, 848);
  assert.deepEqual(await picture(page), await hostsOf(orc.url, id));
  await page.waitForFunction((n) => document.querySelector(".bar.completed span:last-child").textContent.startsWith(`${n} `), told.counts.changed + told.counts.unchanged);
  assert.deepEqual((await json(`${sim.url}/audit/?violations`)).violations, []);
});

test("devices that a restart leaves in doubt, on a page that was open all the while", async () => {
  const { orc, sim, again } = await network({ latency: "0ms..1ms" });
  const slow = ["leaf00.earth", "leaf02.earth"];
  await postJson(`${sim.url}/faults/`, { match: { host: slow }, on: "install_os_version", effect: "delay", by: "10m" });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="earth"]');
  await startUpgrade(page, "5.3.1", { sites: ["earth"] });
  // Only these two are left, and those that wait for them.
  await page.waitForFunction(() => globalThis.page.view.model.counts.in_hand === 2 && globalThis.page.view.model.done === 102);
  const { id } = await jobOf(page);
  assert.equal(await page.isVisible("#doubt"), false);
  await orc.end("SIGKILL");
  await page.waitForSelector('#link[data-is="away"]');
  await again();
  await page.waitForFunction(() => globalThis.page.view.model.inDoubt === 2);
  assert.deepEqual(await picture(page), await hostsOf(orc.url, id));
  await page.waitForSelector("#doubt:not([hidden])");
  assert.match(await page.textContent("#doubt"), /^leaf00\.earth, leaf02\.earth are in doubt: .* until \d\d:\d\d:\d\d at the latest\.$/);
  assert.equal(await page.isVisible("#why"), false, "who is in doubt is no group that is held up");
  await page.fill("#find", slow[0]);
  await page.press("#find", "Enter");
  await page.waitForFunction(() => /, in doubt until \d\d:\d\d:\d\d at most/.test(document.getElementById("device-body").textContent));
  await page.selectOption("#devices-state", "in_doubt");
  assert.deepEqual(await page.locator("#devices tbody th").allTextContents(), slow);
  // A page that is opened now says the same.
  const later = await open();
  await later.goto(`${orc.url}/#/jobs/${id}`);
  await later.waitForFunction(() => globalThis.page.view.model?.isWhole && globalThis.page.view.model.inDoubt === 2);
  assert.deepEqual(await picture(later), await picture(page));
  await later.waitForSelector("#doubt:not([hidden])");
  await page.waitForFunction((text) => document.getElementById("doubt").textContent === text, await later.textContent("#doubt"));
  assert.deepEqual(page.troubles, []);
});

test("while the service is away the page says so, and nothing on it goes on", async () => {
  const { orc, sim, again } = await network({ latency: "0ms..1ms" });
  await postJson(`${sim.url}/faults/`, { match: { host: "leaf00.earth" }, on: "install_os_version", effect: "delay", by: "10m" });
  const page = await open({ bypassCSP: true });
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="earth"]');
  await startUpgrade(page, "5.3.1", { sites: ["earth"] });
  await page.waitForFunction(() => globalThis.page.view.model.done === 104);
  await page.focus('button[data-verb="pause"]');
  await orc.end("SIGKILL");
  await page.waitForSelector('#reach[data-is="away"]');
  assert.match(await page.textContent("#reach"), /^The service has not been reached since \d\d:\d\d:\d\d\. /);
  await page.waitForSelector('#job-state[data-is="away"]');
  assert.equal(await page.getAttribute("#jobs-list .chip", "data-is"), "away", "in the list nothing goes on either");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.verb), "pause", "the focus stays");
  // In sight wherever the page is scrolled to.
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.waitForFunction(() => {
    const { top, bottom } = document.getElementById("reach").getBoundingClientRect();
    return scrollY > 0 && top >= 0 && bottom <= innerHeight;
  });
  // Every clock stands: each drawing says the same.
  const texts = () => page.evaluate(() => ["verdict", "longest", "job-state", "chart-text"].map((id) => document.getElementById(id).textContent));
  const before = await texts();
  assert.match(before[0], /^104 of 106 devices completed\. That was so at \d\d:\d\d:\d\d; /);
  assert.match(before[2], /^running at \d\d:\d\d:\d\d$/);
  const attempts = () => page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/events/")).length);
  const tried = await attempts();
  for (let n = tried; n < tried + 2; n = await attempts()) await page.waitForEvent("requestfailed");
  assert.deepEqual(await texts(), before);
  for (const verb of ["pause", "cancel"]) {
    const button = page.locator(`button[data-verb="${verb}"]`);
    assert.equal(await button.getAttribute("aria-disabled"), "true", verb);
    await button.dispatchEvent("click");
    assert.equal(await page.locator("#ask[open]").count(), 0);
  }
  assert.equal(await page.textContent("#controls-why"), "The service is not reached.");
  assert.deepEqual(await findings(page), []);
  const second = await again();
  await page.waitForSelector('#reach[data-is="back"]');
  assert.match(await page.textContent("#reach"), /^The service was not reached for \d+ s, from \d\d:\d\d:\d\d to \d\d:\d\d:\d\d\. It is reached again, and goes on\.$/);
  await page.waitForFunction(() => document.getElementById("job-state").textContent === "running");
  assert.equal(await page.getAttribute('button[data-verb="pause"]', "aria-disabled"), null);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.verb), "pause");
  // Its time without the service is known as such, also to a page that is opened now.
  const later = await open();
  await later.goto(`${orc.url}/`);
  for (const of of [page, later])
    await of.waitForFunction(() => globalThis.page.view.model?.pauses.length === 1 && globalThis.page.view.model.pauses[0].isAway);
  // A job that is paused does not go on.
  await page.click('button[data-verb="pause"]');
  await page.waitForFunction(() => document.getElementById("job-state").textContent === "paused");
  await second.end("SIGKILL");
  await page.waitForSelector('#reach[data-is="away"]');
  await again();
  await page.waitForSelector('#reach[data-is="back"]');
  assert.match(await page.textContent("#reach"), /\. It is reached again\.$/);
  assert.deepEqual(page.troubles, []);
});

test("of the last device the page says until when it is at most in hand, also when it was opened later", async () => {
  const { orc, sim } = await network({ latency: "0ms..1ms" });
  await postJson(`${sim.url}/faults/`, { match: { host: "leaf00.earth" }, on: "install_os_version", effect: "delay", by: "10m" });
  const request = { method: "POST", headers: { "Content-Type": "application/json", Prefer: "respond-async" }, body: JSON.stringify({ version: "5.3.1", filter_hosts: ["leaf00.earth", "edge00.earth"] }) };
  const first = await open();
  await first.goto(`${orc.url}/`);
  await first.waitForFunction(() => document.getElementById("link").textContent === "live");
  const { id } = await json(`${orc.url}/upgrade-os/`, request);
  const awaited = (page) => page.waitForFunction(() => / it waits for leaf00\.earth, in hand since \d\d:\d\d:\d\d, at most until \d\d:\d\d:\d\d\./.exec(document.getElementById("verdict").textContent)?.[0]);
  const said = await (await awaited(first)).jsonValue();
  const later = await open();
  await later.goto(`${orc.url}/#/jobs/${id}`);
  assert.equal(await (await awaited(later)).jsonValue(), said);
  for (const page of [first, later]) {
    await page.fill("#find", "leaf00.earth");
    await page.press("#find", "Enter");
  }
  await later.waitForFunction(() => / are not kept\. .*install is about to be sent/.test(document.getElementById("device-body").textContent));
  await first.waitForFunction(() => /install os version/.test(document.getElementById("device-body").textContent));
  assert.doesNotMatch(await first.textContent("#device-body"), /are not kept/);
  const limit = /at most until (.*)\./.exec(said)[1];
  await later.waitForFunction((time) => document.getElementById("device-body").textContent.includes(`, at most until ${time}: `), limit);
  await postJson(`${orc.url}/jobs/${id}/cancel/`, {});
  for (const page of [first, later])
    await page.waitForFunction((time) => document.getElementById("verdict").textContent.endsWith(` Nothing new starts; leaf00.earth comes to its end, at most until ${time}.`), limit);
  assert.deepEqual(later.troubles, []);
});

test("a page that is opened later, and one of a job that is over", async () => {
  const { orc } = await network({ latency: "20ms..60ms" });
  const first = await open();
  await first.goto(`${orc.url}/`);
  await first.waitForSelector('input[name="filter_sites"][value="earth"]');
  await startUpgrade(first, "5.3.1", { sites: ["earth"] });
  await first.waitForFunction(() => globalThis.page.view.model.done > 5);
  const second = await open();
  await second.goto(`${orc.url}/`);
  const job = await untilJob(second, "done");
  assert.deepEqual(await picture(second), await hostsOf(orc.url, job.id));
  const third = await open();
  await third.goto(`${orc.url}/#/jobs/${job.id}`);
  await untilJob(third, "done");
  assert.deepEqual(await picture(third), await picture(second));
  // What was decided of a device is there though nobody was looking.
  await third.fill("#find", "leaf00.earth");
  await third.press("#find", "Enter");
  await third.waitForFunction(() =>
    /changed|unchanged/.test(document.querySelector(".steps li:last-child")?.textContent));
  const steps = await third.locator(".steps li").allTextContents();
  assert.match(steps[0], /^\d\d:\d\d:\d\d\.\d{3}in hand/);
  assert.match(await third.textContent("#device-body"), /Steps before \d\d:\d\d:\d\d, when this page was connected, are not kept\. What is kept is shown: /);
  assert.match(await third.textContent("#verdict"), /^106 of 106 devices completed\. It took /);
});
