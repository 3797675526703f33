// The stream of events is lost and found, and the service with it.
import { after, afterEach, test } from "node:test";
import assert from "node:assert/strict";
import { endAll, endTest, hostsOf, jobOf, json, network, open, picture, postJson, startUpgrade, untilJob } from "./harness.mjs";

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
  await page.selectOption("#devices-state", "in_doubt");
  assert.deepEqual(await page.locator("#devices tbody th").allTextContents(), slow);
  // A page that is opened now says the same.
  const later = await open();
  await later.goto(`${orc.url}/#/jobs/${id}`);
  await later.waitForFunction(() => globalThis.page.view.model.inDoubt === 2);
  assert.deepEqual(await picture(later), await picture(page));
  await page.waitForFunction((text) => document.getElementById("doubt").textContent === text, await later.textContent("#doubt"));
  assert.deepEqual(page.troubles, []);
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
  await third.waitForFunction(() => document.querySelectorAll(".steps li").length >= 2);
  const steps = await third.locator(".steps li").allTextContents();
  assert.match(steps[0], /^\d\d:\d\d:\d\d\.\d{3}in hand/);
  assert.match(steps.at(-1), /changed|unchanged/);
  assert.match(await third.textContent("#verdict"), /^106 of 106 devices completed\. It took /);
});
