// What was decided of a job and its devices before the page was opened, from the store. What was said to them is in the log.

import { entry } from "./model.js";
import { inHandOf } from "./outlook.js";
import { events } from "./stream.js";

const HOSTS_MAX = 5000;
const EVENTS_MAX = 5000; // for one device: its install comes soon behind its start
const NEAR = 500; // events that are read rather than asked for anew
const EARLIER_MS = 1000; // events do not lie exactly in the order of their times
const SKEW_MS = 5000; // of the page's clock
const AGAIN_MS = 5000;

const path = (model) => `/jobs/${model.job.id}/events/`;

const had = new WeakSet(); // models of which all was had, or is on its way: once, and not of a job so large that it takes long

export const isKept = (model) => model.hosts.length <= HOSTS_MAX;

export function read(model, then) {
  const isOver = model.job.state === "done";
  const until = model.lastN; // what comes behind it is heard
  if (had.has(model) || !model.isWhole || !isKept(model) || (!isOver && until === 0)) return;
  had.add(model);
  const begunAt = new Map();
  let since = Infinity; // the event before
  events(path(model), "0", (name, data) => {
    if (name === "host") model.decided(data, begunAt);
    if (name === "job") model.turn(data.n, { at: Date.parse(data.at), state: data.state, since });
    since = Date.parse(data.at);
    return isOver || name === "step" || data.n < until;
  }).then(then, () => {});
}

const asked = new WeakMap(); // by model: devices that were looked for

// When the installs were sent of devices in hand that were so before it was listened to.
export function readInstalls(model, then) {
  if (!model.isWhole || model.job.version === null || model.lastN === 0) return; // else it installs, and is under way
  const known = entry(asked, model, () => new Set());
  const hosts = inHandOf(model).filter(({ name, started }) => started !== null && Date.parse(started) <= model.heardMs + SKEW_MS && !model.installAt.has(name) && !known.has(name));
  if (hosts.length === 0) return;
  for (const { name } of hosts) known.add(name);
  look(model, hosts).then(then, () => setTimeout(() => { // not reached: later
    for (const { name } of hosts) known.delete(name);
    then();
  }, AGAIN_MS));
}

// Events are numbered and not dated. But so many at least lie before one of a device that started then.
function before(model, started) {
  const at = Date.parse(started) - EARLIER_MS;
  let n = 0;
  for (const host of model.hosts) {
    if (host.started !== null && Date.parse(host.started) < at) n++;
    if (model.endOf[host.index] < at) n += host.state === "changed" ? 2 : 1; // its install, and its outcome
  }
  return n;
}

// Reads from where a device came in hand until its install, or until it is too late for that.
async function look(model, hosts) {
  const until = model.lastN;
  const wanted = hosts.map(({ name, started }) => ({ name, from: before(model, started) }));
  let last = 0;
  const isMissing = ({ name, from }) => !model.installAt.has(name) && last < Math.min(until, from + EVENTS_MAX);
  for (const next of wanted) {
    if (!isMissing(next)) continue;
    last = Math.max(last, next.from);
    await events(path(model), String(last), (kind, data) => {
      if (kind === "host") model.decided(data);
      last = data.n ?? last;
      return wanted.some((host) => isMissing(host) && host.from < last + NEAR);
    });
  }
}
