// What went wrong: kinds of errors, and beside them the redundancy groups that stopped or that a device holds up. Of each
// the first few, so that all is seen at once, and more when they are asked for.

import { $, count, fill, h, link, listOf, plural, say } from "./dom.js";
import { service } from "./api.js";
import { lookOf } from "./model.js";
import { holdsOf } from "./outlook.js";
import { knownNow } from "./reach.js";
import { loneOf, sinceOf } from "./sentence.js";

const KINDS = 3; // of errors, and of other reasons
const GROUPS = 6;
const ROWS_MAX = 1000; // of a list that is unfolded
const NAMES = 30; // devices of a kind
const SHORT = 3; // devices of a group, in its line

const unfolded = new Set(); // lists that are shown as a whole
let isOnPaper = false; // then all of them are

const nameOf = (view, host) => link(host.name, () => view.open(host));

const namesOf = (view, hosts) => hosts.flatMap((host, i) => [i > 0 ? ", " : null, nameOf(view, host)]);

function names(view, hosts, before = "") {
  const list = h("p", { class: "mono" });
  const draw = (shown) => fill(list, before, namesOf(view, shown),
    shown.length < hosts.length ? [", ", link(`and ${count(hosts.length - shown.length)} more`, () => draw(hosts))] : null);
  draw(hosts.slice(0, NAMES));
  return list;
}

// The first of the items, and a button for all.
function list(view, id, items, most, rowOf) {
  const isWhole = isOnPaper || unfolded.has(id);
  const shown = items.slice(0, isWhole ? ROWS_MAX : items.length === most + 1 ? items.length : most); // "and 1 more" takes the line of the one
  const more = () => {
    unfolded.add(id);
    drawnOf = "";
    draw(view);
    $(id).children[most]?.querySelector("summary, button")?.focus();
  };
  const rest = `and ${count(items.length - shown.length)} more`;
  return [h("ul", { class: isWhole ? "plain rows whole" : "plain rows", id }, shown.map((item) => h("li", {}, rowOf(item)))),
    shown.length === items.length ? null : isWhole ? h("span", {}, rest) : link(rest, more)];
}

const fold = (key, summary, ...body) => h("details", { class: "group", "data-key": key }, h("summary", {}, summary), body);

function kindsOf(view, id, title, kinds) {
  if (kinds.length === 0) return null;
  return [h("h3", {}, title), list(view, id, kinds, KINDS, ({ text, hosts }) =>
    fold(`${id} ${text}`, [h("span", { class: "count" }, `${count(hosts.length)} × `), text], names(view, hosts)))];
}

function stoppedOf(view, { name, failed, down, skipped }) {
  const { byName } = view.model;
  const parts = [];
  if (failed.size > 0) parts.push(`${listOf([...failed].map((host) => host.name), SHORT)} failed`);
  if (down.size > 0) parts.push(`${listOf([...down.keys()], SHORT)} ${down.size === 1 ? "is" : "are"} not up`);
  parts.push(`${plural(skipped.length, "device")} skipped`);
  return fold(`g${name}`, [h("strong", {}, name), `: ${parts.join("; ")}`],
    [...failed].map((host) => h("p", {}, nameOf(view, host), `: ${host.error ?? "no error was told"}`)),
    [...down].map(([peer, why]) => h("p", {}, byName.has(peer) ? nameOf(view, byName.get(peer)) : peer, `: ${why}`)),
    names(view, skipped, "skipped: "));
}

const holdOf = (view, { name, hosts, waiting, since }) => [h("strong", {}, name), ": waits for ", namesOf(view, hosts), `, ${since}; ${plural(waiting, "device")} behind`];

// What its last call has told: a device that is not back looks like a slow one otherwise.
function troubleOf(model, hosts) {
  const call = hosts.length === 1 && model.stepsOf(hosts[0].name).findLast(({ took }) => took !== null);
  return call?.error ? `, last ${call.what}: ${call.error}` : "";
}

// Devices in doubt have a line of their own.
const holdsNow = (model, now) => holdsOf(model, now).groups.filter(({ hosts }) => hosts.some((host) => lookOf(host) !== "in_doubt")).map((group) =>
  ({ ...group, since: `${sinceOf(model, group.hosts, service, now)}${troubleOf(model, group.hosts)}` }));

const capital = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;

const errorsOf = (view, faults, others) => h("div", {},
  kindsOf(view, "kinds", "Errors, the most frequent first", faults),
  kindsOf(view, "reasons", "Skipped for other reasons than a failure", others.map(({ reason, hosts }) => ({ text: reason, hosts }))));

const groupsOf = (view, holds, stopped, lone) => h("div", {},
  stopped.length === 0 ? null : [h("h3", { id: "stopped-title", tabindex: -1 }, `${plural(stopped.length, "redundancy group")} stopped, and devices of ${stopped.length === 1 ? "it" : "them"} skipped`),
    list(view, "stopped", stopped, GROUPS, (stop) => stoppedOf(view, stop))],
  lone.length > 0 ? fold("lone", capital(loneOf(lone, stopped.length > 0)), names(view, [...new Set(lone.flatMap(({ failed }) => failed))])) : null,
  holds.length === 0 ? null : [h("h3", {}, `${plural(holds.length, "redundancy group")} held up by a device that takes long`),
    list(view, "held-up", holds, GROUPS, (group) => holdOf(view, group))]);

let drawnOf = "";
let open = new Set(); // details, by their keys
let werePrinted = false; // then all of them are

// What has the focus, in words that hold when all is drawn anew.
function focusIn(body) {
  const { activeElement: element } = document;
  if (!body.contains(element)) return () => {};
  const key = element.closest("[data-key]")?.dataset.key;
  const is = (other) => other.tagName === element.tagName && other.closest("[data-key]")?.dataset.key === key && (element.tagName !== "BUTTON" || other.textContent === element.textContent);
  return () => [...body.querySelectorAll("summary, button, h3[tabindex]")].find(is)?.focus({ preventScroll: true });
}

export function draw(view) {
  const { model } = view;
  const { stopped, others, lone } = model.stops();
  const faults = model.faults();
  const holds = holdsNow(model, knownNow());
  const is = JSON.stringify([model.job.id, isOnPaper, lone.map(({ name, failed }) => [name, failed.length]), stopped.map((s) => [s.name, s.failed.size, [...s.down], s.skipped.length]),
    faults.map((f) => [f.text, f.hosts.length]), others.map((o) => [o.reason, o.hosts.length]), holds.map((g) => [g.name, g.hosts.length, g.waiting, g.since])]);
  if (is === drawnOf) return;
  drawnOf = is;
  const errors = faults.length + others.length > 0;
  const body = $("why-body");
  $("why").hidden = !errors && holds.length === 0;
  say($("why-title"), errors ? "What went wrong" : "What holds it up");
  if (!werePrinted) open = new Set([...body.querySelectorAll("details[open]")].map((details) => details.dataset.key));
  werePrinted = isOnPaper;
  const scrolled = [...body.querySelectorAll("ul")].map(({ id, scrollTop }) => [id, scrollTop]);
  const focusAgain = focusIn(body);
  fill(body, errors ? errorsOf(view, faults, others) : null, holds.length + stopped.length + lone.length > 0 ? groupsOf(view, holds, stopped, lone) : null);
  for (const details of body.querySelectorAll("details")) details.open = isOnPaper || open.has(details.dataset.key);
  for (const [id, top] of scrolled) if ($(id) !== null) $(id).scrollTop = top;
  focusAgain();
}

// To the groups that stopped.
export function show(view) {
  draw(view);
  for (const id of ["stopped", "stopped-title"]) $(id).scrollIntoView({ block: "nearest" });
  $("stopped-title").focus({ preventScroll: true });
}

// On paper all is there.
export function onPaper(view, is) {
  isOnPaper = is;
  draw(view);
}
