// The page in the midst of an upgrade, for the README: make screenshot
import { endAll, network, open, postJson, startUpgrade } from "./harness.mjs";

const { orc, sim } = await network({ latency: "10ms..2s", simulator: ["--time-scale", "0.2"], withDemo: true });
try {
  await postJson(`${sim.url}/faults/`, [
    { match: { host: ["leaf63.earth", "leaf81.earth", "leaf92.earth", "spine00.mars"] }, on: "install_os_version", effect: "error", message: "no space left on device" },
    { match: { host: ["leaf06.venus"] }, on: "install_os_version", effect: "brick" },
  ]);
  const page = await open({ viewport: { width: 1440, height: 1000 } });
  await page.goto(`${orc.url}/`);
  await page.waitForFunction(() => globalThis.page.view.model?.hosts.length === 848);
  await startUpgrade(page, "5.3.1");
  await page.waitForFunction(() => globalThis.page.view.model.done > 420);
  await page.waitForFunction(() => document.querySelectorAll("#stopped li").length > 1 && document.querySelector("#held-up li") !== null && / left, without /.test(document.getElementById("verdict").textContent));
  await page.screenshot({ path: process.argv[2] });
} finally {
  await endAll();
}
