// One device: its steps with their times, its error, its peers and what is known of them.

import { $, clock, duration, fill, h, link, plural, say, stateOf } from "./dom.js";
import { get, service, serviceNow } from "./api.js";
import * as history from "./history.js";
import { lookOf } from "./model.js";
import { limitOf } from "./sentence.js";

const PEERS_MAX = 60;

let shown = null; // its name
let answer = null; // what the service knows of it: /hosts/{host}/
let asked = 0;
let opener = null;
let extras = () => null; // of the demo panel
let extrasOf = () => null; // what it says

export const name = () => shown;

const time = (ms) => `${clock(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;

// host: as the job has it. One that failed in it is told to be so beside this.
function knownOf(peer, host) {
  if (peer.known === "up") return `up, ${duration(peer.known_ms)} ago`;
  if (peer.known === "down" && host?.state === "failed") return peer.why ?? host.error ?? "";
  if (peer.known === "down") return `not up${peer.why ? `: ${peer.why}` : ""}`;
  if (peer.known === "in_hand") return "in hand now";
  return "not asked lately";
}

// Of a device that began before the page was opened, or the stream was back.
function missedOf(model, host) {
  if (host.started === null || Date.parse(host.started) >= model.heardMs) return null;
  const kept = history.isKept(model) ? " What is kept is shown: when it came in hand, its install, its outcome." : "";
  return `Steps before ${clock(Math.min(model.heardMs, serviceNow()))}, when this page was connected, are not kept.${kept} The log has them all.`;
}

function drawSteps(view, host) {
  const { model } = view;
  const steps = model.stepsOf(host.name);
  const missed = missedOf(model, host);
  if (steps.length === 0)
    return host.started === null ? h("p", { class: "quiet" }, "It has not begun.") : h("p", { class: "quiet" }, `It began at ${clock(host.started)}. ${missed ?? ""}`);
  const words = { started: "in hand", intent: "install is about to be sent", withdrawn: "put back" };
  return [missed === null ? null : h("p", { class: "quiet" }, missed), h("ol", { class: "plain steps" }, steps.map((step) => h("li", {},
    h("time", {}, time(step.at)),
    h("span", {}, words[step.what] ?? step.what.replaceAll("_", " "), step.error ? h("span", { class: "wrong" }, ` ${step.error}`) : null),
    h("span", { class: "took" }, step.took === null ? (step.isOpen ? "…" : "") : duration(step.took)))))];
}

function drawPeers(view) {
  if (answer === null) return h("p", { class: "quiet" }, "asking the service");
  if (answer.error) return h("p", { class: "quiet" }, answer.error);
  return answer.peers.map((group) => [
    h("h4", {}, `${group.group}: ${group.max_unavailable} of ${plural(group.members, "device")} at a time`),
    h("ul", { class: "plain" }, group.hosts.slice(0, PEERS_MAX).map((peer) => {
      const host = view.model?.byName.get(peer.name);
      return h("li", {}, host === undefined ? h("span", { class: "mono" }, peer.name)
        : link(peer.name, () => view.open(host), "plain mono"),
      " ", host === undefined ? null : stateOf(lookOf(host)), h("span", { class: "quiet" }, ` ${knownOf(peer, host)}`));
    })),
    group.members - 1 > PEERS_MAX ? h("p", { class: "quiet" }, `and ${group.members - 1 - PEERS_MAX} more`) : null,
    group.hosts.length === 0 ? h("p", { class: "quiet" }, "Nothing else stands in for it.") : null,
  ]);
}

function untilOf(view, host, now) {
  if (host.state !== "in_hand" || !view.isJob) return null;
  const limit = limitOf(view.model, host, service, now);
  if (limit !== null && lookOf(host) === "in_doubt") return `, in doubt until ${clock(limit)} at most`;
  return limit === null ? null : `, at most until ${clock(limit)}: so long its install may take`;
}

let drawn = "";

export function draw(view, now) {
  const host = shown === null ? undefined : view.model?.byName.get(shown);
  if (shown !== null && host === undefined && view.model.isWhole) fill($("device-body"), h("p", { class: "quiet" }, "This job has no such device."));
  if (host === undefined) {
    drawn = "";
    return;
  }
  if (now - asked > 2000) {
    asked = now;
    const of = shown;
    get(`/hosts/${encodeURIComponent(of)}/`).then((told) => told, (error) => ({ error: error.message, peers: [] })).then((told) => {
      if (of === shown) answer = told;
    });
  }
  const steps = view.model.stepsOf(host.name);
  const is = JSON.stringify([shown, extrasOf(host), host, untilOf(view, host, now), steps, answer, answer?.peers.map((group) => group.hosts.map((peer) => view.model.byName.get(peer.name)?.state))]);
  if (is === drawn) return;
  drawn = is;
  const body = $("device-body");
  const focused = body.contains(document.activeElement) ? [...body.querySelectorAll("button, select, a")].indexOf(document.activeElement) : -1;
  if (focused >= 0 && document.activeElement.tagName === "SELECT") return; // not under the user's hand
  say($("device-title"), host.name);
  fill(body,
    h("p", {}, stateOf(lookOf(host)), host.duration_ms !== null ? ` after ${duration(host.duration_ms)}` : host.started !== null ? ` since ${clock(host.started)}` : "", untilOf(view, host, now)),
    host.error === null ? null : h("p", { class: "wrong" }, host.error),
    host.skipped_because === null ? null : h("p", {}, `Skipped because of: ${host.skipped_because}`),
    h("dl", {},
      host.site === null ? null : [h("dt", {}, "Site"), h("dd", {}, host.site)],
      host.dev_type === null ? null : [h("dt", {}, "Type"), h("dd", {}, host.dev_type)],
      h("dt", {}, "Version"), h("dd", { class: "mono" }, host.from_version === null ? (answer?.version ?? "not known")
        : host.to_version === null ? host.from_version : `${host.from_version} → ${host.to_version}`)),
    host.state === "waiting" && answer?.known === "in_hand" ? h("p", {}, "Another job has it in hand.") : null,
    view.isJob ? [h("h3", {}, "Steps"), drawSteps(view, host)] : null,
    h("h3", {}, "Peers"), drawPeers(view),
    extras(view, host));
  if (focused >= 0) [...body.querySelectorAll("button, select, a")][focused]?.focus();
}

export function open(view, host) {
  if (shown === null) opener = document.activeElement;
  shown = host.name;
  answer = null;
  asked = 0;
  $("device").hidden = false;
  document.querySelector(".columns").classList.add("open");
  draw(view, Date.now());
  $("device-title").focus({ preventScroll: true });
}

export function close() {
  if (shown === null) return;
  shown = null;
  drawn = "";
  $("device").hidden = true;
  document.querySelector(".columns").classList.remove("open");
  (opener?.isConnected ? opener : $("map")).focus({ preventScroll: true });
}

export function start(view, more, moreOf) {
  extras = more;
  extrasOf = moreOf;
  $("device-close").addEventListener("click", () => view.close());
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !$("ask").open && shown !== null) view.close();
  });
}
