// The job that is shown: how it is, and what can be done about it.

import { $, clock, count, dayAndZone, duration, fill, h, link, plural, say, stateOf, stateWords } from "./dom.js";
import { Problem, post, service, serviceNow } from "./api.js";
import { lookOf, states } from "./model.js";
import { isAway } from "./reach.js";
import * as history from "./history.js";
import { outlookOf, rateOf } from "./outlook.js";
import { cancelOf, doubtOf, linkOf, longestOf, retryOf, verdictOf } from "./sentence.js";
import * as why from "./why.js";

const PAGE = 100; // rows of the table of devices
const PAPER_NAMES = 10_000; // on paper

export function titleOf(job) {
  const sites = job.request?.filter_sites ?? job.request?.filter_dev_sites;
  const types = job.request?.filter_dev_types;
  const named = job.request?.filter_hosts;
  const only = [sites?.join(", "), types?.join(", "), named && (named.length === 1 ? named[0] : `${count(named.length)} by name`)].filter((text) => text).join(" · ");
  const what = job.task === "upgrade_os" && job.version !== null ? `Upgrade to ${job.version}` : (job.task ?? "Job").replaceAll("_", " ");
  return only === "" ? what : `${what} · ${only}`;
}

export const wordOf = (job) => (job.state === "done" ? job.outcome : job.state);

// What was asked for, beside the version.
function requestOf(job) {
  const { version, expect_hosts, ...rest } = job.request ?? {};
  const parts = Object.entries(rest).map(([name, value]) => {
    const text = Array.isArray(value) ? (value.length > 6 ? `${value.slice(0, 6).join(", ")} and ${value.length - 6} more` : value.join(", ")) : String(value);
    return `${name.replaceAll("_", " ")} ${text}`;
  });
  return parts.length === 0 ? "" : `Asked for: ${parts.join("; ")}`;
}

function sayOrHide(element, text) {
  element.hidden = text === "";
  say(element, text);
}

// The sentence. What it says of groups that stopped leads to them; it is one button for good, so that no click is lost.
export function sayVerdict(text, link = "") {
  const [before, button, behind] = $("verdict").children;
  const at = link === "" ? -1 : text.indexOf(link);
  say(before, at < 0 ? text : text.slice(0, at));
  if (at < 0 && document.activeElement === button) $("job-title").focus({ preventScroll: true });
  button.hidden = at < 0;
  say(button, at < 0 ? "" : link);
  say(behind, at < 0 ? "" : text.slice(at + link.length));
}

// --- bars

const bars = {};

function makeBars() {
  for (const name of ["completed", "changed", "failed", "skipped"]) {
    const meter = h("progress", { max: 1, value: 0, "aria-label": name });
    const text = h("span");
    $("bars").append(h("div", { class: `bar ${name}` }, h("span", {}, name), meter, text));
    bars[name] = { meter, text };
  }
}

function drawBars(model, now) {
  const { counts, total } = model;
  const values = { completed: counts.changed + counts.unchanged, changed: counts.changed, failed: counts.failed, skipped: counts.skipped };
  const goesOn = model.job.state === "running" && !isAway() && outlookOf(model, now).is !== "last";
  const rate = goesOn ? rateOf(model, now) : null;
  for (const [name, value] of Object.entries(values)) {
    const { meter, text } = bars[name];
    meter.max = Math.max(1, total);
    meter.value = value;
    const percent = value === total ? 100 : Math.min(99, Math.round((value * 100) / total)); // 100 is all
    const share = total === 0 ? "" : ` · ${value > 0 && percent === 0 ? "<1" : percent} %`;
    say(text, `${count(value)}${share}${name === "completed" && rate !== null ? ` · ${rate.toFixed(rate < 10 ? 1 : 0)}/s` : ""}`);
  }
}

// --- controls

let asked = () => null; // what the open question says by now
let isMoot = () => false; // whether it need not be answered any more

// Asks before something that cannot be taken back. text: or a function that gives it, as it is by now.
// word: what must be typed; null: a click will do. isOver: whether there is nothing left to do; then it closes.
export function confirm(title, text, action, word, keep = "No, go back", isOver = () => false) {
  const dialog = $("ask");
  isMoot = isOver;
  asked = typeof text === "function" ? text : () => text;
  return new Promise((resolve) => {
    const typed = h("input", { autocomplete: "off", spellcheck: "false" });
    const yes = h("button", { class: "danger", value: "yes", type: "submit", disabled: word !== null }, action);
    typed.addEventListener("input", () => (yes.disabled = typed.value.trim() !== word));
    fill(dialog, h("form", { method: "dialog" },
      h("h2", { id: "ask-title" }, title),
      h("p", { id: "ask-text" }, asked()),
      word === null ? null : h("label", {}, `Type ${word} to ${action[0].toLowerCase()}${action.slice(1)}`, typed),
      h("div", { class: "controls" }, h("button", { value: "no", type: "button", onclick: () => dialog.close("no") }, keep), yes)));
    dialog.returnValue = "no";
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.showModal();
  });
}

async function control(view, verb, button) {
  const { job, counts } = view.model;
  if (verb === "cancel") {
    const { model } = view;
    if (!(await confirm(`Cancel ${titleOf(job)}?`, () => cancelOf(model, service, serviceNow()), "Cancel the job", counts.in_hand > 0 ? "cancel" : null, "Do not cancel", () => model.job.state === "done"))) return;
  }
  if (verb === "retry") {
    const again = counts.failed + counts.skipped;
    let told = null;
    foretellRetry(view.model).then((answer) => {
      told = answer;
      view.due();
    }, () => {}); // the retry itself says what is wrong
    if (!(await confirm(`Retry ${plural(again, "device")}?`, () => retryOf(counts, titleOf({ ...job, request: {} }), told), "Retry them", null))) return;
  }
  // The button keeps the focus while it waits; it may have been drawn anew under the question.
  const pressed = button.isConnected ? button : ($("controls").querySelector(`[data-verb="${verb}"]`) ?? $("job-title"));
  pressed.focus({ preventScroll: true });
  button.setAttribute("aria-disabled", "true");
  try {
    const answer = await post(`/jobs/${job.id}/${verb}/`);
    if (verb === "retry") {
      view.goTo(answer);
      $("job-title").focus({ preventScroll: true });
    } else view.hear("job", answer);
    view.notice(null);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    view.notice(`${verb}: ${error.message}`);
  } finally {
    drawControls(view, true);
  }
}

let controlsOf = "";

function drawControls(view, anew = false) {
  const { job, counts } = view.model;
  const canRetry = job.state === "done" && counts.failed + counts.skipped > 0;
  const is = `${job.id} ${job.state} ${canRetry} ${isAway()}`;
  if (is === controlsOf && !anew) return;
  controlsOf = is;
  const button = (verb, text, attributes = {}) => {
    const made = h("button", { type: "button", "data-verb": verb, "aria-disabled": isAway() ? "true" : null, "aria-describedby": isAway() ? "controls-why" : null, ...attributes }, text);
    made.addEventListener("click", () => {
      if (made.getAttribute("aria-disabled") === null) control(view, verb, made);
    });
    return made;
  };
  const focused = $("controls").contains(document.activeElement) ? document.activeElement.dataset.verb ?? "" : null;
  fill($("controls"),
    job.state === "running" || job.state === "waiting" ? button("pause", "Pause", { title: "Nothing new starts; installs that were sent come to their end" }) : null,
    job.state === "paused" ? button("resume", "Resume", { class: "primary" }) : null,
    ["running", "waiting", "paused"].includes(job.state) ? button("cancel", "Cancel", { class: "danger" }) : null,
    canRetry ? button("retry", "Retry failed and skipped") : null,
    job.state === "done" ? h("a", { href: `/jobs/${job.id}/report/` }, "Report (JSON)") : null,
    isAway() ? h("span", { class: "quiet", id: "controls-why" }, "The service is not reached.") : null);
  if (focused !== null) ($("controls").querySelector(`[data-verb="${focused}"]`) ?? $("controls").querySelector("button, a") ?? $("job-title")).focus({ preventScroll: true });
}

// --- the table of devices

let tableMax = PAGE;
let tableOf = "";
let isOnPaper = false; // there a device that completed has no row

const isCompleted = ({ state }) => state === "changed" || state === "unchanged";

function drawTable(view) {
  const { model } = view;
  const state = $("devices-state").value;
  const is = `${view.shownSince} ${model.version} ${state} ${tableMax} ${isOnPaper}`;
  if (is === tableOf) return;
  tableOf = is;
  const rows = [];
  let matching = 0;
  for (const host of model.hosts) {
    if (isOnPaper && isCompleted(host)) continue;
    if (state !== "" && (state === "in_doubt" ? lookOf(host) : host.state) !== state) continue;
    matching++;
    if (rows.length < tableMax) rows.push(host);
  }
  const body = $("devices").tBodies[0];
  const focused = document.activeElement?.closest?.("#devices") ? document.activeElement.textContent : null;
  fill(body, rows.map((host) => h("tr", { role: "row" },
    h("th", { scope: "row", role: "rowheader" }, link(host.name, () => view.open(host), "plain mono")),
    h("td", { role: "cell" }, view.isJob ? stateOf(lookOf(host)) : null),
    h("td", { role: "cell" }, host.groups.join(", ")),
    h("td", { class: "mono", role: "cell" }, host.to_version ?? host.from_version ?? ""),
    h("td", { role: "cell" }, duration(host.duration_ms)),
    h("td", { class: "mono", role: "cell" }, host.error ?? (host.skipped_because === null ? "" : `because of: ${host.skipped_because}`)))));
  if (focused !== null) [...body.querySelectorAll("button")].find((button) => button.textContent === focused)?.focus({ preventScroll: true });
  say($("devices-count"), isOnPaper ? `${plural(matching, "device")} of ${count(model.hosts.length)} did not complete` : matching === rows.length ? plural(matching, "device") : `the first ${count(rows.length)} of ${plural(matching, "device")}`);
  $("devices-more").hidden = matching === rows.length;
}

// --- all of it

const READ_MS = 1000;
let readAt = 0;
let readOf = 0; // what was shown then
let readLater = 0; // a timer

export function draw(view, now) {
  const { model } = view;
  const { job } = model;
  say($("job-title"), titleOf(job));
  const chip = $("job-state");
  chip.hidden = false;
  const isOld = isAway() && job.state !== "done";
  chip.dataset.is = isOld ? "away" : wordOf(job);
  say(chip, isOld ? `${wordOf(job)} at ${clock(now)}` : wordOf(job));
  if (job.state !== "done") history.readInstalls(model, view.due);
  sayVerdict(verdictOf(model, now, service, isAway()), linkOf(model));
  sayOrHide($("doubt"), doubtOf(model, now, service));
  sayOrHide($("longest"), longestOf(model, now));
  sayOrHide($("request"), requestOf(job));
  $("bars").hidden = false;
  drawBars(model, now);
  drawControls(view);
  if ($("ask").open && isMoot()) $("ask").close("no");
  if ($("ask").open) say($("ask-text"), asked());
  // What is for reading does not race.
  const sinceRead = performance.now() - readAt; // by a clock that goes on while the service is not reached
  if (sinceRead >= READ_MS || view.shownSince !== readOf) {
    readAt = performance.now();
    readOf = view.shownSince;
    why.draw(view);
    drawTable(view);
  } else {
    clearTimeout(readLater);
    readLater = setTimeout(view.due, READ_MS - sinceRead);
  }
  document.title = `${isAway() ? "not reached · " : ""}${count(model.counts.changed + model.counts.unchanged)}/${count(model.total)} completed · ${titleOf(job)}`;
}

// The names of those that completed: a row each would take dozens of sheets.
function drawPaper({ model, isJob }) {
  const names = model.hosts.filter(isCompleted).map(({ name }) => name);
  say($("paper"), isJob ? `Job ${model.job.id}, as it was on ${dayAndZone(serviceNow())}` : "");
  say($("paper-completed"), names.length === 0 ? "" : `Completed, ${count(names.length)}${names.length > PAPER_NAMES ? "" : `: ${names.join(", ")}`}`);
}

// On paper all is there, whatever was chosen or folded.
export function beforePrint(view) {
  const state = $("devices-state").value;
  why.onPaper(view, true);
  drawPaper(view);
  isOnPaper = view.isJob;
  const max = tableMax;
  $("devices-state").value = "";
  tableMax = Infinity;
  drawTable(view);
  return () => {
    $("devices-state").value = state;
    tableMax = max;
    why.onPaper(view, false);
    isOnPaper = false;
    drawTable(view);
  };
}

// Without a job: the network as it is.
export function drawNone(view) {
  fill($("controls"));
  $("job-state").hidden = true;
  $("bars").hidden = true;
  $("why").hidden = true;
  $("doubt").hidden = $("longest").hidden = $("request").hidden = true;
  drawTable(view);
}

export function start(view) {
  makeBars();
  $("verdict").children[1].addEventListener("click", () => why.show(view));
  fill($("devices-state"), h("option", { value: "" }, "any"), states.concat("in_doubt").map((state) => h("option", { value: state }, stateWords[state])));
  const redraw = () => drawTable(view);
  $("devices-state").addEventListener("change", () => {
    tableMax = PAGE;
    redraw();
  });
  $("devices-more").addEventListener("click", () => {
    tableMax += 5 * PAGE;
    redraw();
  });
}

// Its devices may run a newer version by now.
async function foretellRetry({ job, hosts }) {
  const names = hosts.filter(({ state }) => state === "failed" || state === "skipped").map(({ name }) => name);
  return post(`/${job.task.replaceAll("_", "-")}/`, { version: job.version ?? undefined, filter_hosts: names, dry_run: true });
}

// How long it was foretold to take, of a job that others have started.
export async function foretell(job) {
  const { expect_hosts, ...request } = job.request ?? {};
  return post(`/${job.task.replaceAll("_", "-")}/`, { ...request, dry_run: true });
}
