// What an operator does on the page.
import { after, afterEach, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { endAll, endTest, hostsOf, jobOf, json, network, open, picture, postJson, shots, startUpgrade, untilJob } from "./harness.mjs";

afterEach(endTest);
after(endAll);

const shownCount = async (page, name) => Number((await page.textContent(`.bar.${name} span:last-child`)).split(" ")[0].replaceAll(",", ""));

test("an upgrade from the page: dry run, start, live tiles, and counts that agree", async () => {
  const { orc, sim } = await network({ latency: "20ms..60ms" });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForFunction(() => globalThis.page.view.model?.hosts.length === 848);
  assert.match(await page.textContent("#verdict"), /848 devices in the inventory/);
  assert.equal((await json(`${orc.url}/jobs/`)).jobs.length, 0);

  await page.fill('input[name="version"]', "5.3.1");
  await page.check('input[name="filter_sites"][value="earth"]');
  await page.click("#dry-run");
  await page.waitForSelector("#go");
  assert.match(await page.textContent("#preview"), /Dry run: nothing was touched/);
  assert.equal(await page.textContent("#go"), "Upgrade 106 devices to 5.3.1");
  assert.equal((await json(`${orc.url}/jobs/`)).jobs.length, 0, "a dry run starts nothing");

  // What was tried is what would be started: another field takes the button away.
  await page.check('input[name="filter_sites"][value="mars"]');
  assert.equal(await page.locator("#go").count(), 0);
  await page.click("#dry-run");
  await page.waitForSelector("#go");
  await page.click("#go");
  await page.waitForFunction(() => globalThis.page.view.isJob && globalThis.page.view.model.counts.in_hand > 0);
  // The list of jobs and the sentence say the same at any moment.
  await page.waitForFunction(() => {
    const { changed } = globalThis.page.view.model.counts;
    const said = /^(\d+) of 212 /.exec(document.getElementById("verdict").textContent)?.[1];
    return changed > 0 && said > 0 && document.querySelector('#jobs-list a[aria-current="true"] .part').textContent.startsWith(`${said} of 212 completed`);
  });
  assert.equal((await jobOf(page)).state, "running");

  const job = await untilJob(page, "done");
  const told = await json(`${orc.url}/jobs/${job.id}/`);
  assert.equal(told.counts.hosts, 212);
  await page.waitForFunction(() => document.getElementById("job-state").textContent === "completed");
  assert.equal(await shownCount(page, "completed"), told.counts.changed + told.counts.unchanged);
  assert.equal(await shownCount(page, "changed"), told.counts.changed);
  assert.match(await page.textContent('#jobs-list a[aria-current="true"]'), /completed212 of 212 completed.*, took [\d.]+ m?s$/);
  assert.equal(await shownCount(page, "failed"), 0);
  assert.deepEqual(await picture(page), await hostsOf(orc.url, job.id));
  assert.deepEqual((await json(`${sim.url}/audit/?violations`)).violations, []);
  assert.match(await page.title(), /^212\/212 completed · Upgrade to 5\.3\.1/);
  assert.deepEqual(page.troubles, []);
  assert.deepEqual([...new Set(page.origins)], [orc.url], "it asks nobody else");
});

test("the result of a dry run comes into sight, on a phone too", async () => {
  const { orc } = await network();
  const page = await open({ viewport: { width: 390, height: 844 } });
  await page.goto(`${orc.url}/`);
  // The map and the table stand above, and have their height.
  await page.waitForFunction(() => document.getElementById("map-space").clientHeight > 0 && document.querySelectorAll("#devices tbody tr").length === 100);
  await page.fill('input[name="version"]', "5.3.1");
  await page.locator("#dry-run").evaluate((button) => button.scrollIntoView({ block: "end" }));
  await page.click("#dry-run");
  await page.waitForSelector("#go");
  await page.waitForFunction(() => {
    const { top, bottom } = document.getElementById("preview").getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
});

test("a click on a job leads to its card, on a phone too", async () => {
  const { orc } = await network();
  for (const site of ["earth", "mars"]) await postJson(`${orc.url}/upgrade-os/`, { version: "5.3.1", filter_sites: [site] });
  const page = await open({ viewport: { width: 390, height: 844 } });
  await page.goto(`${orc.url}/`);
  await page.waitForFunction(() => document.querySelectorAll("#devices tbody tr").length === 100 && document.querySelectorAll("#jobs-list a").length === 2);
  await page.locator("#jobs-list a").last().click();
  await page.waitForFunction(() => / earth$/.test(document.getElementById("job-title").textContent) && document.querySelector('#jobs-list li:last-child a[aria-current="true"]') !== null);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  const top = await page.evaluate(() => document.getElementById("job-title").getBoundingClientRect().top);
  assert.ok(top >= 0 && top < 422, `it is at ${top}`);
});

test("beside a job that is over a line leads to one that others have started", async () => {
  const { orc } = await network({ latency: "50ms..100ms" });
  await postJson(`${orc.url}/upgrade-os/`, { version: "5.3.1", filter_sites: ["earth"] });
  const page = await open({ viewport: { width: 390, height: 844 } });
  await page.goto(`${orc.url}/`);
  await untilJob(page, "done");
  assert.equal(await page.locator("#other").isVisible(), false);
  const { id } = await postJson(`${orc.url}/upgrade-os/`, { version: "5.4.0", filter_sites: ["mars"], workers: 1 }, { Prefer: "respond-async" });
  await page.waitForFunction(() => document.getElementById("other").textContent === "Another job is running: Upgrade to 5.4.0 · mars.");
  await page.click("#other a");
  await page.waitForFunction((wanted) => globalThis.page.view.model.job.id === wanted, id);
  await page.waitForSelector("#other", { state: "hidden" });
  await page.fill('input[name="version"]', "5.5.0");
  await page.click("#dry-run");
  await page.waitForSelector("#go");
  assert.match(await page.textContent("#preview .caution"), /^Another job is running: Upgrade to 5\.4\.0 · mars\. .* one waits for the other, so this may take longer\.$/);
  // The list is drawn again with each device, but not under a finger: that click would be lost.
  const isKept = await page.evaluate(async () => {
    const { model } = globalThis.page.view;
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    const press = (link, type) => link.dispatchEvent(new PointerEvent(type, { bubbles: true }));
    for (;;) {
      const link = document.querySelector("#jobs-list a");
      const { done } = model;
      const at = performance.now();
      press(link, "pointerdown");
      while (model.done === done) await frame();
      for (const heard = performance.now(); performance.now() < heard + 300;) await frame();
      const wasKept = link.isConnected;
      const isClick = performance.now() - at < 900; // a longer press is none
      press(link, "pointerup");
      if (!isClick) continue;
      while (link.isConnected) await frame();
      return wasKept;
    }
  });
  assert.equal(isKept, true);
  // A question about a job that somebody else ends needs no answer any more.
  await page.click('button[data-verb="cancel"]');
  await page.waitForSelector("#ask[open]");
  await fetch(`${orc.url}/jobs/${id}/cancel/`, { method: "POST" });
  await page.waitForFunction(() => !document.getElementById("ask").open);
  assert.equal((await untilJob(page, "done")).outcome, "cancelled");
  assert.deepEqual(page.troubles, []);
});

test("a dry run warns of downgrades that are known of, before the start", async () => {
  const { orc } = await network();
  const { hosts } = await postJson(`${orc.url}/get-version/`, { filter_sites: ["earth"] });
  const numbers = (version) => version.split(".").map(Number);
  const newer = Object.values(hosts).filter(({ full_version }) => {
    const [a, b, c] = numbers(full_version);
    return a !== 5 ? a > 5 : b !== 3 ? b > 3 : c > 1;
  }).length;
  assert.ok(newer > 1 && newer < 106, `${newer} run a newer version`);
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="earth"]');
  await page.fill('input[name="version"]', "5.3.1");
  await page.check('input[name="filter_sites"][value="earth"]');
  await page.click("#dry-run");
  await page.waitForSelector("#go");
  assert.equal(await page.textContent("#preview .caution"), `${newer} of them run a newer version and would be downgraded.`);
  assert.match(await page.textContent("#preview dl"), /To change\d+; as wanted already: \d+, by what devices told last/);
  await page.click("#start summary");
  await page.check('input[name="downgrade"]');
  await page.click("#dry-run");
  await page.waitForSelector("#go");
  assert.equal(await page.textContent("#preview .caution"), `${newer} of them run a newer version and would fail untouched, for downgrades are refused.`);
});

test("a refusal stands at the field that it is about", async () => {
  const { orc } = await network();
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="earth"]');
  for (const version of ["", "latest", "5.3", "5.3.1.2"]) {
    await page.fill('input[name="version"]', version);
    await page.click("#dry-run");
    await page.waitForSelector("#start-wrong");
    assert.equal(await page.textContent("#start-wrong"), "Enter a version, such as 5.3.1", version);
    assert.equal(await page.getAttribute('input[name="version"]', "aria-invalid"), "true");
    assert.equal(await page.evaluate(() => document.activeElement.name), "version");
  }
  // What the service alone knows, it says itself.
  await page.fill('input[name="version"]', "5.3.1");
  await page.fill('input[name="filter_hosts"]', "nobody");
  await page.click("#dry-run");
  await page.waitForSelector("#start-wrong");
  assert.equal(await page.textContent("#start-wrong"), "Devices: there is no host 'nobody'", "by the name that the form has for it");
  assert.equal(await page.evaluate(() => document.activeElement.name), "filter_hosts");
});

test("pause, resume, cancel with a typed word, retry", async () => {
  // Slow while somebody clicks, fast while the network is waited for.
  const { orc, sim } = await network({ latency: "1s..2s", orchestrator: ["--workers", "20"] });
  const speed = (time_scale) => postJson(`${sim.url}/time-scale/`, { time_scale });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="venus"]');
  await startUpgrade(page, "5.3.1", { sites: ["venus"] });
  await page.waitForFunction(() => globalThis.page.view.model.counts.in_hand === 20);
  await page.click('button[data-verb="pause"]');
  await page.waitForFunction(() => / Paused by request; (of 20 devices in hand those whose install was sent come to their end, the others are put back|(\d+ devices in hand come|leaf.* comes?) to (their|its) end(, at most until \d\d:\d\d:\d\d)?)\./.test(document.getElementById("verdict").textContent));
  await speed(0.01);
  await page.waitForSelector('button[data-verb="resume"]');
  await page.waitForFunction(() => globalThis.page.view.model.counts.in_hand === 0);
  const paused = await jobOf(page);
  assert.equal((await json(`${orc.url}/jobs/${paused.id}/`)).state, "paused");
  await speed(1);
  await page.click('button[data-verb="resume"]');
  await page.waitForFunction(() => globalThis.page.view.model.counts.in_hand > 0);
  await page.waitForFunction(() => document.activeElement.dataset.verb === "pause");

  await page.click('button[data-verb="cancel"]');
  await page.waitForSelector("#ask[open]");
  const yes = page.locator('#ask button[value="yes"]');
  assert.equal(await yes.isDisabled(), true, "hosts are in hand: the word must be typed");
  assert.equal(await page.textContent("#ask label"), "Type cancel to cancel the job");
  // What it says goes on with the job.
  const said = await page.textContent("#ask-text");
  assert.match(said, /^\d+ devices are in hand: an install that was sent comes to its end first, (within 5 min at most|at most until \d\d:\d\d:\d\d), for none is broken off; a device without one is put back and skipped\. What has not begun is skipped: \d+ devices\.$/);
  await page.waitForFunction((before) => document.getElementById("ask-text").textContent !== before, said);
  await page.fill("#ask input", "cancel");
  await yes.click();
  await page.waitForFunction(() => document.getElementById("job-state").textContent === "cancelling");
  await page.waitForFunction(() => document.activeElement.id === "job-title");
  await speed(0.01);
  await untilJob(page, "done");
  const told = await json(`${orc.url}/jobs/${paused.id}/`);
  assert.equal(told.outcome, "cancelled");
  assert.ok(told.counts.skipped > 0);
  await page.waitForFunction(() => document.getElementById("job-state").textContent === "cancelled");
  // A page that is opened now knows of the pause as well.
  const later = await open();
  await later.goto(`${orc.url}/#/jobs/${paused.id}`);
  await later.waitForFunction(() => globalThis.page.view.model?.pauses.length === 1);
  const pauses = (of) => of.evaluate(() => globalThis.page.view.model.pauses);
  assert.deepEqual(await pauses(later), await pauses(page));

  await page.click('button[data-verb="retry"]');
  assert.match(await page.textContent("#ask-text"), /^A new job, Upgrade to [\d.]+, of those that failed \(\d+\) or were skipped \(\d+\), and of no other\.( \d+ of them runs? a newer version and would be downgraded\.)?$/);
  await page.click('#ask button[value="yes"]');
  await page.waitForFunction((old) => globalThis.page.view.model.job.id !== old, paused.id);
  await page.waitForFunction(() => document.activeElement.id === "job-title");
  const again = await untilJob(page, "done");
  assert.equal(again.counts.hosts, told.counts.failed + told.counts.skipped);
  assert.equal(again.outcome, "completed");
  assert.equal(await page.locator("#jobs-list li").count(), 2);

  // Its devices have been upgraded further since.
  await postJson(`${orc.url}/upgrade-os/`, { version: "99.0.1" });
  await page.evaluate((job) => globalThis.page.view.goTo(job), told);
  await page.click('button[data-verb="retry"]');
  await page.waitForFunction(() => / of no other\. \d+ of them run a newer version and would be downgraded\.$/.test(document.getElementById("ask-text").textContent));
  await page.click('#ask button[value="no"]');
  assert.deepEqual(page.troubles, []);
});

test("a fault by a click: the tile, the group that stopped, and why", async () => {
  const { orc, sim } = await network({ latency: "20ms..60ms", withDemo: true });
  const page = await open({ timezoneId: "Asia/Kolkata" });
  await page.goto(`${orc.url}/`);
  await page.waitForFunction(() => globalThis.page.view.model?.hosts.length === 848);
  await page.waitForSelector('#referee[data-is="silent"]');
  await page.waitForFunction(() => document.querySelectorAll("#devices tbody tr").length === 100); // all is drawn, and stays where it is
  await page.fill("#find", "leaf06.earth");
  const at = await page.evaluate(() => globalThis.page.place("leaf06.earth"));
  await page.mouse.click(at.x, at.y);
  await page.waitForSelector("#device-title:has-text('leaf06.earth')");
  await page.click("#make-fail");
  await page.waitForFunction(() => document.getElementById("faults").textContent.startsWith("1 fault in force"));
  assert.equal((await json(`${sim.url}/faults/`)).faults[0].match.host, "leaf06.earth");

  await startUpgrade(page, "5.3.1", { sites: ["earth"] });
  const job = await untilJob(page, "done");
  await page.waitForSelector("#stopped");
  const why = await page.textContent("#stopped");
  assert.match(why, /^earth_leaf_\d+: leaf06\.earth failed; 1 device skippedleaf06\.earth: install_os_version: .*no space left on device.*skipped: leaf\d+\.earth$/);
  const told = await json(`${orc.url}/jobs/${job.id}/`);
  assert.equal(told.counts.failed, 1);
  assert.equal(told.counts.skipped, 1);

  // Its steps with their times, its error, and its peer.
  await page.waitForFunction(() => /no space left/.test(document.getElementById("device-body").textContent));
  const steps = await page.locator(".steps li").allTextContents();
  assert.ok(steps.some((step) => /login/.test(step)) && steps.some((step) => /install os version/.test(step)), steps.join("\n"));
  assert.ok(steps.every((step) => /^\d\d:\d\d:\d\d\.\d{3}/.test(step)));
  const [host] = (await json(`${orc.url}/jobs/${job.id}/hosts/?state=failed`)).hosts;
  const minutes = [0, 60000].map((more) => new Date(Date.parse(host.started) + more).toLocaleTimeString("en-GB", { timeZone: "Asia/Kolkata" }).slice(0, 5));
  assert.ok(steps.every((step) => minutes.includes(step.slice(0, 5))), `${steps.join("\n")}\nnot at ${minutes}`);
  await page.waitForFunction(() => /earth_leaf_/.test(document.getElementById("device-body").textContent));

  // Beside its peer it has failed, as everywhere else.
  await page.click("#stopped summary");
  await page.locator("#stopped details p:last-child button").click();
  await page.waitForFunction(() => /leaf06\.earth ✕failed install_os_version: .*no space left/.test(document.getElementById("device-body").textContent));
  assert.doesNotMatch(await page.textContent("#device-body"), /not up/);

  // The job has no version of it, for it was skipped; the service has, for its peer asked it.
  const skipped = await page.textContent("#device-title");
  const { version } = await json(`${orc.url}/hosts/${skipped}/`);
  assert.match(version, /^5\.2\.\d+$/);
  await page.waitForFunction((is) => document.getElementById("device-body").textContent.includes(`Version${is}`), version);

  await page.fill("#find", "leaf00.mars");
  await page.waitForFunction(() => document.getElementById("find-text").textContent === "no such device in this job");

  // The same fault everywhere is one line.
  await page.click("#everything");
  await page.waitForFunction(() => document.getElementById("faults").textContent.startsWith("7 faults in force"));
  await page.click("#faults-none");
  await page.waitForFunction(() => document.getElementById("faults").textContent === "No fault is in force");
  await page.waitForSelector('#referee[data-is="silent"]');
  assert.deepEqual([...new Set(page.origins)].sort(), [orc.url, sim.url].sort());
  assert.deepEqual(page.troubles, []);
});

test("a violation in words, at the top, in the width of a phone", async () => {
  const { orc, sim } = await network({ withDemo: true, orchestrator: ["--peer-check", "off", "--install-timeout", "1s"] });
  const upgrade = (host) => postJson(`${orc.url}/upgrade-os/`, { version: "5.3.1", filter_hosts: [host] });
  await postJson(`${sim.url}/faults/`, { match: { host: "leaf00.earth" }, on: "install_os_version", effect: "brick" });
  assert.deepEqual((await upgrade("leaf00.earth")).failed, ["leaf00.earth"]);
  const page = await open({ viewport: { width: 390, height: 844 } });
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('#referee[data-is="silent"]');
  assert.equal(await page.isVisible("#violation"), false);
  await upgrade("leaf01.earth");
  await page.waitForSelector("#violation:not([hidden])");
  assert.match(await page.textContent("#violation"), /^The referee of the simulated network has seen 1 violation: an install began on leaf01\.earth while leaf00\.earth was not up, of the redundancy group earth_leaf_\d+\. That was at \d\d:\d\d:\d\d, (for .*|and goes on)\.$/);
  const { bottom, width } = await page.evaluate(() => ({ bottom: document.getElementById("violation").getBoundingClientRect().bottom, width: document.documentElement.scrollWidth }));
  assert.ok(bottom < 844 / 2, `it ends at ${bottom}`);
  assert.ok(width <= 390, `the page is ${width} px wide`);
  await page.screenshot({ path: join(shots, "violation-phone.png") });
  await postJson(`${sim.url}/reset/`, {});
  await page.waitForSelector("#violation", { state: "hidden" });
  assert.deepEqual(page.troubles, []);
});

test("the speed control", async () => {
  const { orc, sim } = await network({ withDemo: true });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('#referee[data-is="silent"]');
  await page.focus("#speed");
  await page.keyboard.press("End");
  await page.waitForFunction(() => document.getElementById("speed-text").textContent === "100 × real");
  await page.locator("#speed").blur();
  await page.waitForFunction(async (url) => (await (await fetch(`${url}/time-scale/`)).json()).time_scale === 0.01, sim.url);
});

test("equal errors are one line", async () => {
  const { orc, sim } = await network();
  await postJson(`${sim.url}/faults/`, { match: { site: "mars", dev_type: "leaf" }, on: "install_os_version", effect: "error", message: "no space left on device" });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="mars"]');
  await startUpgrade(page, "5.3.1", { sites: ["mars"], types: ["leaf"] });
  const job = await untilJob(page, "done");
  const { failed } = (await json(`${orc.url}/jobs/${job.id}/`)).counts;
  assert.ok(failed > 10);
  await page.waitForFunction((n) => document.querySelector("#why-body .count")?.textContent === `${n} × `, failed);
  assert.equal(await page.locator("#kinds details").count(), 1);
});

test("errors and groups that stopped are seen at once, and the sentence leads to them", async () => {
  const { orc, sim } = await network();
  const faults = ["no space left on device", "bad image", "busy", "wrong signature", "out of memory"];
  for (const [i, message] of faults.entries())
    await postJson(`${sim.url}/faults/`, { match: { site: "mars", dev_type: "leaf", host: [`leaf${i}[02468].mars`] }, on: "install_os_version", effect: "error", message });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="mars"]');
  await startUpgrade(page, "5.3.1", { sites: ["mars"], types: ["leaf"] });
  const { failed } = (await untilJob(page, "done")).counts;
  assert.ok(failed >= 20);
  await page.waitForFunction((n) => document.getElementById("verdict").textContent.includes(`, ${n} groups stopped. It took `) &&
    document.getElementById("stopped-title")?.textContent.startsWith(`${n} redundancy groups`), failed); // all is drawn, and stays where it is
  assert.equal(await page.textContent("#verdict button"), `${failed} groups stopped`);
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 844 });
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.evaluate(() => scrollTo(0, 0));
    await page.locator("#verdict button").press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "stopped-title");
    // The names of groups, without another step; and the list above or beside them is short.
    const seen = await page.evaluate(() => {
      const inSight = (element) => element.getBoundingClientRect().top >= 0 && element.getBoundingClientRect().bottom <= innerHeight;
      return [...document.querySelectorAll("#kinds li, #stopped-title, #stopped li")].map(inSight);
    });
    assert.deepEqual(seen, Array(3 + 1 + 6).fill(true), `${width} px`);
    assert.equal(await page.evaluate(() => document.getElementById("why-body").scrollHeight <= document.getElementById("why-body").clientHeight), true);
  }
  // On paper all is there; then it is as it was, with what had the focus.
  await page.focus("#stopped li:nth-child(2) summary");
  const name = await page.textContent("#stopped li:nth-child(2) strong");
  const printed = await page.evaluate(() => {
    dispatchEvent(new Event("beforeprint"));
    const counts = ["kinds", "stopped"].map((id) => document.querySelectorAll(`#${id} li details[open]`).length);
    dispatchEvent(new Event("afterprint"));
    return counts;
  });
  assert.deepEqual(printed, [5, failed]);
  assert.equal(await page.locator("#why-body details[open]").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.querySelector("strong").textContent), name);
  // More, when they are asked for; with the keyboard one goes on where they begin.
  await page.locator("#stopped + button").press("Enter");
  assert.equal(await page.locator("#stopped li").count(), failed);
  assert.equal(await page.evaluate(() => document.activeElement.closest("li") === document.querySelector("#stopped li:nth-child(7)")), true);
  assert.deepEqual(page.troubles, []);
});

test("devices that hang: whom the job waits for and until when, also on a page that is opened later", async () => {
  const { orc, sim } = await network({ latency: "0ms..1ms" });
  const slow = Array.from({ length: 8 }, (_, i) => `leaf${String(2 * i).padStart(2, "0")}.earth`);
  await postJson(`${sim.url}/faults/`, { match: { host: slow.slice(0, 7) }, on: "install_os_version", effect: "delay", by: "10m" });
  await postJson(`${sim.url}/faults/`, { match: { host: slow[7] }, on: "install_os_version", effect: "brick" });
  const first = await open();
  await first.goto(`${orc.url}/`);
  await first.waitForSelector('input[name="filter_sites"][value="earth"]');
  await startUpgrade(first, "5.3.1", { sites: ["earth"] });
  const waits = / it waits for 8 devices, the longest in hand since \d\d:\d\d:\d\d, the last at most until (\d\d:\d\d:\d\d); 8 more devices of their groups wait behind them\.$/;
  const said = async (page) => waits.exec(await (await page.waitForFunction((text) => new RegExp(text).exec(document.getElementById("verdict").textContent)?.[0], waits.source)).jsonValue());
  const [sentence, until] = await said(first);
  assert.equal((await jobOf(first)).counts.changed + (await jobOf(first)).counts.unchanged, 90);
  const { id } = await jobOf(first);
  const later = await open({ viewport: { width: 390, height: 844 } });
  await later.goto(`${orc.url}/#/jobs/${id}`);
  assert.deepEqual([...(await said(later))], [sentence, until]);
  // No group has stopped, but these go on no further.
  for (const page of [first, later]) {
    await page.waitForFunction(() => document.querySelectorAll("#held-up li").length === 6 && [...document.querySelectorAll("#held-up li")].every((line) => line.textContent.includes("at most until")));
    assert.equal(await page.textContent("#why-title"), "What holds it up");
    await page.click("#held-up + button");
    await page.waitForFunction(() => document.getElementById("held-up").textContent.includes("last login"), undefined, { timeout: 20_000 }); // a page that is opened later hears the next one
  }
  const lines = await first.locator("#held-up li").allTextContents();
  assert.equal(lines.length, 8);
  for (const [i, line] of lines.entries()) assert.match(line, new RegExp(`^earth_leaf_\\d+: waits for ${slow[i]}, in hand since \\d\\d:\\d\\d:\\d\\d, at most until \\d\\d:\\d\\d:\\d\\d${i === 7 ? ", last login: connection reset by the device" : ""}; 1 device behind$`));
  assert.deepEqual(await later.locator("#held-up li").allTextContents(), lines);
  await later.screenshot({ path: join(shots, "held-up-phone.png") });
  // While the job is paused the installs go on, until then.
  await later.click('button[data-verb="pause"]');
  for (const page of [first, later])
    await page.waitForFunction((at) => document.getElementById("verdict").textContent.endsWith(` Paused by request; 8 devices in hand come to their end, at most until ${at}.`), until);
  await later.click('button[data-verb="cancel"]');
  assert.equal(await later.textContent("#ask-text"), `8 devices are in hand: an install that was sent comes to its end first, at most until ${until}, for none is broken off; a device without one is put back and skipped. What has not begun is skipped: 8 devices.`);
  assert.deepEqual([...first.troubles, ...later.troubles], []);
});

test("with the keyboard alone", async () => {
  const { orc } = await network({ latency: "20ms..60ms" });
  const page = await open();
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('input[name="filter_sites"][value="earth"]');
  const tabTo = async (selector) => {
    for (let i = 0; i < 120; i++) {
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`no way to ${selector} with Tab`);
  };
  await tabTo('input[name="version"]');
  await page.keyboard.type("5.3.1");
  await tabTo('input[name="filter_sites"][value="earth"]');
  await page.keyboard.press("Space");
  await tabTo("#dry-run");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#go");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Dry run: nothing was touched");
  await tabTo("#go");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "job-title");
  await untilJob(page, "done");

  await page.focus("#find");
  await tabTo("#map");
  await page.waitForFunction(() => /^\S+\.earth: /.test(document.getElementById("map-focus").textContent));
  const first = await page.textContent("#map-focus");
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction((text) => document.getElementById("map-focus").textContent !== text, first);
  // By a page as well; at the last row the key scrolls the page.
  const second = await page.textContent("#map-focus");
  const wasTaken = (key) => page.evaluate((name) => !document.getElementById("map").dispatchEvent(new KeyboardEvent("keydown", { key: name, cancelable: true, bubbles: true })), key);
  assert.equal(await wasTaken("PageDown"), true);
  assert.notEqual(await page.textContent("#map-focus"), second);
  for (let i = 0; await wasTaken("ArrowDown"); i++) assert.ok(i < 200, "the last row is reached");
  assert.equal(await wasTaken("PageDown"), false);
  assert.equal(await wasTaken("PageUp"), true);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#device:not([hidden])");
  assert.equal(await page.evaluate(() => document.activeElement.id), "device-title");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.id), "map");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "find");
});
