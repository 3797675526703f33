// What is said of a job, in words. Nothing in here touches the document.

import { about, clock, count, dayAndZone, duration, listOf, plural } from "./dom.js";
import { lookOf } from "./model.js";
import { areCanariesAhead, holdsOf, inHandOf, needsOf, outlookOf, windowOf } from "./outlook.js";

const STILL_MS = 5000; // without an end is worth a word
const STOOD_MS = 1000; // likewise, paused or without the service
const NAMED = 5; // devices that are waited for, by name
const SECONDS_MS = 20_000; // is "the last seconds"

// When the time that the service gives a device in hand is over, where it is known: its install was sent. Else null.
function endOf(model, host, { startedMs, installTimeoutMs }) {
  const isInDoubt = lookOf(host) === "in_doubt";
  const from = isInDoubt ? startedMs : model.installAt.get(host.name);
  if (from === undefined || !(installTimeoutMs > 0) || (isInDoubt && model.job.state === "paused")) return null;
  return from + installTimeoutMs;
}

// Until when it is at most in hand; null: not known, or past.
export function limitOf(model, host, service, now) {
  const end = endOf(model, host, service);
  return end > now ? end : null;
}

// ", at most until 23:54:57", or nothing where it is not known of all.
function untilOf(model, hosts, service, now) {
  const ends = hosts.map((host) => endOf(model, host, service));
  const last = ends.includes(null) ? -Infinity : Math.max(...ends);
  return last > now ? `, at most until ${clock(last)}` : "";
}

// "in hand since 23:49:57, at most until 23:54:57", of several: "the longest in hand since ..., the last at most until ..."
// Where one is in doubt no end is known: it may be tried once more.
export function sinceOf(model, hosts, service, now) {
  const isOne = hosts.length === 1;
  const since = hosts[0].started === null ? "in hand" : `${isOne ? "" : "the longest "}in hand since ${clock(hosts[0].started)}`;
  const until = hosts.some((host) => lookOf(host) === "in_doubt") ? "" : untilOf(model, hosts, service, now);
  return `${since}${isOne ? until : until.replace(", ", ", the last ")}`;
}

const namesOf = (hosts) => (hosts.length > NAMED ? plural(hosts.length, "device") : listOf(hosts.map(({ name }) => name)));

function waitsFor(model, hosts, service, now) {
  const { behind, groups } = holdsOf(model, now);
  const whose = hosts.length > 1 ? "their groups" : groups.length > 1 ? "its groups" : "its group";
  const rest = behind === 0 ? "" : `; ${plural(behind, "more device")} of ${whose} wait${behind === 1 ? "s" : ""} behind ${hosts.length === 1 ? "it" : "them"}`;
  return `it waits for ${namesOf(hosts)}, ${sinceOf(model, hosts, service, now)}${rest}`;
}

// An install that was sent comes to its end, and a device without one is put back; what is in doubt is told elsewhere.
function endingOf(model, service, now) {
  const n = model.counts.in_hand - model.inDoubt;
  if (n === 0) return "";
  const hosts = inHandOf(model).filter((host) => lookOf(host) !== "in_doubt");
  if (model.job.version && !hosts.every(({ name }) => model.installAt.has(name))) {
    const back = model.job.state === "paused" ? "put back" : "put back and skipped";
    return n === 1 ? `; ${hosts[0].name} comes to its end if its install was sent, else it is ${back}`
      : `; of ${count(n)} devices in hand those whose install was sent come to their end, the others are ${back}`;
  }
  return `; ${namesOf(hosts)}${n > NAMED ? " in hand" : ""} ${n === 1 ? "comes to its" : "come to their"} end${untilOf(model, hosts, service, now)}`;
}

function pausedOf(model, service, now) {
  const because = model.job.paused_because;
  const why = because === "by request" ? " by request" : because ? `: ${because}` : "";
  return ` Paused${why}${endingOf(model, service, now)}.${afterOf(model, now)}`;
}

function afterOf(model, now) {
  const needs = needsOf(model, now);
  if (needs === null) return "";
  const by = needs.is === "rate" ? "at the rate of before" : needs.is === "pace" ? paceText : needs.is === "groups" ? groupText(needs) : foretoldText(model);
  return ` Once resumed, it has about ${about(needs.ms)} to go, ${by}.`;
}

const foretoldText = ({ foretoldMs, expectedMs }) => (expectedMs === foretoldMs ? `of the ${about(expectedMs)} that were expected` : "by a dry run of it");

// ", without leaf01.mars and 3 behind it,": those of which no rate says anything.
function withoutOf(model, long, behind) {
  const parts = [];
  if (model.inDoubt > 0) parts.push("devices in doubt");
  if (long.length > 0) parts.push(long.length === 1 ? long[0].name : `${plural(long.length, "device")} that take long`);
  if (behind > 0) parts.push(`${count(behind)} behind ${model.inDoubt === 0 && long.length === 1 ? "it" : "them"}`);
  return parts.length === 0 ? "" : `, without ${listOf(parts)},`;
}

const groupText = ({ name, left, limit }) => `as the group ${name} has ${plural(left, "device")} to go, ${count(limit)} at a time`;

const paceText = "by what devices have taken so far";

function rateText(model) {
  const ms = windowOf(model);
  return `at the rate of the last ${ms > SECONDS_MS ? about(ms) : "seconds"}`;
}

// "37 s paused", "15 s without the service": until now, or those of both that were.
function stoodOf(model, now) {
  const sum = (isAway) => model.pauses.reduce((ms, pause) => ms + (pause.isAway === isAway ? Math.min(pause.to, now) - pause.from : 0), 0);
  const parts = [[sum(false), "paused"], [sum(true), "without the service"]].filter(([ms]) => ms >= STOOD_MS);
  return parts.map(([ms, how]) => `${about(ms)} ${how}`);
}

function outlookText(model, now, service) {
  const outlook = outlookOf(model, now);
  const { is, ms } = outlook;
  const { held, behind } = holdsOf(model, now);
  const ran = model.ranMs(model.startedMs, now);
  const stood = stoodOf(model, now);
  const expected = model.expectedMs === null ? "" : `, where about ${about(model.expectedMs)} were expected`;
  const gone = `Running for ${about(ran)}${stood.length === 0 ? "" : `, not counting ${listOf(stood)}`}${expected}`;
  if (is === "none") return `${gone}; no device has come to its end yet.`;
  if (["foretold", "rate", "pace", "groups"].includes(is)) {
    const long = held.filter((host) => lookOf(host) !== "in_doubt");
    const rest = long.length === 0 ? "" : ` Taking long: ${namesOf(long)}, ${sinceOf(model, long, service, now)}.`;
    const how = { rate: rateText, pace: () => paceText, groups: () => groupText(outlook) };
    const by = is === "foretold" ? foretoldText(model) : `${how[is](model)}${expected === "" ? "" : `: ${about(ran + ms)} in all${expected}`}`;
    return `About ${about(ms)} left${withoutOf(model, long, behind)} ${by}.${rest}`;
  }
  const awaited = !model.isWhole ? [] : is === "last" || model.counts.in_hand <= NAMED ? inHandOf(model) : held;
  const whom = awaited.length === 0 ? "" : `; ${waitsFor(model, awaited, service, now)}`;
  if (is === "quiet" && ms >= STILL_MS) return `${gone}; nothing has ended for ${about(ms)}${whom}.`;
  return `${gone}${whom}.`; // the last are in hand, or it is too early for a rate
}

function canariesOf(model) {
  const { canaries } = model;
  const who = canaries.length > NAMED ? plural(canaries.length, "device") : listOf(canaries);
  return areCanariesAhead(model) ? ` The canaries go first, and alone: ${who}.` : "";
}

// What of the sentence leads to the list of them.
export function linkOf(model) {
  const { stopped } = model.stops();
  return stopped.length === 0 ? "" : `${plural(stopped.length, "group")} stopped`;
}

// Groups that no failure has stopped.
function byPeersOf(stopped) {
  const n = stopped.filter(({ failed }) => failed.size === 0).length;
  if (n === 0) return "";
  return n === stopped.length ? " by a peer that is not up" : ` (${count(n)} of them by a peer that is not up)`;
}

// "the group a has a failed device that nothing was skipped for", "6 other groups have ..."
export function loneOf(lone, hasOthers) {
  const other = hasOthers ? "other " : "";
  const n = lone.length;
  const who = n > NAMED ? `${count(n)} ${other}groups` : `the ${other}group${n === 1 ? "" : "s"} ${listOf(lone.map(({ name }) => name))}`;
  return `${who} ${n === 1 ? "has" : "have"} a failed device that nothing was skipped for`;
}

// To its end: it was neither cancelled nor stopped.
const ranThrough = ({ outcome }) => outcome === "completed" || outcome === "failed";

// away: the service is not reached, and was at now.
export function verdictOf(model, now, service, away = false) {
  const { job, counts } = model;
  const parts = [`${count(counts.changed + counts.unchanged)} of ${plural(model.total, "device")} completed`];
  if (counts.failed > 0) parts.push(`${count(counts.failed)} failed`);
  if (counts.skipped > 0) parts.push(`${count(counts.skipped)} skipped`);
  const { stopped, lone } = model.stops();
  if (stopped.length > 0) parts.push(`${linkOf(model)}${byPeersOf(stopped)}`);
  if (lone.length > 0) parts.push(loneOf(lone, stopped.length > 0));
  let text = `${parts.join(", ")}.`;
  if (away && job.state !== "done") return `${text} That was so at ${clock(now)}; how it goes on shows once the service is reached.`;
  if (job.state === "done") {
    const ended = Date.parse(job.ended);
    const stood = stoodOf(model, ended);
    text += ` It took ${duration(ended - model.startedMs)}, ${stood.length === 0 ? "" : `${listOf(stood)} of that, `}from ${dayAndZone(job.started ?? job.created)} to ${clock(job.ended)}${model.expectedMs === null || !ranThrough(job) ? "" : `; about ${about(model.expectedMs)} were expected`}.`;
  } else if (job.state === "running") {
    text += ` ${outlookText(model, now, service)}${canariesOf(model)}`;
  } else if (job.state === "cancelling") {
    text += ` Nothing new starts${endingOf(model, service, now)}.`;
  }
  if (job.state === "paused") text += pausedOf(model, service, now);
  if (job.state === "waiting") text += ` Waiting${job.waiting_for ? ` for ${job.waiting_for}` : ""}.`;
  if (job.stopped_by) text += ` Stopped by ${job.stopped_by.reason}${job.stopped_by.host ? `, at ${job.stopped_by.host}` : ""}.`;
  return text;
}

// Devices that a restart of the service has left in doubt, and what is done about it.
export function doubtOf(model, now, service) {
  const { inDoubt, job } = model;
  if (inDoubt === 0) return "";
  const named = inDoubt > 3 ? [] : model.hosts.filter((host) => lookOf(host) === "in_doubt").map((host) => host.name);
  const who = named.length === 0 ? plural(inDoubt, "device") : named.join(", ");
  const until = service.startedMs + service.installTimeoutMs;
  const asked = inDoubt === 1 ? "It is asked which version it runs" : "They are asked which version they run";
  const text = `${who} ${inDoubt === 1 ? "is" : "are"} in doubt: the service ended while ${inDoubt === 1 ? "an install" : "their installs"} may have been under way. ${asked}, `;
  if (job.state === "paused") return `${text}for ${about(service.installTimeoutMs)} at most; what is not settled then stays in doubt until the job is resumed or cancelled.`;
  return now < until ? `${text}until ${clock(until)} at the latest.` : `${text}for ${about(service.installTimeoutMs)} at most.`;
}

// Those that hold a job up, and for how long.
export function longestOf(model, now) {
  const inHand = model.hosts.filter((host) => host.state === "in_hand" && host.started !== null)
    .map((host) => ({ host, ms: now - Date.parse(host.started) })).sort((a, b) => b.ms - a.ms).slice(0, 4);
  return inHand.length === 0 ? "" : `Longest in hand: ${inHand.map(({ host, ms }) => `${host.name} ${about(ms)}`).join(", ")}`;
}

// Of a dry run: what would become of those that run a newer version than the one that is asked for.
// Where downgrades are refused, by the request or by the service, they do not count as to change.
export function newerOf({ hosts, to_change, as_wanted, unknown, newer }) {
  if (newer === 0) return "";
  const who = `${count(newer)} of them ${newer === 1 ? "runs" : "run"} a newer version and`;
  return to_change + as_wanted + unknown < hosts ? `${who} would fail untouched, for downgrades are refused.` : `${who} would be downgraded.`;
}

// ... and of how many it is known what would be done.
export function changesOf({ hosts, to_change, as_wanted, unknown }) {
  if (unknown === hosts) return "what they run is not known: the task get version asks them";
  const rest = `; as wanted already: ${count(as_wanted)}`;
  return unknown === 0 ? `${count(to_change)}${rest}` : `${count(to_change)} at least${rest}; not known: ${count(unknown)}, the task get version asks them`;
}

// What a cancel would do by now. Only an install takes its time: those whose install was not sent are put back.
export function cancelOf(model, service, now) {
  const { in_hand, waiting } = model.counts;
  const rest = waiting === 0 ? "Nothing is left to skip." : `What has not begun is skipped: ${plural(waiting, "device")}.`;
  if (in_hand === 0) return rest;
  const known = untilOf(model, inHandOf(model), service, now);
  const until = known !== "" || !model.job.version || !(service.installTimeoutMs > 0) ? known : `, within ${about(service.installTimeoutMs)} at most`;
  const who = in_hand === 1 ? "1 device is in hand" : `${count(in_hand)} devices are in hand`;
  if (!model.job.version) return `${who} and ${in_hand === 1 ? "comes to its" : "come to their"} end first${until}. ${rest}`;
  return `${who}: an install that was sent comes to its end first${until}, for none is broken off; a device without one is put back and skipped. ${rest}`;
}

// What a retry would do. told: of a dry run of it; null: there is none yet.
export function retryOf({ failed, skipped }, what, told) {
  const newer = told === null || told.newer === 0 ? "" : ` ${newerOf(told)}`;
  const is = told?.as_wanted > 0 ? ` ${count(told.as_wanted)} of them ${told.as_wanted === 1 ? "runs" : "run"} it by now, and ${told.as_wanted === 1 ? "is" : "are"} left as ${told.as_wanted === 1 ? "it is" : "they are"}.` : "";
  return `A new job, ${what}, of those that failed (${count(failed)}) or were skipped (${count(skipped)}), and of no other.${is}${newer}`;
}
