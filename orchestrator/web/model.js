// What the page knows of one job. Nothing in here touches the document: rows and events go in, and
// views read.

export const states = ["waiting", "in_hand", "changed", "unchanged", "failed", "skipped"];
const STEPS_MAX = 60; // of one device: the first few, and the last
const STEPS_FIRST = 12;

// What the map has under the key; it is made where there is nothing yet.
export function entry(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

export const isOver = (state) => state !== "waiting" && state !== "in_hand";

// How a tile looks: a device in doubt is in hand, and more.
export const lookOf = (host) => (host.state === "in_hand" && host.in_doubt ? "in_doubt" : host.state);

const withoutNames = (name, text) => text.replaceAll(name, "it").replace(/\b\d{1,3}(\.\d{1,3}){3}:\d+\b|\[[0-9a-f:]+\]:\d+/g, "its address");

// The same fault of many devices is one: its own name and address are left out, and the version that
// it runs in place of the wanted one.
export function faultOf(host, wanted = null) {
  return withoutNames(host.name, host.error).replace(/(?<![.\d])\d{1,9}(\.\d{1,9}){2}(?![.\d])/g, (version) => (wanted === null || version === wanted ? version : "another version"));
}

// Of a device that was skipped: "leaf05.earth is not up: connect to …: connection refused; nor are 2 more of g"
function peerOf(because) {
  const [, name, why, , group] = /^(.+?) is not up: (.*?)(; nor are \d+ more of (.*))?$/s.exec(because) ?? [];
  return name === undefined ? null : { name, why, group };
}

// peer: undefined where the job has it not.
const sharedGroup = (host, peer) => host.groups.find((group) => peer?.groups.includes(group)) ?? (peer ?? host).groups.join(", ");

// Events of a job are numbered, answers are not: one that was overtaken by an event only counts.
export function laterOf(known, told) {
  const isOvertaken = known?.n !== undefined && told.n === undefined && told.ended === null;
  return isOvertaken ? { ...known, counts: told.counts } : told;
}

export class Model {
  constructor(job) {
    this.job = job;
    this.hosts = []; // in inventory order
    this.byName = new Map();
    this.counts = Object.fromEntries(states.map((state) => [state, 0]));
    this.steps = new Map(); // by device, as they were heard
    this.heardMs = 0; // since when the steps are heard: calls of before are not kept
    this.version = 0; // changes with every row
    this.stopsAt = -1; // the version that stopsThen is of
    this.stopsThen = null;
    this.isWhole = false;
    this.lastN = 0; // of the events that were heard, or that the first rows had
    this.nOf = new Map(); // by device: the last event that its row has
    this.unsettled = null; // what settle() was told, until all events before it are heard
    this.inDoubt = 0; // devices
    this.mostInHand = 0; // at a time, since the page knows the job
    this.installAt = new Map(); // by device: when its install was sent; without those that are over
    this.decidedN = new Map(); // by device: the last event of which installAt knows
    this.endOf = []; // by the index of a device: when it came to its end, in ms; NaN: it has not
    this.lastEndMs = 0;
    this.held = []; // events that came before all rows were there
    this.foretoldMs = null;
    this.expectedMs = null; // what was foretold before any device had come to its end
    this.canaries = []; // names
    this.limits = new Map(); // by redundancy group: how many of its devices may be in hand; 1 where it is not known
    this.pauses = []; // {from, to, isAway}: when the job did not run, in their order; to: Infinity while it lasts; isAway: nor the service
    this.turns = new Map(); // by event: {at, state, since}, what the job became, and when it was heard of last before
    this.heardAt = 0; // the newest event that is kept
    this.begunAt = new Map(); // by device: when it came in hand last
    this.returned = new Map(); // by event: {begun, over} of a device that was put back
  }

  // Rows as /jobs/{id}/hosts/ and events have them. n: the job's last event that the row has.
  put(row, n = 0) {
    const known = this.byName.get(row.name);
    this.version++;
    this.counts[row.state]++;
    this.inDoubt += (lookOf(row) === "in_doubt") - (known !== undefined && lookOf(known) === "in_doubt");
    if (n > 0) this.nOf.set(row.name, n);
    const end = row.duration_ms === null ? NaN : Date.parse(row.started) + row.duration_ms;
    this.endOf[known?.index ?? this.hosts.length] = end;
    if (end > this.lastEndMs) this.lastEndMs = end;
    if (known === undefined) {
      row.index = this.hosts.length;
      this.hosts.push(row);
      this.byName.set(row.name, row);
      this.mostInHand = this.counts.in_hand;
      return row;
    }
    this.counts[known.state]--;
    this.mostInHand = Math.max(this.mostInHand, this.counts.in_hand);
    return Object.assign(known, row);
  }

  // After a restart of the service, of which no event tells: the devices in hand, as rows, and the
  // job's last event when they were read. Those in doubt are among them; one that was in hand and is
  // not waits again. Events before n may still come: the rows wait for them.
  settle(rows, n) {
    this.unsettled = { rows: new Map(rows.map((row) => [row.name, row])), n };
    this.settleWhenDue();
  }

  settleWhenDue() {
    if (this.unsettled === null || this.lastN < this.unsettled.n) return;
    const { rows, n } = this.unsettled;
    this.unsettled = null;
    const isOlder = (name) => (this.nOf.get(name) ?? 0) <= n;
    for (const host of this.hosts)
      if (host.state === "in_hand" && isOlder(host.name) && !rows.has(host.name))
        this.put({ ...host, state: "waiting", started: null, in_doubt: false });
    for (const row of rows.values()) if (isOlder(row.name)) this.put(row, n);
  }

  whole() {
    this.isWhole = true;
    // Events of before may tell more; until they are heard, a job that is paused has been so since its last device.
    if (this.turns.size === 0) this.turn(0, { at: this.job.state === "paused" ? Math.max(this.startedMs, this.lastEndMs) : this.startedMs, state: this.job.state, since: Infinity });
    for (const { name, state, started } of this.hosts) if (state === "in_hand" && started !== null) this.begunAt.set(name, Date.parse(started));
    const held = this.held;
    this.held = [];
    for (const [name, data] of held) this.hear(name, data);
  }

  // What the job became with the event n. One that becomes what it is goes on after a restart of the service, which was
  // away since then.
  turn(n, { at, state, since }) {
    if (this.turns.has(n) && !(this.turns.get(n).since === Infinity && since < Infinity)) return;
    this.version++;
    if (n === 1) this.turns.delete(0); // all are known from here on
    this.turns.set(n, { at, state, since });
    this.pauses = [];
    let last = null;
    for (const [, turn] of [...this.turns].sort(([a], [b]) => a - b)) {
      const open = this.pauses.at(-1);
      if (open?.to === Infinity && turn.state !== "paused") open.to = Math.max(open.from, turn.at);
      else if (open?.to !== Infinity && turn.state === "paused") this.pauses.push({ from: turn.at, to: Infinity, isAway: false });
      else if (last?.state === "running" && turn.state === "running" && turn.at > turn.since) this.pauses.push({ from: turn.since, to: turn.at, isAway: true });
      last = turn;
    }
  }

  // What a dry run of the same request said. Two rules may make groups of the same name.
  foretell(ms, groups, isExpected = this.done === 0) {
    this.foretoldMs = ms;
    if (isExpected) this.expectedMs = ms;
    this.limits.clear();
    for (const { name, max_unavailable } of groups) this.limits.set(name, Math.min(max_unavailable, this.limits.get(name) ?? Infinity));
    this.version++;
  }

  // The service was there at that time, whatever was heard of the job.
  heardOf(at) {
    if (at > this.heardAt) this.heardAt = at;
  }

  // Returns the device that has changed, if it was one.
  hear(name, data) {
    const at = Date.parse(data.at); // NaN: it is an answer
    const since = this.heardAt === 0 ? Infinity : this.heardAt;
    if (name !== "step") this.heardOf(at); // a step may come before the turn that made it happen
    if (name === "job") {
      this.job = laterOf(this.job, data);
      if (!Number.isNaN(at)) this.turn(data.n, { at, state: data.state, since });
      this.version++;
      this.reach(data.n);
      return null;
    }
    if (!this.isWhole) {
      this.held.push([name, data]);
      return null;
    }
    if (name === "step") {
      this.step(data.host, data.at, data.subtask, data.state, data.error);
      return null;
    }
    this.decided(data);
    const { kind, attempt, at: told, job, n, ...row } = data;
    const isNews = n > (this.nOf.get(row.name) ?? 0);
    const host = isNews ? this.put(row, n) : this.byName.get(row.name);
    this.reach(n);
    return host;
  }

  reach(n) {
    if (n > this.lastN) this.lastN = n;
    this.settleWhenDue();
  }

  // A step that is not a call: the device came in hand, its install was kept as intended, its outcome. begunAt: as of
  // the event before it.
  decided({ name, kind, at, n, state, error, skipped_because }, begunAt = this.begunAt) {
    if (kind === "withdrawn" && begunAt.has(name) && !this.returned.has(n)) this.returned.set(n, { begun: begunAt.get(name), over: Date.parse(at) });
    if (kind === "started") begunAt.set(name, Date.parse(at));
    else if (kind !== "intent") begunAt.delete(name);
    const isTold = ({ state: of, at: then, what }) => of === "told" && then === Date.parse(at) && what === (kind === "outcome" ? state : kind);
    if (this.steps.get(name)?.some(isTold)) return; // from the store, and heard as well
    if (n > (this.decidedN.get(name) ?? 0)) {
      this.decidedN.set(name, n);
      if (kind === "intent" && !isOver(this.byName.get(name)?.state ?? "waiting")) this.installAt.set(name, Date.parse(at));
      else this.installAt.delete(name);
    }
    this.step(name, at, kind === "outcome" ? state : kind, "told", error ?? skipped_because);
  }

  step(host, at, what, state, error) {
    const list = this.steps.get(host) ?? [];
    if (list.length === STEPS_MAX) list.splice(STEPS_FIRST, 1); // of one that is asked again and again
    list.push({ at: Date.parse(at), what, state, error });
    this.steps.set(host, list);
  }

  // Calls to the device with how long they took, and what was decided in between.
  stepsOf(host) {
    const rows = [];
    // What was decided is told once it is kept: a call may be told before it, in the same millisecond too.
    const rank = ({ state, what }) => (state !== "told" ? 1 : what === "started" || what === "intent" ? 0 : 2);
    const steps = [...(this.steps.get(host) ?? [])].sort((a, b) => a.at - b.at || rank(a) - rank(b));
    for (const step of steps) {
      const begun = step.state === "completed" && rows.findLast((row) => row.what === step.what && row.isOpen);
      if (begun) Object.assign(begun, { took: step.at - begun.at, error: step.error, isOpen: false });
      else rows.push({ at: step.at, what: step.what, error: step.error, took: null, isOpen: step.state === "started" });
    }
    return rows;
  }

  get done() {
    return this.counts.changed + this.counts.unchanged + this.counts.failed + this.counts.skipped;
  }

  get total() {
    return this.isWhole ? this.hosts.length : this.job.counts.hosts;
  }

  get startedMs() {
    return Date.parse(this.job.started ?? this.job.created);
  }

  // From when to when devices were in hand, those that were put back as well; without what was over by then.
  *spansFrom(at) {
    for (const { started, index } of this.hosts) {
      if (started === null || this.endOf[index] <= at) continue;
      const over = this.endOf[index];
      yield { begun: Date.parse(started), over: Number.isNaN(over) ? Infinity : over };
    }
    for (const span of this.returned.values()) if (span.over > at) yield span;
  }

  // How many devices were in hand, in `count` equal parts of the time from the job's start to now,
  // or to its end: of each part the most.
  inHandOverTime(now, count) {
    const from = this.startedMs;
    const to = this.job.ended === null ? now : Date.parse(this.job.ended);
    const spans = [...this.spansFrom(from)];
    const starts = Float64Array.from(spans, ({ begun }) => begun).sort();
    const ends = Float64Array.from(spans, ({ over }) => over).sort();
    const values = [];
    let started = 0;
    let ended = 0;
    for (let i = 1; i <= count; i++) {
      const until = from + ((to - from) * i) / count;
      let most = started - ended;
      while (started < starts.length && (starts[started] < until || i === count)) {
        while (ends[ended] <= starts[started]) ended++;
        most = Math.max(most, ++started - ended);
      }
      while (ends[ended] <= until) ended++;
      values.push(most);
    }
    return { from, to, values };
  }

  // For how long the job ran between the two, its pauses left out.
  ranMs(from, to) {
    let ms = Math.max(0, to - from);
    for (const pause of this.pauses) ms -= Math.max(0, Math.min(pause.to, to) - Math.max(pause.from, from));
    return ms;
  }

  // The moment from which on it has run for ms.
  ranSince(now, ms) {
    let at = now;
    for (let i = this.pauses.length - 1; i >= 0; i--) {
      const { from, to } = this.pauses[i];
      const ran = at - Math.min(to, at);
      if (ran >= ms) break;
      ms -= ran;
      at = Math.min(from, at);
    }
    return Math.max(this.startedMs, at - ms);
  }

  // Redundancy groups that stopped: those that failed, the peers that are not up, each with why, and
  // those that were skipped for it. And what else was skipped, by its reason.
  stops() {
    if (this.stopsAt !== this.version) {
      this.stopsAt = this.version;
      this.stopsThen = this.findStops();
    }
    return this.stopsThen;
  }

  findStops() {
    const causes = new Set();
    const stopped = new Map();
    const reasons = new Map();
    const lone = new Map(); // groups in which devices failed that nothing was skipped for: these
    const put = (name, host) => {
      const stop = entry(stopped, name, () => ({ name, failed: new Set(), down: new Map(), skipped: [] }));
      stop.skipped.push(host);
      return stop;
    };
    for (const host of this.hosts) {
      if (host.state !== "skipped") continue;
      const because = host.skipped_because ?? "no reason was told";
      const cause = this.byName.get(because);
      if (cause?.state === "failed") {
        put(sharedGroup(host, cause), host).failed.add(cause);
        causes.add(cause);
        continue;
      }
      const peer = peerOf(because);
      const failed = this.byName.get(peer?.name);
      if (failed?.state === "failed") { // in this job: that it was not up then is the same fault
        put(peer.group ?? sharedGroup(host, failed), host).failed.add(failed);
        causes.add(failed);
        continue;
      }
      if (peer !== null) put(peer.group ?? sharedGroup(host, this.byName.get(peer.name)), host).down.set(peer.name, peer.why);
      const reason = peer === null ? because : `a peer is not up: ${withoutNames(peer.name, peer.why)}`;
      entry(reasons, reason, () => []).push(host);
    }
    for (const host of this.hosts)
      if (host.state === "failed" && !causes.has(host)) for (const group of host.groups) entry(lone, group, () => []).push(host);
    for (const name of stopped.keys()) lone.delete(name);
    if (lone.size > 0) // nor one that goes on
      for (const host of this.hosts) if (!isOver(host.state)) for (const group of host.groups) lone.delete(group);
    return {
      stopped: [...stopped.values()],
      lone: [...lone].map(([name, failed]) => ({ name, failed })),
      others: [...reasons].map(([reason, hosts]) => ({ reason, hosts })).sort((a, b) => b.hosts.length - a.hosts.length),
    };
  }

  // The most frequent first.
  faults() {
    const faults = new Map();
    for (const host of this.hosts) {
      if (host.state !== "failed") continue;
      const text = faultOf({ name: host.name, error: host.error ?? "no error was told" }, this.job.version ?? null);
      entry(faults, text, () => []).push(host);
    }
    return [...faults].map(([text, hosts]) => ({ text, hosts })).sort((a, b) => b.hosts.length - a.hosts.length);
  }
}
