// How a job goes on, as far as that can be said. Nothing in here touches the document.
//
// No rate says when a device ends that takes far longer than the others did, and its group waits until then: both
// are left out of what is foretold, and named. What is long depends on what devices take: a second, or minutes.

import { entry, isOver, lookOf } from "./model.js";

// Each at least, and so many times what a device takes.
const RATE_MS = 20_000, RATE_TIMES = 3; // a rate is taken over
const BASE_MS = 5000, BASE_TIMES = 3; // a rate of less says nothing
const QUIET_MS = 10_000, QUIET_TIMES = 2; // when nothing has ended for so long, no rate says how it goes on
const LONG_MS = 5000, LONG_TIMES = 3; // a device that is in hand for longer takes long: of installs of 2 to 8 s a tenth take twice the median
const HANDOVER_MS = 1000; // behind a device the next of its group begins
const FEW = 5; // devices, of which none tells how long the others take
const NEAR_MS = 3000; // the others are as good as done

// --- how long devices take

const usuals = new WeakMap(); // by model

const median = (sorted) => sorted[sorted.length >> 1] ?? null; // of none
const ascending = (values) => values.sort((a, b) => a - b);

// Medians of the devices that were changed, of each type and of all; where none was, of all that came to their end. long:
// of twenty, one takes longer. mean: of all, changed or not.
function usualOf(model) {
  const known = usuals.get(model);
  if (known !== undefined && Math.abs(model.done - known.done) < Math.max(1, known.done / 16)) return known;
  const all = [];
  const byType = new Map();
  let sum = 0, n = 0;
  for (const host of model.hosts) {
    if (host.duration_ms === null || host.state === "skipped") continue;
    sum += host.duration_ms;
    n++;
    if (model.counts.changed > 0 && host.state !== "changed") continue;
    all.push(host.duration_ms);
    entry(byType, host.dev_type, () => []).push(host.duration_ms);
  }
  ascending(all);
  const usual = { done: model.done, all: median(all), byType: new Map([...byType].map(([type, values]) => [type, median(ascending(values))])) };
  usual.mean = sum / n; // NaN: of none
  usual.long = Math.min(all[Math.floor((all.length - 1) * 0.95)] ?? 0, LONG_TIMES * usual.all);
  usuals.set(model, usual);
  return usual;
}

const ofHost = (usual, host) => usual.byType.get(host.dev_type) ?? usual.all;
const times = (usual, n, leastMs) => Math.max(leastMs, n * (usual.all ?? 0));

// For how long ends are counted.
export const windowOf = (model) => times(usualOf(model), RATE_TIMES, RATE_MS);

// How long the job ran since a device came to its end; since its start where none has.
const quietMs = (model, now) => model.ranMs(Math.max(model.startedMs, model.lastEndMs), now);
const isQuiet = (model, now) => quietMs(model, now) >= times(usualOf(model), QUIET_TIMES, QUIET_MS);
const baseMs = (model) => times(usualOf(model), BASE_TIMES, BASE_MS);
const hasBase = (model, now) => model.ranMs(model.startedMs, now) >= baseMs(model);

// Of a stretch of time in which the job ran, as far as it is behind since: from when on no fewer than a quarter of those
// in hand at its end were so; null: all the time.
// Canaries go alone for as long as a device takes; the first moments of a start or behind a pause are no such time.
function risenIn(model, { from, to }, since) {
  const turns = []; // {at, by}: one more in hand, or one less
  let n = 0;
  for (const { begun, over } of model.spansFrom(since)) {
    if (begun > to) continue;
    turns.push({ at: begun, by: 1 });
    if (over <= to) turns.push({ at: over, by: -1 });
    else n++;
  }
  turns.sort((a, b) => b.at - a.at || a.by - b.by);
  const most = n;
  const first = Math.max(since, from + (usualOf(model).all ?? 0));
  for (const { at, by } of turns) {
    if (at <= first) return null;
    n -= by;
    if (n * 4 < most) return at;
  }
  return null;
}

// ... of the times since a moment in which the job ran.
function risenSince(model, since, now) {
  let to = now;
  for (let i = model.pauses.length; i >= 0 && to > since; i--) {
    const from = i === 0 ? model.startedMs : Math.min(model.pauses[i - 1].to, to);
    const risen = risenIn(model, { from, to }, since);
    if (risen !== null) return risen;
    if (i > 0) to = Math.min(to, model.pauses[i - 1].from);
  }
  return null;
}

// Devices a second that came to their end while the job ran last, with as many in hand as now; null: not known, or
// nothing has ended for a while.
export function rateOf(model, now) {
  if (!hasBase(model, now) || isQuiet(model, now)) return null;
  const from = model.ranSince(now, windowOf(model));
  const risen = risenSince(model, from, now);
  if (risen !== null && model.ranMs(risen, now) < baseMs(model)) return null;
  const since = Math.max(from, risen);
  const isRunning = (at) => !model.pauses.some(({ from, to }) => at > from && at <= to);
  let ended = 0;
  for (const end of model.endOf) if (end > since && end <= now && isRunning(end)) ended++;
  return ended === 0 ? null : (ended * 1000) / model.ranMs(since, now);
}

// Before there is a rate: of so many in hand, as many a second come to their end as those that have ended foretell; null: not
// known. Canaries foretell nothing of how many will be in hand, nor do the first that are taken up behind a restart.
function paceOf(model, now, inHand) {
  const { mean } = usualOf(model);
  const isFew = inHand * 2 < model.mostInHand || inHand <= 0;
  if (isFew || model.done < FEW || areCanariesAhead(model) || isQuiet(model, now) || !(mean > 0)) return null;
  return (inHand * 1000) / mean;
}

// While the others wait for them.
export const areCanariesAhead = ({ canaries, byName, counts }) =>
  counts.waiting > 0 && canaries.some((name) => ["waiting", "in_hand"].includes(byName.get(name)?.state));

// So many are left, and the last of them takes longer than most.
const leftMs = (model, left, rate) => (left / rate) * 1000 + Math.max(0, usualOf(model).long - usualOf(model).all);

// --- who holds the others up

const lasts = new WeakMap(); // by model: what was found last

//   held      devices in hand that take long, and those in doubt, the longest first
//   behind    how many wait that cannot begin before one of these has ended
//   isOut()   whether a device is one of both
//   groups    redundancy groups that have such: {name, hosts, waiting}
//   isTail    all that wait have a member of their group in hand: no worker that comes free makes it faster
export function holdsOf(model, now) {
  const last = lasts.get(model);
  if (last?.version === model.version && last.now === now) return last;
  const usual = usualOf(model);
  const busy = new Map(); // by group: who has its places
  const holders = new Map(); // by group: of these, who keeps it for long
  const failed = new Map(); // by group: of these, who has just failed; its rest is about to be skipped
  const held = [];
  for (const host of model.hosts) {
    const isInHand = host.state === "in_hand";
    if (!isInHand && !(model.endOf[host.index] > now - HANDOVER_MS)) continue;
    const isHeld = isInHand && (lookOf(host) === "in_doubt" || takesLong(host, usual, now));
    if (isHeld) held.push(host);
    for (const group of host.groups)
      for (const places of [busy, isHeld ? holders : host.state === "failed" ? failed : null]) if (places !== null) entry(places, group, () => []).push(host);
  }
  held.sort((a, b) => since(a) - since(b));
  const isFull = (places, group) => model.job.version !== null && places.get(group)?.length >= (model.limits.get(group) ?? 1); // null: it only reads
  const isHeldUp = (group) => isFull(holders, group);
  const isBehind = ({ groups }) => groups.some((group) => isHeldUp(group) || isFull(failed, group));
  const groups = new Map();
  let behind = 0;
  let isTail = model.counts.waiting > 0;
  for (const host of model.hosts) {
    if (host.state !== "waiting") continue;
    if (!isBehind(host)) {
      isTail &&= host.groups.some((group) => isFull(busy, group));
      if (!isTail && held.length === 0) break;
      continue;
    }
    behind++;
    for (const name of host.groups.filter(isHeldUp)) entry(groups, name, () => ({ name, hosts: holders.get(name), waiting: 0 })).waiting++;
  }
  const isOut = (host) => (host.state === "waiting" ? isBehind(host) : held.includes(host));
  const found = { version: model.version, now, held, behind, isOut, groups: [...groups.values()], isTail };
  lasts.set(model, found);
  return found;
}

const since = (host) => (host.started === null ? Infinity : Date.parse(host.started));

// The longest first.
export const inHandOf = (model) => model.hosts.filter((host) => host.state === "in_hand").sort((a, b) => since(a) - since(b));

function takesLong(host, usual, now) {
  const ms = ofHost(usual, host);
  return ms !== null && now - since(host) > Math.max(LONG_MS, LONG_TIMES * ms);
}

// Where groups decide how long it takes: the one that takes longest, whose devices go one behind the other. Without
// those that are held up. {ms, name, left, limit}
function longestGroup(model, now, { isOut }) {
  const usual = usualOf(model);
  const groups = new Map();
  for (const host of model.hosts) {
    if (isOver(host.state) || isOut(host)) continue;
    const ms = ofHost(usual, host);
    for (const name of host.groups) {
      const group = entry(groups, name, () => ({ rest: 0, sum: 0, waiting: 0, left: 0 }));
      group.left++;
      const age = now - since(host);
      if (host.state === "in_hand") group.rest = Math.max(group.rest, ms / 2, ms - age, age - ms); // what takes long may as well take longer
      else {
        group.waiting++;
        group.sum += ms;
      }
    }
  }
  let longest = null;
  for (const [name, { rest, sum, waiting, left }] of groups) {
    const limit = model.limits.get(name) ?? 1;
    const ms = waiting === 0 ? 0 : rest + Math.ceil(waiting / limit) * (sum / waiting);
    if (ms > (longest?.ms ?? 0)) longest = { ms, name, left, limit };
  }
  return longest;
}

// --- how long it goes on

const said = new WeakMap(); // by model: what was said last

// What is said stays as it is while it is near enough: the text does not change with every device.
function chooseOf(model, estimates) {
  const [is, ms] = Object.entries(estimates).reduce((most, estimate) => (estimate[1] > most[1] ? estimate : most));
  const before = said.get(model);
  const kept = estimates[before] * 1.15 + 1000 >= ms ? before : is;
  said.set(model, kept);
  return { is: kept, ms };
}

const foretoldMs = (model, now) => (model.foretoldMs === null ? 0 : model.foretoldMs - model.ranMs(model.startedMs, now));

// Whether devices of all types that are left have come to their end: what was foretold of them is known better by now.
function isTimed(model) {
  const { byType } = usualOf(model);
  return model.hosts.every(({ state, dev_type }) => isOver(state) || byType.has(dev_type));
}

// How long it goes on, as far as that can be said: {is, ms}. The largest of
//   foretold  ms are left of what was foretold
//   rate      ms are left at the rate of the last seconds
//   pace      ms are left with as many in hand as now, by what devices have taken
//   groups    ms are left, for the devices of a group go one behind the other: {name, left, limit}
// All without devices that are held up. Where none can be said:
//   last      a few others are left at most, and all are in hand, or the others are as good as done; the longest is in
//             hand for ms
//   quiet     nothing has ended for ms
//   none      nothing has ended at all, and nothing more was foretold
export function outlookOf(model, now) {
  const holds = holdsOf(model, now);
  const left = model.total - model.done - holds.held.length - holds.behind;
  const areLast = model.isWhole && model.counts.waiting === holds.behind && left <= FEW && model.done + holds.held.length > 0;
  const last = () => ({ is: "last", ms: now - Math.min(now, ...inHandOf(model).map(since)) });
  if (areLast) return last();
  const quiet = quietMs(model, now);
  const foretold = foretoldMs(model, now);
  if (model.done === 0) return foretold > 0 ? { is: "foretold", ms: foretold } : { is: "none", ms: quiet };
  const timed = holds.isTail && isTimed(model);
  const group = timed || (holds.isTail && hasBase(model, now)) ? longestGroup(model, now, holds) : null;
  const rate = rateOf(model, now);
  const pace = paceOf(model, now, model.counts.in_hand - holds.held.length);
  const estimates = foretold > 0 && !(timed && group !== null) ? { foretold } : {};
  if (group !== null) estimates.groups = group.ms;
  else if (rate !== null) estimates.rate = leftMs(model, left, rate);
  else if (pace !== null) estimates.pace = leftMs(model, left, pace);
  else if (isQuiet(model, now) || foretold <= 0) return { is: "quiet", ms: quiet };
  const chosen = chooseOf(model, estimates);
  if (chosen.ms < NEAR_MS && holds.held.length > 0) return last();
  return chosen.is === "groups" ? { ...group, ...chosen } : chosen;
}

// Of a paused job: how long it would go on if it were resumed, {is, ms} as above; null: not known.
export function needsOf(model, now) {
  const pause = model.pauses.at(-1);
  const holds = holdsOf(model, now);
  const waiting = model.counts.waiting - holds.behind;
  if (waiting <= 0 || pause?.to !== Infinity) return null;
  const rate = rateOf(model, pause.from);
  const before = [...model.spansFrom(pause.from)].filter(({ begun }) => begun <= pause.from).length; // were in hand
  const pace = rate ?? paceOf(model, pause.from, before);
  const ms = pace === null ? 0 : leftMs(model, waiting, pace);
  const foretold = foretoldMs(model, pause.from);
  const group = longestGroup(model, now, holds);
  if (group?.ms > Math.max(ms, foretold)) return { is: "groups", ...group };
  if (ms <= 0 && foretold <= 0) return null;
  if (foretold > ms) return { is: "foretold", ms: foretold };
  return { is: rate === null ? "pace" : "rate", ms };
}
