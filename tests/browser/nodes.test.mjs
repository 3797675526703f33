// Several orchestrators share the network, and one of them is killed.
import { after, afterEach, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { cluster, endAll, endTest, findings, json, network, open, postJson, shots, startUpgrade } from "./harness.mjs";

afterEach(endTest);
after(endAll);

test("one node alone has no card, and is asked once", async () => {
  const { orc } = await network();
  const page = await open();
  await page.clock.install();
  const asked = [];
  page.on("request", (request) => request.url().endsWith("/nodes/") && asked.push(request.url()));
  await page.goto(`${orc.url}/`);
  await page.waitForSelector('#link[data-is="live"]');
  await page.clock.runFor(10_000);
  assert.equal(asked.length, 1);
  assert.equal(await page.isVisible("#nodes"), false);
  assert.deepEqual(page.troubles, []);
});

test("three nodes: a card at each, and where the job goes on when one is gone", async () => {
  const { sim, nodes } = await cluster();
  const shared = async () => (await json(`${nodes[0].url}/nodes/`)).nodes.filter(({ shards }) => shards >= 340).length === 3;
  while (!(await shared())) await new Promise((resolve) => setTimeout(resolve, 200));
  await postJson(`${sim.url}/faults/`, { match: { host: "leaf00.earth" }, on: "install_os_version", effect: "delay", by: "20s" });
  const pages = [];
  for (const i of [0, 1]) {
    pages.push(await open());
    await pages[i].goto(`${nodes[i].url}/`);
    await pages[i].waitForFunction(() => document.querySelectorAll("#nodes-list li").length === 3);
  }
  const [first, second] = pages;
  const places = (await json(`${nodes[0].url}/nodes/`)).nodes.map(({ place }) => place);
  assert.deepEqual(await first.locator("#nodes-list strong").allTextContents(), places);
  for (const [i, page] of pages.entries())
    assert.equal(await page.textContent('#nodes-list li[data-is="this"] strong'), (await json(`${nodes[i].url}/nodes/`)).nodes.find((node) => node.this).place);
  const marks = first.locator("#nodes-list button");
  await marks.nth(1).click();
  await first.waitForFunction(() => /^\d+ devices marked on the map$/.test(document.getElementById("nodes-marked").textContent));
  const { hosts } = await json(`${nodes[0].url}/hosts/`);
  const { ranges } = (await json(`${nodes[0].url}/nodes/`)).nodes[1];
  const has = hosts.filter(({ shard }) => ranges.some(([a, b]) => shard >= a && shard <= b)).length;
  assert.equal(await first.textContent("#nodes-marked"), `${has} devices marked on the map`);
  assert.equal(await marks.nth(1).getAttribute("aria-pressed"), "true");
  await first.screenshot({ path: join(shots, "nodes-marked.png") });
  await marks.nth(1).click();
  assert.equal(await first.textContent("#nodes-marked"), "");
  await startUpgrade(first, "5.3.1", { sites: ["earth"] });
  await second.waitForFunction(() => globalThis.page.view.isJob);
  await nodes[0].end("SIGKILL");
  await first.waitForSelector('#reach[data-is="away"]');
  const text = await first.textContent("#reach");
  assert.match(text, / Its jobs go on at the 2 other nodes: process \d+ on .*, process \d+ on .*\. The page of each shows them\.$/);
  await first.waitForFunction(() => document.querySelector('#nodes-list li[data-is="this"] .chip').textContent === "not reached");
  // It is told for a minute, and axe may take longer on a busy machine.
  await second.waitForSelector('#nodes-list li[data-is="gone"]');
  assert.match(await second.textContent('#nodes-list li[data-is="gone"] .part'), /^gone since \d\d:\d\d:\d\d; /);
  for (const theme of ["light", "dark"]) {
    for (const page of pages) {
      await page.evaluate((wanted) => document.documentElement.dataset.theme === wanted || document.getElementById("theme").click(), theme);
      assert.deepEqual(await findings(page), []);
    }
  }
  await second.setViewportSize({ width: 390, height: 844 });
  assert.ok(await second.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than a phone");
  assert.deepEqual(await findings(second), []);
  await second.locator("#nodes").screenshot({ path: join(shots, "nodes-390.png") });
  await second.waitForFunction(() => globalThis.page.view.model.job.state === "done");
  for (const page of pages) assert.deepEqual(page.troubles, []);
});
