// The simulator's side, with --simulator: faults by a click, the referee's verdict, the speed.

import { $, about, clock, duration, fill, h, listOf, plural, say } from "./dom.js";
import { confirm } from "./job.js";
import { get, post, remove, simulator } from "./api.js";

export const isThere = simulator !== "";

// What a device can be made to do, as rules of /faults/.
const ways = [
  ["install fails: no space left on device", { on: "install_os_version", effect: "error", message: "no space left on device" }],
  ["install bricks it", { on: "install_os_version", effect: "brick" }],
  ["install reboots it for 10 s", { on: "install_os_version", effect: "reboot", downtime: "10s" }],
  ["install takes 20 s longer", { on: "install_os_version", effect: "delay", by: "20s" }],
  ["install is never answered", { on: "install_os_version", effect: "no_reply" }],
  ["it runs another version afterwards", { on: "get_version", effect: "wrong_version", after: 1 }],
  ["login is refused", { on: "login", effect: "refuse" }],
  ["connection is reset", { on: "any", effect: "reset" }],
  ["connection is closed", { on: "any", effect: "close" }],
  ["half an answer", { on: "get_version", effect: "truncate" }],
  ["no JSON", { on: "get_version", effect: "garbage" }],
  ["an endless line", { on: "get_version", effect: "oversize" }],
  ["answer to another call", { on: "get_version", effect: "wrong_id" }],
  ["answers at 10 bytes a second", { on: "get_version", effect: "slow", bytes_per_second: 10 }],
];

const everything = [
  { match: {}, on: "install_os_version", effect: "error", message: "no space left on device", probability: 0.03 },
  { match: {}, on: "install_os_version", effect: "brick", probability: 0.01 },
  { match: {}, on: "install_os_version", effect: "reboot", downtime: "5s", probability: 0.02 },
  { match: {}, on: "get_version", effect: "garbage", probability: 0.005 },
  { match: {}, on: "login", effect: "refuse", probability: 0.01 },
  { match: {}, on: "any", effect: "reset", probability: 0.005 },
];

const at = (path) => `${simulator}${path}`;
let wayOf = 0;
let rules = []; // in force

async function attempt(work) {
  try {
    await work();
    say($("demo-wrong"), "");
  } catch (error) {
    say($("demo-wrong"), error.status === 0 ? `the simulator at ${simulator} does not answer` : error.message);
  }
  await look();
}

// For the panel of a device.
export function extras(view, host) {
  if (!isThere) return null;
  const inForce = faultsOf(host);
  const select = h("select", { "aria-label": "How it is to fail" }, ways.map(([text], i) => h("option", { value: i, selected: i === wayOf }, text)));
  const make = h("button", { type: "button", class: "danger", id: "make-fail" }, "Make it fail");
  select.addEventListener("change", () => (wayOf = Number(select.value)));
  make.addEventListener("click", () => attempt(() => post(at("/faults/"), { match: { host: host.name }, ...ways[wayOf][1] })));
  return [h("h3", {}, "Make it fail"), h("div", { class: "controls" }, select, make),
    inForce.length === 0 ? null : h("p", { id: "faults-of" }, `From now on: ${inForce.join("; ")}`)];
}

// The faults that were made for this device, in words.
export function faultsOf(host) {
  return rules.filter(({ match }) => match.host === host.name).map((rule) =>
    ways.find(([, way]) => Object.entries(way).every(([name, value]) => rule[name] === value))?.[0] ?? `${rule.on}: ${rule.effect}`);
}

// --- the referee's verdict, in words

const HOSTS_MAX = 6; // that a sentence names
let startedMs = null; // the simulator: its times count from there

async function readStart() {
  const text = await (await fetch(at("/metrics/"))).text();
  startedMs = Number(/^process_start_time_seconds ([0-9.e+]+)$/m.exec(text)?.[1] ?? NaN) * 1000;
}

const named = (hosts) => listOf(hosts, HOSTS_MAX);

const sentences = {
  group_overlap: ({ group, hosts }) => `${named(hosts)}, of the redundancy group ${group}, were being installed at the same time`,
  throttle: ({ group, hosts }) => `${named(hosts)}, under the throttle ${group}, were being installed at the same time`,
  peer_down: ({ group, hosts }) => `an install began on ${hosts.at(-1)}${hosts.length < 2 ? "" : ` while ${named(hosts.slice(0, -1))} ${hosts.length === 2 ? "was" : "were"} not up`}, of the redundancy group ${group}`,
  double_drive: ({ hosts }) => `two connections were logged in to ${named(hosts)} at the same time`,
  needless_install: ({ hosts }) => `${named(hosts)} was sent an install of the version that it ran already`,
  stale_epoch: ({ group, hosts }) => `${named(hosts)} was sent an install by an orchestrator that had been replaced in the redundancy group ${group}`,
};

function sentenceOf(violation) {
  const { kind, started_ms, ended_ms } = violation;
  const what = sentences[kind]?.(violation) ?? `${kind}: ${named(violation.hosts)}`;
  const when = Number.isNaN(startedMs) ? `${about(started_ms)} after the simulator's start` : `at ${clock(startedMs + started_ms)}`;
  return `${what}. That was ${when}${ended_ms === null ? ", and goes on" : `, for ${duration(ended_ms - started_ms)}`}.`;
}

async function sayVerdict(violations) {
  const bad = violations.length;
  if (bad > 0 && startedMs === null) await readStart();
  $("referee").dataset.is = bad === 0 ? "silent" : "speaks";
  say($("referee"), bad === 0 ? "The referee has seen no violation" : `The referee has seen ${plural(bad, "violation")}; the page says above which`);
  $("violation").hidden = bad === 0;
  say($("violation"), bad === 0 ? "" : `The referee of the simulated network has seen ${plural(bad, "violation")}${bad === 1 ? "" : "; the first"}: ${sentenceOf(violations[0])}`);
}

async function look() {
  try {
    const [audit, faults, speed] = await Promise.all([get(at("/audit/?violations")), get(at("/faults/")), get(at("/time-scale/"))]);
    await sayVerdict(audit.violations);
    rules = faults.faults;
    say($("faults"), faults.faults.length === 0 ? "No fault is in force" : `${plural(faults.faults.length, "fault")} in force, hit ${plural(faults.faults.reduce((n, fault) => n + fault.fired, 0), "call")}`);
    $("faults-none").disabled = faults.faults.length === 0;
    if (document.activeElement !== $("speed")) $("speed").value = String(speed.time_scale === 0 ? 2 : Math.round(Math.log10(1 / speed.time_scale) * 10) / 10);
    say($("speed-text"), speedText(1 / speed.time_scale));
  } catch (error) {
    $("referee").dataset.is = "";
    say($("referee"), error.status === 0 ? `The simulator at ${simulator} does not answer` : error.message);
  }
}

const speedText = (factor) => factor === Infinity ? "without any latency" : `${factor >= 10 ? Math.round(factor) : Number(factor.toFixed(1))} × real`;

async function reset() {
  if (await confirm("Reset the devices?", "Each runs its first version again, none is down, no fault is in force, and the referee begins anew. Connections are cut: a job that runs will see it.", "Reset them", null))
    attempt(() => post(at("/reset/")));
}

export function start() {
  if (!isThere) return;
  $("demo").hidden = false;
  const speed = h("input", { type: "range", id: "speed", min: -1, max: 2, step: 0.1, value: 0 });
  speed.addEventListener("input", () => say($("speed-text"), speedText(10 ** Number(speed.value))));
  speed.addEventListener("change", () => attempt(() => post(at("/time-scale/"), { time_scale: 10 ** -Number(speed.value) })));
  fill($("demo-body"),
    h("p", { id: "referee", class: "referee", role: "status" }, "asking the referee"),
    h("p", { class: "quiet" }, "Click a device on the map to make it fail."),
    h("label", {}, "Speed ", speed, h("span", { id: "speed-text", class: "quiet" })),
    h("p", { id: "faults", class: "quiet" }),
    h("div", { class: "controls" },
      h("button", { type: "button", class: "danger", id: "everything", onclick: () => attempt(() => post(at("/faults/"), everything)) }, "Let everything go wrong"),
      h("button", { type: "button", id: "faults-none", onclick: () => attempt(() => remove(at("/faults/"))) }, "Remove the faults"),
      h("button", { type: "button", id: "reset", onclick: reset }, "Reset the devices")),
    h("p", { class: "quiet" }, "Everything: of all installs some fail, some brick their device, some restart it; some logins, answers and connections go wrong. A bricked device stays down until the devices are reset."),
    h("p", { id: "demo-wrong", class: "wrong", role: "status" }));
  look();
  setInterval(look, 2000);
}
