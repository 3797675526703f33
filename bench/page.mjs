// What the page costs a browser: headless Chromium, no GPU. make bench-page
import { endAll, json, network, open, startUpgrade, untilJob } from "../tests/browser/harness.mjs";

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
const ms = (value) => `${value.toFixed(1)} ms`;

// Frames while something happens in each of them: how long the work took, and how far they are apart.
const frames = (page, count, kind) => page.evaluate(async ([frameCount, what]) => {
  const { view } = globalThis.page;
  const states = ["waiting", "in_hand", "changed", "unchanged", "failed", "skipped"];
  const area = document.getElementById("map");
  const apart = [];
  let painted = 0;
  area.addEventListener("painted", () => painted++);
  let last = null;
  await new Promise((done) => {
    let left = frameCount;
    const step = (at) => {
      if (last !== null) apart.push(at - last);
      last = at;
      if (left-- === 0) {
        done();
        return;
      }
      if (what === "repaint") {
        for (const host of view.model.hosts)
          view.hear("host", { ...host, state: states[(host.index + left) % states.length], kind: "outcome", attempt: 1, at: new Date().toISOString(), job: view.model.job.id, n: 0, error: "no space left on device", skipped_because: "shutting down" });
      } else {
        area.scrollTop = (area.scrollTop + 211) % (area.scrollHeight - area.clientHeight);
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  return { apart, painted };
}, [count, kind]);

const say = (name, { apart, painted }) => {
  const mean = apart.reduce((sum, value) => sum + value, 0) / apart.length;
  console.log(`${name}: ${(1000 / mean).toFixed(1)} frames a second; apart ${ms(quantile(apart, 0.5))} at the median, ${ms(quantile(apart, 0.99))} at the 99th percentile, ${ms(Math.max(...apart))} at most; painted ${painted} times`);
};

async function paints(url) {
  const page = await open();
  await page.goto(url);
  await page.waitForFunction(() => globalThis.page?.view.model?.hosts.length > 0);
  const told = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    whole: performance.now(),
    bytes: performance.getEntriesByType("resource").filter(({ name }) => name.includes("/web/")).reduce((sum, { encodedBodySize }) => sum + encodedBodySize,
      performance.getEntriesByType("navigation")[0].encodedBodySize),
  }));
  return { page, told };
}

try {
  const small = await network();
  const first = [];
  for (let i = 0; i < 5; i++) {
    const { page, told } = await paints(`${small.orc.url}/`);
    first.push(told);
    await page.context().close();
  }
  console.log(`848 devices: first paint ${ms(quantile(first.map(({ paint }) => paint), 0.5))} (median of 5), the map is there after ${ms(quantile(first.map(({ whole }) => whole), 0.5))}, the page is ${first[0].bytes} bytes in all`);
  const { page } = await paints(`${small.orc.url}/`);
  await startUpgrade(page, "5.3.1");
  await untilJob(page, "done");
  say("848 tiles that all change in each frame", await frames(page, 300, "repaint"));
  await endAll();

  const large = await network({ latency: "0", simulator: ["--network", process.argv[2]] });
  const begun = performance.now();
  const { page: wide } = await paints(`${large.orc.url}/`);
  console.log(`${await wide.evaluate(() => globalThis.page.view.model.hosts.length)} devices: the map is there after ${ms(performance.now() - begun)}`);
  say("100,000 devices that are scrolled in each frame", await frames(wide, 300, "scroll"));
  const answer = await json(`${large.orc.url}/upgrade-os/`, { method: "POST", headers: { "Content-Type": "application/json", Prefer: "respond-async" }, body: '{"version": "5.3.1"}' });
  await wide.waitForFunction((id) => globalThis.page.view.isJob && globalThis.page.view.model.job.id === id && globalThis.page.view.model.isWhole && globalThis.page.view.model.done > 1000, answer.id, { timeout: 120_000 });
  say("... while they are upgraded", await frames(wide, 300, "scroll"));
} finally {
  await endAll();
}
