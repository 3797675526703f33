// The page: what is heard goes into the model, and what the model says is drawn.
//
//   /events/ -> stream.js -> here -> model.js -> job.js, map.js, chart.js, device.js
//   buttons -> api.js -> the service -> /events/

import { $, about, fill, h, parseDuration, plural, say } from "./dom.js";
import * as access from "./access.js";
import { Problem, eachPage, get, readService, serviceNow } from "./api.js";
import { follow } from "./stream.js";
import { Model } from "./model.js";
import * as chart from "./chart.js";
import * as demo from "./demo.js";
import * as device from "./device.js";
import * as history from "./history.js";
import * as jobPanel from "./job.js";
import * as jobsPanel from "./jobs.js";
import * as map from "./map.js";
import * as nodes from "./nodes.js";
import * as reach from "./reach.js";
import * as startPanel from "./start.js";

const TEXT_MS = 200; // text is for reading: it changes no faster
const PRESS_MS = 1000; // longer than a click

const view = {
  model: null,
  isJob: false, // else the model is the network without a job
  shownSince: 0, // changes with what is shown
  goTo,
  hear,
  open: (host) => {
    map.choose(host);
    device.open(view, host);
  },
  close: () => device.close(),
  notice,
  due,
};

function notice(text) {
  $("notice").hidden = text === null;
  say($("notice"), text ?? "");
}

// --- what is shown

let loading = null; // its AbortController

const hashId = () => /^#\/jobs\/([^/]+)$/.exec(location.hash)?.[1] ?? null;

async function show(id, told) {
  const job = jobsPanel.find(id) ?? (await get(`/jobs/${id}/`));
  jobsPanel.put(job);
  loading?.abort();
  const controller = (loading = new AbortController());
  const model = new Model(job);
  model.heardMs = heardMs;
  model.held = recent.filter(([, data]) => data.job === id);
  begin(model, true);
  try {
    await eachPage(id, (rows, n) => {
      if (model.hosts.length === 0) model.reach(n);
      rows.forEach((row) => model.put(row, n));
      map.show(model.hosts, (name) => model.byName.get(name));
      due();
    }, controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return;
    throw error;
  }
  model.whole();
  if (isUnsettled) settle();
  map.repaint();
  due();
  history.read(model, () => {
    chartOf = null; // it shows devices that were put back
    due();
  });
  if (told !== undefined) foretold(model, told, true);
  else if (job.state !== "done") foretell(model);
}

function begin(model, isJob) {
  chartOf = null;
  view.model = model;
  view.isJob = isJob;
  view.shownSince++;
  map.show(model.hosts, (name) => model.byName.get(name));
  due();
}

function foretold(model, told, isExpected) {
  model.foretell(told.duration === null ? null : parseDuration(told.duration), told.groups, isExpected);
  model.canaries = told.canaries;
  due();
  if (told.duration === null) setTimeout(() => foretell(model), 5000); // once devices have been timed
}

function foretell(model) {
  if (view.model !== model || model.job.state === "done") return;
  jobPanel.foretell(model.job).then((told) => foretold(model, told), () => {});
}

function goTo(job, told) {
  jobsPanel.put(job);
  toTheTop();
  if (hashId() === job.id) return;
  pendingTold = { id: job.id, told };
  location.hash = `#/jobs/${job.id}`;
}

let pendingTold = null;

// To where the job is: it is above, and on a phone far above, of what was clicked.
function toTheTop() {
  $("job").scrollIntoView({ block: "start" });
}

function onHash() {
  const id = hashId();
  if (id === null || (view.isJob && view.model.job.id === id)) return;
  const told = pendingTold?.id === id ? pendingTold.told : undefined;
  show(id, told).then(() => notice(null), (error) => failedToShow(id, error));
}

function failedToShow(id, error) {
  if (!view.isJob) jobPanel.sayVerdict("There is no such job; those that there are stand in the list.");
  notice(error instanceof Problem ? error.message : `the job ${id} cannot be shown: ${error.message}`);
  if (!(error instanceof Problem)) console.error(error);
}

// The network without a job, from the inventory.
async function showNetwork() {
  const { hosts } = await get("/hosts/");
  startPanel.offer(hosts);
  if (view.isJob) return;
  const model = new Model({ id: "", state: "none", counts: { hosts: hosts.length }, request: null });
  for (const { name, site, dev_type, groups, version } of hosts)
    model.put({ name, site, dev_type, groups, state: "waiting", started: null, duration_ms: null, from_version: version,
      to_version: null, error: null, skipped_because: null, in_doubt: false });
  model.whole();
  begin(model, false);
  if (hashId() === null) jobPanel.sayVerdict(`${plural(hosts.length, "device")} in the inventory. No job has been started yet.`);
}

// --- what is heard

// What was said of jobs that are not shown, or not yet: the newest of it.
const RECENT_MAX = 10_000;
let recent = [];
let heardMs = Infinity; // since when nothing was missed

function hear(name, data) {
  if (name === "snapshot") {
    onSnapshot(data);
  } else if (name === "job") {
    jobsPanel.put(data);
    if (view.isJob && view.model.job.id === data.id) view.model.hear(name, data);
    else if (!view.isJob && hashId() === null) goTo(data);
  } else if (view.isJob && data.job === view.model.job.id) {
    if (view.model.hear(name, data) !== null) map.repaint();
  } else if (recent.push([name, data]) > RECENT_MAX) {
    recent = recent.slice(RECENT_MAX / 2);
  }
  due();
}

// The stream begins anew: what was shown may be of another store, or have moved on unheard.
function onSnapshot({ jobs }) {
  recent = [];
  jobs.forEach(jobsPanel.put);
  const id = hashId();
  jobsPanel.load().then(() => {
    due();
    const newest = jobsPanel.all().find((job) => job.state !== "done") ?? jobsPanel.all()[0];
    if (id !== null) return show(id).catch((error) => failedToShow(id, error));
    return newest === undefined ? undefined : goTo(newest);
  }).catch((error) => notice(`the jobs cannot be read: ${error.message}`));
}

// After a restart devices are in doubt, or wait again, and no event says so: those in hand are read
// anew whenever the stream was lost.
let isUnsettled = false;
let settling = null; // its AbortController

async function settle() {
  const { model } = view;
  if (!view.isJob || !model.isWhole) return; // show() does, once it is whole
  isUnsettled = false;
  settling?.abort();
  const { signal } = (settling = new AbortController());
  const rows = [];
  let first = null;
  try {
    await readService();
    await eachPage(model.job.id, (page, n) => {
      first ??= n;
      rows.push(...page);
    }, signal, "&state=in_hand");
  } catch {
    isUnsettled ||= !signal.aborted; // the stream is lost again, and comes back
    return;
  }
  if (view.model !== model) return;
  model.settle(rows, first);
  map.repaint();
  due();
}

function onLive() {
  if ($("link").dataset.is !== "live") heardMs = serviceNow();
  if ($("link").dataset.is === "away") {
    isUnsettled = true;
    if (view.model !== null) view.model.heardMs = heardMs;
  }
  $("link").dataset.is = "live";
  say($("link"), "live");
  const lostMs = reach.back(view.isJob && view.model.job.state === "running");
  if (lostMs !== null) view.model?.heardOf(lostMs);
  due();
  if (isUnsettled) settle();
}

function onAway(why, ms, silentMs) {
  reach.away(serviceNow() - silentMs, () => {
    everySecond();
    due();
  }, nodes.elsewhere);
  $("link").dataset.is = "away";
  say($("link"), `not connected: ${why}; trying again in ${about(ms)}`);
}

// --- drawing

let isDue = false;
let drawnAt = 0;

// Text is drawn once something has changed, and no more often than it can be read. Nothing runs
// while nothing happens.
function due() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => requestAnimationFrame(draw), Math.max(0, drawnAt + TEXT_MS - performance.now()));
}

// A button that is drawn anew between press and release is never clicked.
let pressedAt = -Infinity;

function startPress() {
  addEventListener("pointerdown", () => (pressedAt = performance.now()), true);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (pressedAt = -Infinity), true);
}

function draw(at) {
  isDue = false;
  if (at - pressedAt < PRESS_MS) {
    due();
    return;
  }
  drawnAt = at;
  const now = reach.knownNow();
  if (view.isJob) {
    // Counts of the list are as old as its last event.
    const { job, total, counts, isWhole } = view.model;
    for (const of of [job, jobsPanel.find(job.id)]) Object.assign(of?.counts ?? {}, { hosts: total, ...(isWhole ? counts : {}) });
  }
  jobsPanel.draw(view.isJob ? view.model.job.id : null);
  if (view.isJob) {
    jobPanel.draw(view, now);
  } else if (view.model !== null) {
    jobPanel.drawNone(view);
  }
  drawOther();
  device.draw(view, now);
  nodes.draw();
}

// Beside a job that is over: another that is not. Whoever started it may not know of this page.
let otherOf = "";

function drawOther() {
  const isOver = view.isJob && view.model.job.state === "done";
  const other = isOver ? jobsPanel.all().find(({ state }) => state !== "done") : undefined;
  const is = other === undefined ? "" : `${other.id} ${other.state}`;
  if (is === otherOf) return;
  otherOf = is;
  $("other").hidden = is === "";
  fill($("other"), is === "" ? [] : [`Another job is ${other.state}: `, h("a", { href: `#/jobs/${other.id}` }, jobPanel.titleOf(other)), "."]);
}

let chartOf = null;

// Whether there was anything new.
function drawChart() {
  if (!view.isJob || !view.model.isWhole) {
    $("chart-figure").hidden = true;
    return false;
  }
  if (view.model.version === chartOf && view.model.job.state === "done") return false;
  chart.draw(view.model, reach.knownNow());
  chartOf = view.model.job.state === "done" ? view.model.version : null;
  return true;
}

function everySecond() {
  if (drawChart()) due();
  if (device.name() !== null) due();
}

async function refreshJobs() {
  if (jobsPanel.all().some((job) => job.state !== "done" && job.id !== view.model?.job.id)) await jobsPanel.load().catch(() => {});
}

// --- the start

function readTheme(theme) {
  document.documentElement.dataset.theme = theme;
  say($("theme"), theme === "dark" ? "Light" : "Dark");
  map.readTheme();
  fill($("legend"), map.legend());
  chartOf = null;
  drawChart();
}

function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let own = null;
  try {
    own = localStorage.getItem("theme");
  } catch {
    // a browser that keeps nothing
  }
  readTheme(own ?? (system.matches ? "dark" : "light"));
  system.addEventListener("change", () => own ?? readTheme(system.matches ? "dark" : "light"));
  $("theme").addEventListener("click", () => {
    own = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", own);
    } catch {
      // it lasts as long as the page
    }
    readTheme(own);
  });
  // Paper is light. What is drawn for it comes behind this.
  let shown = null;
  addEventListener("beforeprint", () => {
    shown = document.documentElement.dataset.theme;
    readTheme("light");
  });
  addEventListener("afterprint", () => readTheme(shown));
}

function startFind() {
  const names = h("datalist", { id: "found" });
  $("find").after(names);
  const matches = (text) => view.model?.hosts.filter((host) => host.name.includes(text)) ?? [];
  $("find").addEventListener("input", () => {
    const text = $("find").value.trim();
    const found = text === "" ? [] : matches(text);
    fill(names, found.slice(0, 20).map((host) => h("option", { value: host.name })));
    say($("find-text"), text === "" ? "" : found.length === 0 ? `no such device${view.isJob ? " in this job" : ""}` : plural(found.length, "device"));
    map.mark(found.slice(0, 5000).map((host) => host.name));
    if (found.length > 0) map.choose(found[0]);
  });
  $("find").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const found = matches($("find").value.trim());
    if (found.length > 0) view.open(found.find((host) => host.name === $("find").value.trim()) ?? found[0]);
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    $("find").focus();
  });
}

access.start();
startPress();
startTheme();
map.start(view.open);
jobPanel.start(view);
jobsPanel.start(due, notice);
device.start(view, demo.extras, demo.faultsOf);
demo.start();
nodes.start(map.mark);
startFind();
startPanel.start(view).then(showNetwork).catch((error) => notice(`the network cannot be read: ${error.message}`));
addEventListener("hashchange", onHash);
$("jobs-list").addEventListener("click", toTheTop);
let afterPrint = null;
addEventListener("beforeprint", () => (afterPrint = view.model === null ? null : jobPanel.beforePrint(view)));
addEventListener("afterprint", () => afterPrint?.());
const drop = follow("/events/", { event: hear, live: onLive, away: onAway });
setInterval(everySecond, 1000);
setInterval(refreshJobs, 5000);
due();

// For tests, and for whoever is curious in the console.
globalThis.page = { view, drop, place: map.place };
