// The page's modules that touch no document, without a browser.
import { test } from "node:test";
import assert from "node:assert/strict";
import { load } from "./load.mjs";

const { Model, faultOf, laterOf } = await load("model.js");
const { hit, layout, neighbour } = await load("layout.js");
const { parse } = await load("sse.js");
const { Cluster, elsewhereOf } = await load("cluster.js");
const { holdsOf, needsOf, outlookOf, rateOf } = await load("outlook.js");
const { cancelOf, changesOf, doubtOf, limitOf, newerOf, retryOf, verdictOf } = await load("sentence.js");

const at = (s) => new Date(Date.UTC(2026, 0, 1) + s * 1000).toISOString();
const job = (more = {}) => ({ id: "j", state: "running", created: at(0), started: at(0), ended: null, counts: { hosts: 0 }, ...more });
const here = { startedMs: Date.parse(at(-100)), installTimeoutMs: 300_000 };
const clock = (s) => new Date(at(s)).toLocaleTimeString("en-GB");
const row = (name, state, more = {}) => ({ name, site: "earth", dev_type: "leaf", groups: ["g"], state, started: null, duration_ms: null,
  from_version: null, to_version: null, error: null, skipped_because: null, in_doubt: false, ...more });

function model(rows, more) {
  const made = new Model(job(more));
  rows.forEach((r) => made.put(r));
  made.whole();
  return made;
}

test("rows and events are counted once, whatever comes how often", () => {
  const m = model([row("a", "waiting"), row("b", "waiting")]);
  assert.deepEqual(m.counts, { waiting: 2, in_hand: 0, changed: 0, unchanged: 0, failed: 0, skipped: 0 });
  for (let i = 0; i < 2; i++) m.hear("host", { ...row("a", "in_hand"), kind: "started", at: at(1), n: 1, job: "j", attempt: 0 });
  assert.equal(m.counts.in_hand, 1);
  m.hear("host", { ...row("a", "changed", { to_version: "2" }), kind: "outcome", at: at(2), n: 2, job: "j", attempt: 1 });
  assert.deepEqual(m.counts, { waiting: 1, in_hand: 0, changed: 1, unchanged: 0, failed: 0, skipped: 0 });
  assert.deepEqual(m.hosts[0], { ...row("a", "changed", { to_version: "2" }), index: 0 });
});

test("an answer that an event has overtaken takes nothing back", () => {
  const running = job({ n: 1, counts: { hosts: 1 } });
  const waiting = job({ state: "waiting", counts: { hosts: 2 } });
  assert.equal(laterOf(running, waiting).state, "running");
  assert.equal(laterOf(running, waiting).counts.hosts, 2);
  assert.equal(laterOf(running, job({ state: "paused", n: 2 })).state, "paused");
  assert.equal(laterOf(running, job({ state: "done", ended: at(9) })).state, "done");
  assert.equal(laterOf(undefined, waiting), waiting);
  assert.equal(laterOf(waiting, job()).state, "running");
});

test("what is heard before all rows are there waits for them", () => {
  const m = new Model(job());
  m.hear("host", { ...row("b", "failed", { error: "no space" }), kind: "outcome", at: at(2), n: 2, job: "j", attempt: 1 });
  m.put(row("a", "waiting"));
  m.put(row("b", "in_hand"));
  m.whole();
  assert.deepEqual(m.hosts.map((host) => host.state), ["waiting", "failed"]);
});

test("after a restart: who is in doubt and who waits again, though no event says so", () => {
  const event = (name, kind, n, more = {}) => ({ ...row(name, "in_hand", more), kind, at: at(n), n, job: "j", attempt: 1 });
  const doubtful = row("a", "in_hand", { started: at(1), in_doubt: true });
  // The rows are read at 6; what happened before the kill is heard before or behind the answer.
  const missed = [["a", "intent", 3], ["b", "started", 4], ["c", "started", 5], ["c", "outcome", 6]];
  for (let heard = 0; heard <= missed.length; heard++) {
    const m = model([row("a", "waiting"), row("b", "waiting"), row("c", "waiting"), row("d", "waiting")]);
    m.hear("host", event("a", "started", 1, { started: at(1) }));
    m.hear("host", event("d", "started", 2, { started: at(2) }));
    const hear = ([name, kind, n]) => m.hear("host", { ...event(name, kind, n, { started: at(n) }), state: kind === "outcome" ? "changed" : "in_hand" });
    missed.slice(0, heard).forEach(hear);
    m.settle([{ ...doubtful }], 6);
    missed.slice(heard).forEach(hear);
    assert.deepEqual(m.hosts.map(({ state, in_doubt }) => [state, in_doubt]), [["in_hand", true], ["waiting", false], ["changed", false], ["waiting", false]], `${heard} heard before`);
    assert.equal(m.inDoubt, 1);
    assert.deepEqual([m.counts.in_hand, m.counts.waiting, m.counts.changed], [1, 2, 1]);
    // What happens afterwards counts, and what comes twice does not.
    hear(["b", "started", 7]);
    hear(["a", "intent", 3]);
    m.hear("host", { ...event("a", "outcome", 8), state: "changed" });
    assert.deepEqual(m.hosts.map(({ state }) => state), ["changed", "in_hand", "changed", "waiting"]);
    assert.equal(m.inDoubt, 0);
  }
  // An answer that was overtaken takes nothing back.
  const m = model([row("a", "waiting"), row("b", "waiting")]);
  m.hear("host", { ...event("a", "outcome", 9), state: "changed" });
  m.hear("host", event("b", "started", 10, { started: at(10) }));
  m.settle([{ ...doubtful }], 6);
  assert.deepEqual(m.hosts.map(({ state }) => state), ["changed", "in_hand"]);
});

test("the sentence: what is so, and how it goes on", () => {
  const m = model([row("a", "changed", { started: at(0), duration_ms: 1000 }), row("b", "failed", { started: at(0), duration_ms: 1000, error: "x" }), row("c", "in_hand", { started: at(2) })]);
  const verdict = (more) => {
    Object.assign(m.job, more);
    return verdictOf(m, Date.parse(at(14)), here);
  };
  assert.equal(verdict({}), `1 of 3 devices completed, 1 failed. Running for 14 s; it waits for c, in hand since ${clock(2)}.`);
  assert.equal(verdict({ state: "paused", paused_because: "by request" }), "1 of 3 devices completed, 1 failed. Paused by request; c comes to its end.");
  assert.equal(verdict({ state: "cancelling" }), "1 of 3 devices completed, 1 failed. Nothing new starts; c comes to its end.");
  m.put(row("c", "in_hand", { started: at(2), in_doubt: true }));
  assert.ok(verdict({ state: "running" }).endsWith(`; it waits for c, in hand since ${clock(2)}.`), "it may be tried once more");
  assert.match(doubtOf(m, Date.parse(at(14)), { startedMs: Date.parse(at(10)), installTimeoutMs: 60_000 }), /^c is in doubt: .* until \d\d:\d\d:\d\d at the latest\.$/);
});

test("two durations are one phrase: what is left of what was expected, or in all where more was expected than that", () => {
  const m = model(Array.from({ length: 40 }, (_, i) => (i < 20 ? row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }) : row(`h${i}`, "waiting", { groups: [`g${i}`] }))));
  const says = (foretoldMs, s, end) => {
    m.foretell(foretoldMs, [], true);
    assert.ok(verdictOf(m, Date.parse(at(s)), here).endsWith(`completed. ${end}`), verdictOf(m, Date.parse(at(s)), here));
  };
  says(62_000, 20, "About 42 s left of the 1 min 2 s that were expected.");
  says(null, 20, "About 20 s left at the rate of the last seconds.");
  says(30_000, 20, "About 20 s left at the rate of the last seconds: 40 s in all, where about 30 s were expected.");
  says(null, 1.5, "Running for 2 s."); // not: nothing has ended for 1 s
  says(30_000, 45, "Running for 45 s, where about 30 s were expected; nothing has ended for 25 s.");
  // What is foretold once devices have come to their end is not what was expected.
  m.foretell(null, [], true);
  m.foretell(62_000, []);
  assert.match(verdictOf(m, Date.parse(at(20)), here), / About 42 s left by a dry run of it\.$/);
  m.foretell(30_000, []);
  assert.match(verdictOf(m, Date.parse(at(20)), here), / About 20 s left at the rate of the last seconds\.$/);
  const before = model([row("a", "waiting")]);
  before.foretell(62_000, []);
  assert.match(verdictOf(before, Date.parse(at(2)), here), / About 1 min left of the 1 min 2 s that were expected\.$/);
});

test("at the end the sentence says whom it waits for, and until when at most", () => {
  const event = (name, kind, s, n) => ({ ...row(name, kind === "withdrawn" ? "waiting" : "in_hand", { started: at(2) }), kind, at: at(s), n, job: "j", attempt: 1 });
  const m = model([row("a", "changed", { started: at(0), duration_ms: 1000 }), row("b", "waiting"), row("c", "waiting")]);
  m.hear("host", event("c", "started", 2, 1));
  m.hear("host", event("c", "intent", 4, 2));
  const verdict = (s, more) => {
    Object.assign(m.job, more);
    return verdictOf(m, Date.parse(at(s)), here);
  };
  const until = `at most until ${clock(304)}`;
  assert.match(verdict(60, {}), new RegExp(` Running for 1 min; it waits for c, in hand since ${clock(2)}, ${until}; 1 more device of its group waits behind it\\.$`));
  m.put(row("b", "changed", { started: at(1), duration_ms: 1000 }));
  assert.match(verdict(60, {}), new RegExp(` Running for 1 min; it waits for c, in hand since ${clock(2)}, ${until}\\.$`));
  assert.match(verdict(60, { state: "cancelling" }), new RegExp(` Nothing new starts; c comes to its end, ${until}\\.$`));
  assert.match(verdict(60, { state: "paused" }), new RegExp(` Paused; c comes to its end, ${until}\\.$`));
  assert.doesNotMatch(verdict(305, { state: "cancelling" }), /at most/, "what is over limits nothing");
  // What comes from the store as well is there once; what was put back has no limit.
  for (const [kind, s, n] of [["started", 2, 1], ["intent", 4, 2]]) m.decided(event("c", kind, s, n));
  assert.deepEqual(m.stepsOf("c").map(({ what }) => what), ["started", "intent"]);
  m.hear("host", event("c", "withdrawn", 5, 3));
  m.hear("host", event("c", "started", 6, 4));
  assert.doesNotMatch(verdict(60, { state: "running" }), /at most/);
  assert.equal(limitOf(m, m.byName.get("c"), here, 0), null);
});

// A network of groups of four, of which "n" devices were changed one behind the other, each in its second.
const group = (name, states) => states.map((state, i) => row(`${name}${i}`, state, { groups: [name], ...(state === "changed" ? { started: at(i), duration_ms: 1000 } : {}) }));
const inHand = (host, s) => Object.assign(host, { state: "in_hand", started: at(s) });
const sent = (m, name, s, n) => m.decided({ name, kind: "intent", at: at(s), n, state: "in_hand" });

test("a device that hangs near the end of the job is named, with who waits behind it, and no rate", () => {
  const rows = Array.from({ length: 20 }, (_, i) => group(`g${i}`, ["changed", "changed", "changed", "changed"])).flat().concat(group("w", ["changed", "waiting", "waiting", "waiting"]), group("v", ["waiting"]));
  inHand(rows.at(-4), 4);
  inHand(rows.at(-1), 5);
  const m = model(rows);
  sent(m, "w1", 5, 1);
  const says = (s) => verdictOf(m, Date.parse(at(s)), here).replace(/^.* completed\. /, "");
  // As long as it may still be like the others, groups decide: w1 and two behind it. What takes long may take longer.
  assert.equal(says(4.5), "About 3 s left as the group w has 3 devices to go, 1 at a time.");
  assert.equal(says(8), "About 5 s left as the group w has 3 devices to go, 1 at a time.");
  assert.equal(says(9.5), `Running for 10 s; it waits for w1 and v0, the longest in hand since ${clock(4)}; 2 more devices of their groups wait behind them.`, "few others are in hand");
  const waits = (who) => ` it waits for ${who}; 2 more devices of its group wait behind it.`;
  m.put(row("v0", "changed", { groups: ["v"], started: at(5), duration_ms: 4000 }));
  for (const s of [10, 19, 200]) assert.equal(says(s), `Running for ${s === 200 ? "3 min 20 s" : `${s} s`};${waits(`w1, in hand since ${clock(4)}, at most until ${clock(305)}`)}`);
  // The install goes on while the job is paused, and so does its time.
  m.hear("job", job({ state: "paused", n: 9, at: at(12) }));
  assert.equal(says(200), `Paused; w1 comes to its end, at most until ${clock(305)}.`, "and nothing else would have to be done once it is resumed");
  m.hear("job", job({ n: 10, at: at(201) }));
  assert.equal(says(202), `Running for 13 s, not counting 3 min 9 s paused;${waits(`w1, in hand since ${clock(4)}, at most until ${clock(305)}`)}`);
  // It comes to its end after all: the next two of its group are like all others.
  m.put(row("w1", "changed", { groups: ["w"], started: at(4), duration_ms: 206_000 }));
  assert.equal(says(210.3), "About 2 s left as the group w has 2 devices to go, 1 at a time.", "the next is about to begin");
  m.put(row("w2", "in_hand", { groups: ["w"], started: at(210) }));
  assert.equal(says(210.5), "About 2 s left as the group w has 2 devices to go, 1 at a time.");
});

test("what is said of the rest leaves out devices that take long, and those behind them", () => {
  const rows = Array.from({ length: 40 }, (_, i) => row(`h${i}`, i < 20 ? "changed" : "waiting", { groups: [`h${i}`], ...(i < 20 ? { started: at(i), duration_ms: 1000 } : {}) }));
  const m = model(rows.concat(group("w", ["waiting", "waiting", "waiting"]), group("v", ["waiting"])));
  inHand(m.byName.get("w0"), 2);
  m.put(row("w0", "in_hand", { groups: ["w"], started: at(2) }));
  sent(m, "w0", 3, 1);
  const says = (s) => verdictOf(m, Date.parse(at(s)), here).replace(/^.* completed\. /, "");
  const long = `Taking long: w0, in hand since ${clock(2)}, at most until ${clock(303)}.`;
  assert.equal(says(20), `About 21 s left, without w0 and 2 behind it, at the rate of the last seconds. ${long}`);
  m.foretell(30_000, [], true);
  assert.equal(says(20), `About 21 s left, without w0 and 2 behind it, at the rate of the last seconds: 41 s in all, where about 30 s were expected. ${long}`);
  assert.deepEqual(holdsOf(m, Date.parse(at(20))).groups.map(({ name, hosts, waiting }) => [name, hosts.map((host) => host.name), waiting]), [["w", ["w0"], 2]]);
  m.put(row("v0", "in_hand", { groups: ["v"], started: at(19), in_doubt: true }));
  assert.match(says(20), /^About 20 s left, without devices in doubt, w0 and 2 behind them, at the rate/);
  // A group of which two may be in hand is held up by the second that hangs.
  m.foretell(null, [{ name: "w", max_unavailable: 2 }, { name: "w", max_unavailable: 3 }]);
  assert.match(says(20), /^About 22 s left, without devices in doubt and w0, at the rate/);
  m.put(row("w1", "in_hand", { groups: ["w"], started: at(4) }));
  assert.match(says(20), /^About 20 s left, without devices in doubt, 2 devices that take long and 1 behind them, at the rate .* Taking long: w0 and w1, the longest in hand since \d\d:\d\d:\d\d\.$/, "until when is not known of both");
});

test("groups hold nobody up in a task that only reads", () => {
  const rows = Array.from({ length: 20 }, (_, i) => row(`h${i}`, "unchanged", { groups: [`h${i}`], started: at(i), duration_ms: 1000 })).concat(group("w", ["waiting", "waiting", "waiting", "waiting", "waiting"]));
  inHand(rows.at(-5), 2);
  const m = model(rows, { version: null });
  assert.deepEqual(holdsOf(m, Date.parse(at(20))).groups, []);
  assert.match(verdictOf(m, Date.parse(at(20)), here), / About 4 s left, without w0, at the rate of the last seconds\. Taking long: w0, in hand since \d\d:\d\d:\d\d\.$/);
});

test("of many that hang it is said how many, and the last of their limits", () => {
  const rows = group("g", ["changed", "changed", "changed"]).concat(Array.from({ length: 8 }, (_, i) => group(`w${i}`, ["waiting", "waiting"])).flat());
  rows.filter(({ name }) => /^w.0$/.test(name)).forEach((host, i) => inHand(host, i));
  const m = model(rows);
  for (let i = 0; i < 8; i++) sent(m, `w${i}0`, i + 1, i + 1);
  assert.match(verdictOf(m, Date.parse(at(60)), here), new RegExp(`Running for 1 min; it waits for 8 devices, the longest in hand since ${clock(0)}, the last at most until ${clock(308)}; 8 more devices of their groups wait behind them\\.$`));
});

test("what is long depends on how long devices of the type take", () => {
  const changed = (name, type, s, i) => row(name, "changed", { dev_type: type, groups: [name], started: at(i), duration_ms: s * 1000 });
  const rows = Array.from({ length: 6 }, (_, i) => [changed(`l${i}`, "leaf", 1, i), changed(`s${i}`, "spine", 180, i)]).flat();
  const m = model(rows.concat(row("l9", "in_hand", { groups: ["l"], started: at(200) }), row("s9", "in_hand", { dev_type: "spine", groups: ["s"], started: at(200) }), row("e9", "in_hand", { dev_type: "edge", groups: ["e"], started: at(200) })));
  const long = (s) => holdsOf(m, Date.parse(at(s))).held.map((host) => host.name);
  assert.deepEqual([204, 206, 730, 741].map(long), [[], ["l9"], ["l9"], ["l9", "s9", "e9"]], "of a type of which none is over, all others tell");
});

test("a rate of devices that take minutes is taken over minutes", () => {
  // Ten at a time, three minutes each.
  const rows = Array.from({ length: 60 }, (_, i) => row(`h${i}`, i < 40 ? "changed" : i < 50 ? "in_hand" : "waiting", { groups: [`h${i}`], started: i < 50 ? at(Math.floor(i / 10) * 180) : null, duration_ms: i < 40 ? 180_000 : null }));
  const m = model(rows);
  for (const s of [721, 780, 899]) assert.match(verdictOf(m, Date.parse(at(s)), here), / About \d+ min( \d+ s)? left at the rate of the last 9 min\.$/, `nothing ends for three minutes, and all is well at ${s}`);
  assert.equal(outlookOf(m, Date.parse(at(721))).ms, 20 / (30 / 540_000));
  assert.equal(outlookOf(m, Date.parse(at(1081))).is, "quiet");
});

test("in its first seconds nothing is said of what is left, but what was foretold", () => {
  const m = model(Array.from({ length: 400 }, (_, i) => row(`h${i}`, i < 2 ? "changed" : "waiting", { groups: [`h${i}`], ...(i < 2 ? { started: at(0), duration_ms: 500 } : {}) })));
  const says = (s) => verdictOf(m, Date.parse(at(s)), here).replace(/^.* completed\. /, "");
  for (const s of [2, 3, 4]) assert.equal(says(s), `Running for ${s} s.`);
  m.foretell(12_000, [], true);
  for (const s of [2, 3, 4]) assert.equal(says(s), `About ${12 - s} s left of the 12 s that were expected.`);
});

test("who the canaries are is said while the others wait for them", () => {
  const m = model([row("a", "in_hand", { started: at(0) }), row("b", "waiting")]);
  m.canaries = ["a"];
  assert.match(verdictOf(m, Date.parse(at(1)), here), / The canaries go first, and alone: a\.$/);
  m.put({ ...m.byName.get("a"), state: "changed", duration_ms: 900 });
  assert.doesNotMatch(verdictOf(m, Date.parse(at(1)), here), /canaries/);
});

test("canaries, which go alone, say nothing of how fast the others are", () => {
  const m = new Model(job({ counts: { hosts: 803 } }));
  for (let i = 0; i < 803; i++) m.put(row(`h${i}`, i < 3 ? "in_hand" : "waiting", { groups: [`h${i}`], started: i < 3 ? at(0) : null }));
  m.whole();
  const end = (i, begun, s) => m.put({ ...m.byName.get(`h${i}`), state: "changed", started: at(begun), duration_ms: (s - begun) * 1000 });
  for (let i = 0; i < 3; i++) end(i, 0, 9 + i);
  const begin = (i, s) => m.put({ ...m.byName.get(`h${i}`), state: "in_hand", started: at(s) });
  for (let i = 3; i < 103; i++) begin(i, 11.5);
  const rate = (s) => rateOf(m, Date.parse(at(s)));
  for (const s of [11.5, 12, 15]) assert.equal(rate(s), null, "a hundred are in hand, where three were");
  // Ten a second from then on, and others take their places.
  for (let i = 3; i < 403; i++) {
    const s = 12 + (i - 3) / 10;
    end(i, Math.max(11.5, s - 10), s);
    begin(i + 100, s);
  }
  assert.ok(Math.abs(rate(44) - 10) < 0.5, `${rate(44)}`);
  // A pause, and what came in hand at once behind it, is no such rise.
  m.hear("job", job({ state: "paused", n: 9000, at: at(52) }));
  for (let i = 403; i < 503; i++) end(i, 42 + (i - 403) / 10, 60);
  m.hear("job", job({ n: 9001, at: at(100) }));
  for (let i = 503; i < 603; i++) begin(i, 100);
  assert.ok(Math.abs(rate(102) - 9.5) < 1, `${rate(102)}`);
});

test("what is said does not change to and fro where two estimates are near each other", () => {
  const m = model(Array.from({ length: 40 }, (_, i) => row(`h${i}`, i < 20 ? "changed" : "waiting", { groups: [`h${i}`], ...(i < 20 ? { started: at(i), duration_ms: 1000 } : {}) })));
  m.foretell(40_500, []);
  const is = new Set();
  for (let i = 20; i < 36; i++) {
    is.add(outlookOf(m, Date.parse(at(i + 0.1))).is);
    is.add(outlookOf(m, Date.parse(at(i + 0.9))).is);
    m.put(row(`h${i}`, "changed", { groups: [`h${i}`], started: at(i + (i % 3) / 4), duration_ms: 1000 }));
  }
  assert.deepEqual([...is], ["foretold"]);
});

test("a cancel says until when devices in hand may take", () => {
  const m = model([row("a", "in_hand", { started: at(1) }), row("b", "waiting"), row("c", "in_hand", { started: at(2), groups: ["h"] })], { version: "5.3.1" });
  const says = () => cancelOf(m, here, Date.parse(at(60)));
  const ends = "2 devices are in hand: an install that was sent comes to its end first";
  const rest = "for none is broken off; a device without one is put back and skipped. What has not begun is skipped: 1 device.";
  assert.equal(says(), `${ends}, within 5 min at most, ${rest}`);
  sent(m, "a", 3, 1);
  assert.equal(says(), `${ends}, within 5 min at most, ${rest}`);
  sent(m, "c", 4, 2);
  assert.equal(says(), `${ends}, at most until ${clock(304)}, ${rest}`);
  m.job.version = null; // a task that only reads
  m.installAt.clear();
  assert.equal(says(), "2 devices are in hand and come to their end first. What has not begun is skipped: 1 device.");
});

test("after a pause or a cancel an install that was sent comes to its end, and a device without one does not", () => {
  const rows = ["a", "b", "c"].map((name) => row(name, "in_hand", { started: at(1), groups: [name] }));
  const m = model(rows, { version: "5.3.1", state: "paused" });
  const says = (state) => {
    m.job.state = state;
    return verdictOf(m, Date.parse(at(60)), here).replace(/^.* completed\. /, "");
  };
  sent(m, "a", 3, 1);
  sent(m, "b", 3, 2);
  assert.equal(says("paused"), "Paused; of 3 devices in hand those whose install was sent come to their end, the others are put back.");
  assert.equal(says("cancelling"), "Nothing new starts; of 3 devices in hand those whose install was sent come to their end, the others are put back and skipped.");
  m.put({ ...m.byName.get("c"), state: "waiting", started: null });
  assert.equal(says("paused"), `Paused; a and b come to their end, at most until ${clock(303)}.`);
  m.installAt.delete("a");
  m.put(row("c", "skipped", { groups: ["c"], skipped_because: "x" }));
  m.put(row("b", "changed", { groups: ["b"], started: at(1), duration_ms: 4000 }));
  assert.match(says("paused"), / Paused; a comes to its end if its install was sent, else it is put back\.$/);
});

test("before there is a rate, what devices have taken says what is left, and not what was foretold of a faster network", () => {
  // A hundred at a time for ten seconds each, behind six canaries; three seconds were foretold of each.
  const m = model(Array.from({ length: 806 }, (_, i) => row(`h${i}`, i < 6 ? "in_hand" : "waiting", { groups: [`h${i}`], started: i < 6 ? at(0) : null })));
  m.canaries = ["h0", "h1", "h2", "h3", "h4", "h5"];
  m.foretell(40_000, [], true);
  const end = (i, begun, s) => m.put({ ...m.byName.get(`h${i}`), state: "changed", started: at(begun), duration_ms: (s - begun) * 1000 });
  const begin = (i, s) => m.put({ ...m.byName.get(`h${i}`), state: "in_hand", started: at(s) });
  const says = (s) => verdictOf(m, Date.parse(at(s)), here).replace(/^.* completed\. /, "");
  for (let i = 0; i < 5; i++) end(i, 0, 10);
  assert.match(says(10), /^About 30 s left of the 40 s that were expected\. The canaries go first/, "one of them is in hand, which is no pace");
  end(5, 0, 10.5);
  for (let i = 6; i < 106; i++) begin(i, 10.5);
  const { is, ms } = outlookOf(m, Date.parse(at(12)));
  assert.ok(is === "pace" && Math.abs(ms - 80_000) < 2000, `${is} ${ms}`);
  assert.match(says(12), /^About 1 min 21 s left by what devices have taken so far: 1 min 33 s in all, where about 40 s were expected\.$/);
  for (let i = 6; i < 66; i++) m.put({ ...m.byName.get(`h${i}`), state: "waiting", started: null });
  assert.equal(outlookOf(m, Date.parse(at(12))).is, "foretold", "behind a restart they are taken up again one by one");
  for (let i = 6; i < 66; i++) begin(i, 10.5);
  m.hear("job", job({ state: "paused", n: 9000, at: at(13) }));
  assert.match(says(60), / Once resumed, it has about 1 min 11 s to go, by what devices have taken so far\.$/);
});

test("the last devices take longer than the usual one", () => {
  const rows = Array.from({ length: 100 }, (_, i) => row(`h${i}`, i < 80 ? "changed" : i < 90 ? "in_hand" : "waiting", { groups: [`h${i}`], started: i < 90 ? at(i / 2) : null, duration_ms: i < 80 ? (i % 8 === 0 ? 9000 : 5000) : null }));
  const { is, ms } = outlookOf(model(rows), Date.parse(at(45)));
  assert.deepEqual([is, ms], ["rate", 20 / (40 / 20_000) + 4000]);
});

test("what was foretold counts no more where the groups that are left are known, and how long their devices take", () => {
  const rows = [row("s0", "failed", { dev_type: "spine", groups: ["s"], started: at(0), duration_ms: 6000 }), row("s1", "skipped", { dev_type: "spine", groups: ["s"] }),
    row("a0", "changed", { groups: ["a"], started: at(0), duration_ms: 5000 }), row("a1", "in_hand", { groups: ["a"], started: at(5) }),
    ...["waiting", "waiting", "waiting", "waiting", "waiting"].map((state, i) => row(`a${i + 2}`, state, { groups: ["a"] }))];
  const m = model(rows);
  m.foretell(60_000, [], true);
  assert.match(verdictOf(m, Date.parse(at(7)), here), / About 28 s left as the group a has 6 devices to go, 1 at a time: 35 s in all, where about 1 min were expected\.$/);
  m.put(row("s1", "waiting", { dev_type: "spine", groups: ["a"] }));
  assert.match(verdictOf(m, Date.parse(at(7)), here), / About 53 s left of the 1 min that were expected\.$/, "of a spine nothing is known but that");
});

test("the time without the service counts in no rate", () => {
  const rows = Array.from({ length: 40 }, (_, i) => (i < 20 ? row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }) : row(`h${i}`, "waiting")));
  const m = model(rows);
  const goesOn = (n, s) => m.hear("job", job({ n, at: at(s) }));
  m.heardOf(Date.parse(at(20)));
  goesOn(50, 36);
  assert.ok(Math.abs(rateOf(m, Date.parse(at(37))) - 1) < 0.1, "one a second, while it was there");
  assert.equal(m.ranMs(m.startedMs, Date.parse(at(37))), 21_000);
  assert.deepEqual(m.pauses, [{ from: Date.parse(at(20)), to: Date.parse(at(36)), isAway: true }]);
  assert.match(verdictOf(m, Date.parse(at(60)), here), / Running for 44 s, not counting 16 s without the service; /);
  m.heardOf(Date.parse(at(60)));
  m.hear("host", { ...row("h20", "in_hand", { started: at(61) }), kind: "started", at: at(61), n: 51, job: "j", attempt: 0 });
  assert.equal(m.pauses.length, 1, "it was only the stream that was lost");
});

test("the time without the service is known whatever comes first when it is back", () => {
  const away = [{ from: Date.parse(at(20)), to: Date.parse(at(36)), isAway: true }];
  const m = model([row("h0", "in_hand", { started: at(1) })]);
  m.heardOf(Date.parse(at(20)));
  m.hear("step", { job: "j", host: "h0", at: at(36), subtask: "login", state: "started", error: null });
  m.hear("job", job({ n: 50, at: at(36) }));
  assert.deepEqual(m.pauses, away, "a device is asked at once");
  const later = model([row("h0", "in_hand", { started: at(1) })]);
  later.hear("job", job({ n: 50, at: at(36) }));
  later.turn(1, { at: Date.parse(at(0)), state: "running", since: Infinity });
  later.turn(50, { at: Date.parse(at(36)), state: "running", since: Date.parse(at(20)) });
  assert.deepEqual(later.pauses, away, "a page heard of nothing before, and reads it in the store");
});

test("a retry names the version, and who would be downgraded by it", () => {
  const says = (told) => retryOf({ failed: 6, skipped: 7 }, "Upgrade to 5.4.0", told);
  const text = "A new job, Upgrade to 5.4.0, of those that failed (6) or were skipped (7), and of no other.";
  const told = { hosts: 13, to_change: 13, as_wanted: 0, unknown: 0, newer: 0 };
  assert.equal(says(null), text);
  assert.equal(says(told), text);
  assert.equal(says({ ...told, newer: 3 }), `${text} 3 of them run a newer version and would be downgraded.`);
  assert.equal(says({ ...told, as_wanted: 12 }), `${text} 12 of them run it by now, and are left as they are.`);
});

test("an install that the store tells of late is not that of a later attempt", () => {
  const m = model([row("a", "waiting")]);
  m.hear("host", { ...row("a", "in_hand", { started: at(9) }), kind: "started", at: at(9), n: 4, job: "j", attempt: 2 });
  sent(m, "a", 3, 2);
  assert.equal(limitOf(m, m.byName.get("a"), here, 0), null);
  sent(m, "a", 10, 5);
  assert.equal(limitOf(m, m.byName.get("a"), here, 0), Date.parse(at(310)));
});

test("a dry run says what becomes of devices that run a newer version", () => {
  const told = { hosts: 848, to_change: 831, as_wanted: 10, unknown: 7, newer: 393 };
  assert.equal(newerOf(told), "393 of them run a newer version and would be downgraded.");
  assert.equal(newerOf({ ...told, to_change: 438 }), "393 of them run a newer version and would fail untouched, for downgrades are refused.");
  assert.equal(newerOf({ ...told, newer: 1 }), "1 of them runs a newer version and would be downgraded.");
  assert.equal(newerOf({ ...told, newer: 0 }), "");
});

test("a dry run does not say 0 of what is not known", () => {
  const told = { hosts: 848, to_change: 831, as_wanted: 17, unknown: 0 };
  assert.equal(changesOf(told), "831; as wanted already: 17");
  assert.equal(changesOf({ ...told, to_change: 824, unknown: 7 }), "824 at least; as wanted already: 17; not known: 7, the task get version asks them");
  assert.equal(changesOf({ ...told, to_change: 0, as_wanted: 0, unknown: 848 }), "what they run is not known: the task get version asks them");
});

test("a group that stopped, with who failed and who was skipped for it; other reasons beside", () => {
  const m = model([
    row("a", "failed", { groups: ["g", "wan"], error: "login: no answer" }),
    row("b", "skipped", { groups: ["wan"], skipped_because: "a" }),
    row("c", "skipped", { groups: ["h"], skipped_because: "shutting down" }),
    row("d", "skipped", { groups: ["h"], skipped_because: "z is not up: login: connection reset" }),
  ]);
  const { stopped, others, lone } = m.stops();
  assert.deepEqual(lone, []);
  const shortOf = ({ name, failed, down, skipped }) => [name, [...failed].map((host) => host.name), [...down], skipped.map((host) => host.name)];
  assert.deepEqual(stopped.map(shortOf), [["wan", ["a"], [], ["b"]], ["h", [], [["z", "login: connection reset"]], ["d"]]]);
  assert.deepEqual(others.map(({ reason, hosts }) => [reason, hosts.length]), [["shutting down", 1], ["a peer is not up: login: connection reset", 1]]);
});

test("groups with a peer that is not up have stopped, too; the peer's name and address make no other reason", () => {
  const reset = (peer, address) => `${peer} is not up: connect to ${address}: connection refused`;
  const m = model([
    row("l0", "skipped", { groups: ["a"], skipped_because: reset("l1", "127.0.0.1:83") }),
    row("l1", "changed", { groups: ["a"] }),
    row("l2", "skipped", { groups: ["b"], skipped_because: reset("far", "127.0.0.9:83") }),
    row("s0", "skipped", { groups: ["c", "d"], skipped_because: `${reset("s1", "127.0.0.2:83")}; nor are 2 more of d` }),
    row("s1", "failed", { groups: ["c", "d"], error: "x" }),
    row("s2", "skipped", { groups: ["c", "d"], skipped_because: "s1" }),
  ]);
  const why = (address) => `connect to ${address}: connection refused`;
  const { stopped, others } = m.stops();
  assert.deepEqual(stopped.map(({ name, failed, down, skipped }) => [name, failed.size, [...down], skipped.length]),
    [["a", 0, [["l1", why("127.0.0.1:83")]], 1], ["b", 0, [["far", why("127.0.0.9:83")]], 1], ["d", 1, [], 1], ["c", 1, [], 1]], "s1 failed: that it was not up as well is no other fault");
  assert.deepEqual(others.map(({ reason, hosts }) => [reason, hosts.length]), [["a peer is not up: connect to its address: connection refused", 2]]);
  assert.match(verdictOf(m, Date.parse(at(1)), here), /^1 of 6 devices completed, 1 failed, 4 skipped, 4 groups stopped \(2 of them by a peer that is not up\)\./);
  assert.match(verdictOf(model([row("l2", "skipped", { skipped_because: reset("far", "127.0.0.9:83") })]), Date.parse(at(1)), here), / 1 group stopped by a peer that is not up\./);
});

test("a group with a failed device whose rest was skipped by a cancel is told as well", () => {
  const rows = [row("a", "failed", { error: "x" }), row("b", "skipped", { skipped_because: "cancelled" }), row("c", "failed", { groups: ["h"], error: "x" })];
  assert.deepEqual(model(rows).stops().lone.map(({ name, failed }) => [name, failed[0].name]), [["g", "a"], ["h", "c"]]);
  assert.match(verdictOf(model(rows), Date.parse(at(1)), here), /, the groups g and h have a failed device that nothing was skipped for\./);
});

test("a group whose last device failed stopped nothing; one that goes on has not failed", () => {
  const rows = [row("a", "changed", { groups: ["g"] }), row("b", "failed", { groups: ["g"], error: "x" }), row("c", "failed", { groups: ["h"], error: "x" })];
  assert.equal(model(rows.concat(row("d", "waiting", { groups: ["h"] }))).stops().lone.length, 1);
  assert.equal(model(rows.concat(row("d", "changed", { groups: ["h"] }))).stops().lone.length, 2);
  const many = Array.from({ length: 6 }, (_, i) => row(`x${i}`, "failed", { groups: [`x${i}`], error: "x" }));
  const says = (more) => verdictOf(model(more), Date.parse(at(1)), here);
  assert.match(says(many.slice(0, 2)), /, the groups x0 and x1 have a failed device that nothing was skipped for\./);
  assert.match(says(many), /, 6 groups have a failed device that nothing was skipped for\./);
  assert.match(says(many.slice(0, 1).concat(row("f", "failed", { groups: ["g"], error: "x" }), row("s", "skipped", { groups: ["g"], skipped_because: "f" }))),
    /, 1 group stopped, the other group x0 has a failed device that nothing was skipped for\./);
});

test("the same fault of many devices is one", () => {
  assert.equal(faultOf({ name: "a.b", error: "connect to 10.0.0.7:830: a.b refused" }), faultOf({ name: "c.b", error: "connect to 10.0.0.8:830: c.b refused" }));
  assert.equal(faultOf({ name: "a", error: "connect to [::1]:83: refused" }), "connect to its address: refused");
  for (const runs of ["5.2.4", "5.10.0"]) assert.equal(faultOf({ name: "a", error: `the device runs ${runs}, not 5.4.3` }, "5.4.3"), "the device runs another version, not 5.4.3");
  assert.equal(faultOf({ name: "a", error: "10.0.0.7 runs 5.2.4" }, "5.4.3"), "10.0.0.7 runs another version");
  const old = model([row("a", "failed", { error: "the device runs 5.2.4, not 5.4.3" }), row("b", "failed", { error: "the device runs 5.1.8, not 5.4.3" })], { version: "5.4.3" });
  assert.deepEqual(old.faults().map(({ hosts }) => hosts.length), [2]);
  const m = model([row("a", "failed", { error: "x" }), row("b", "failed", { error: "y" }), row("c", "failed", { error: "y" })]);
  assert.deepEqual(m.faults().map(({ text, hosts }) => [text, hosts.length]), [["y", 2], ["x", 1]]);
});

test("devices in hand over time, to the device", () => {
  const rows = [row("k", "changed", { started: at(0), duration_ms: 10_000 })];
  for (let i = 0; i < 10; i++) rows.push(row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }));
  const m = model(rows, { state: "done", ended: at(20) });
  assert.deepEqual(m.inHandOverTime(0, 4).values, [2, 2, 0, 0]);
  const open = model([row("a", "in_hand", { started: at(5) })]);
  assert.deepEqual(open.inHandOverTime(Date.parse(at(10)), 4).values, [0, 0, 1, 1]);
  // One that was put back was in hand all the same, whether it was heard of or read.
  open.hear("host", { ...row("a", "waiting"), kind: "withdrawn", at: at(7), n: 8, job: "j", attempt: 0 });
  assert.deepEqual(open.inHandOverTime(Date.parse(at(10)), 5).values, [0, 0, 1, 1, 0]);
  const read = model([row("a", "waiting")]);
  const begunAt = new Map();
  for (const [kind, s, n] of [["started", 1, 1], ["withdrawn", 3, 2], ["started", 5, 3]]) read.decided({ name: "a", state: "waiting", kind, at: at(s), n }, begunAt);
  assert.deepEqual(read.inHandOverTime(Date.parse(at(10)), 5).values, [1, 1, 0, 0, 0]);
});

test("how long it goes on: never less than the rate of the last seconds says", () => {
  const rows = Array.from({ length: 40 }, (_, i) => (i < 20 ? row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }) : row(`h${i}`, "waiting", { groups: [`g${i}`] })));
  const m = model(rows);
  const outlook = (s, foretoldMs = null) => {
    m.foretoldMs = foretoldMs;
    return outlookOf(m, Date.parse(at(s)));
  };
  assert.deepEqual(outlook(20), { is: "rate", ms: 20_000 });
  assert.deepEqual(outlook(20, 50_000), { is: "foretold", ms: 30_000 });
  assert.deepEqual(outlook(20, 20_329), { is: "rate", ms: 20_000 }, "not the 329 ms that were left of what was foretold");
  assert.deepEqual(outlook(29), { is: "rate", ms: (20 / 11) * 20_000 });
  // A rate of long ago says nothing, nor does what was foretold.
  assert.deepEqual(outlook(30), { is: "quiet", ms: 10_000 });
  assert.deepEqual(outlook(60, 90_000), { is: "quiet", ms: 40_000 });
});

test("how long it goes on after a pause: its time does not count", () => {
  const rows = Array.from({ length: 60 }, (_, i) => (i < 20 ? row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }) : i < 21 ? row("slow", "in_hand", { started: at(19) }) : row(`h${i}`, "waiting", { groups: [`g${i}`] })));
  const resumed = 20 + 3600;
  const heard = model(rows);
  heard.hear("job", job({ state: "paused", n: 1, at: at(20) }));
  heard.hear("host", { ...row("slow", "changed", { started: at(19), duration_ms: 6000 }), kind: "outcome", at: at(25), n: 2, job: "j", attempt: 1 });
  heard.hear("job", job({ n: 3, at: at(resumed) }));
  heard.hear("host", { ...row("h21", "in_hand", { started: at(resumed) }), kind: "started", at: at(resumed), n: 4, job: "j", attempt: 0 });
  assert.equal(rateOf(heard, Date.parse(at(resumed + 3))), 17 / 20, "the one that came to its end in the pause does not count");
  assert.equal(outlookOf(heard, Date.parse(at(resumed + 3))).ms, (39 * 20_000) / 17);
});

test("while it is paused: how long it has to go once it is resumed", () => {
  const m = model(Array.from({ length: 40 }, (_, i) => (i < 20 ? row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }) : row(`h${i}`, "waiting", { groups: [`g${i}`] }))));
  assert.equal(needsOf(m, Date.parse(at(20))), null, "it runs");
  m.hear("job", job({ state: "paused", n: 1, at: at(20) }));
  for (const s of [21, 3600]) assert.match(verdictOf(m, Date.parse(at(s)), here), / Paused\. Once resumed, it has about 20 s to go, at the rate of before\.$/);
  m.foretell(62_000, [], true);
  assert.match(verdictOf(m, Date.parse(at(3600)), here), / Once resumed, it has about 42 s to go, of the 1 min 2 s that were expected\.$/);
  // Those that are left may be of a few groups, which no rate knows of.
  const tail = model(Array.from({ length: 60 }, (_, i) => (i < 50 ? row(`h${i}`, "changed", { started: at(i / 5), duration_ms: 4000 }) : row(`h${i}`, "waiting", { groups: ["last"] }))));
  tail.hear("job", job({ state: "paused", n: 1, at: at(20) }));
  assert.match(verdictOf(tail, Date.parse(at(25)), here), / it has about 40 s to go, as the group last has 10 devices to go, 1 at a time\.$/);
  const early = model([row("a", "waiting")], { state: "paused" });
  assert.equal(needsOf(early, Date.parse(at(20))), null, "nothing is known");
});

test("a pause that was over when the page was opened is known from the events of before", () => {
  const rows = Array.from({ length: 60 }, (_, i) => (i < 20 ? row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }) : row(`h${i}`, "waiting", { groups: [`g${i}`] })));
  rows[20] = row("h20", "in_hand", { started: at(3620) });
  const m = model(rows);
  m.foretell(75_000, [], true);
  assert.equal(m.pauses.length, 0, "a gap may be anything");
  [[1, 0, "running"], [41, 20, "paused"], [42, 3620, "running"]].forEach(([n, s, state]) => m.turn(n, { at: Date.parse(at(s)), state, since: Infinity }));
  assert.deepEqual(outlookOf(m, Date.parse(at(3623))), { is: "foretold", ms: 52_000 });
  assert.equal(rateOf(m, Date.parse(at(3623))), 17 / 20);
  assert.match(verdictOf(m, Date.parse(at(3631)), here), / Running for 31 s, not counting 1 h paused, where about 1 min 15 s were expected; nothing has ended for 11 s;/);
  const paused = model(rows.slice(0, 20).concat(row("w", "waiting")), { state: "paused" });
  paused.hear("job", job({ n: 42, at: at(3620) }));
  assert.equal(rateOf(paused, Date.parse(at(3623))), 17 / 20);
});

test("how long it goes on, before anything has ended, and when only a few are left", () => {
  const begun = model([row("a", "in_hand", { started: at(0) }), row("b", "waiting")]);
  assert.deepEqual(outlookOf(begun, Date.parse(at(30))), { is: "none", ms: 30_000 });
  begun.foretoldMs = 60_000;
  assert.deepEqual(outlookOf(begun, Date.parse(at(30))), { is: "foretold", ms: 30_000 });
  assert.deepEqual(outlookOf(begun, Date.parse(at(70))), { is: "none", ms: 70_000 });
  const last = model([row("a", "changed", { started: at(0), duration_ms: 1000 }), row("b", "in_hand", { started: at(2) }), row("c", "in_hand", { started: at(4) })]);
  assert.deepEqual(outlookOf(last, Date.parse(at(14))), { is: "last", ms: 12_000 });
  // Of devices in doubt no rate says anything.
  const rows = Array.from({ length: 40 }, (_, i) => (i < 20 ? row(`h${i}`, "changed", { started: at(i), duration_ms: 1000 }) : i < 30 ? row(`h${i}`, "waiting", { groups: [`g${i}`] }) : row(`h${i}`, "in_hand", { started: at(0), in_doubt: true })));
  assert.deepEqual(outlookOf(model(rows), Date.parse(at(20))), { is: "rate", ms: 10_000 });
});

test("a device that takes long is what is said, once the others are as good as done", () => {
  const rows = Array.from({ length: 40 }, (_, i) => (i < 30 ? row(`h${i}`, "changed", { started: at(i / 2), duration_ms: 1000 }) : i < 39 ? row(`h${i}`, "in_hand", { started: at(11 + (i - 30) / 2) }) : row("slow", "in_hand", { started: at(0), groups: ["s"] })));
  const m = model(rows);
  assert.equal(outlookOf(m, Date.parse(at(16))).is, "rate");
  for (let i = 30; i < 34; i++) m.put({ ...m.byName.get(`h${i}`), state: "changed", duration_ms: 500 });
  assert.deepEqual(outlookOf(m, Date.parse(at(16.2))), { is: "last", ms: 16_200 });
});

test("a job that is over tells for how long it stood still", () => {
  const rows = Array.from({ length: 20 }, (_, i) => row(`h${i}`, "changed", { started: at(i < 10 ? i : i + 60), duration_ms: 1000 }));
  const done = { state: "done", outcome: "completed", ended: at(80) };
  const m = model(rows, done);
  const turns = [[1, 0, "running"], [21, 11, "paused"], [22, 31, "running"], [23, 61, "running", 41], [43, 80, "done"]];
  turns.forEach(([n, s, state, since = s]) => m.turn(n, { at: Date.parse(at(s)), state, since: Date.parse(at(since)) }));
  assert.match(verdictOf(m, Date.parse(at(90)), here), / It took 1 min 20 s, 20 s paused and 20 s without the service of that, from /);
  assert.match(verdictOf(model(rows.slice(0, 10), { ...done, ended: at(10) }), Date.parse(at(90)), here), / It took 10 s, from /);
});

test("steps: a call with how long it took; what was decided stands where it was", () => {
  const m = model([row("a", "waiting")]);
  const step = (s, subtask, state, error = null) => m.hear("step", { host: "a", subtask, state, error, job: "j", at: at(s) });
  m.hear("host", { ...row("a", "in_hand"), kind: "started", at: at(0), n: 1, job: "j", attempt: 0 });
  step(1, "login", "started");
  step(2, "login", "completed");
  step(5, "install_os_version", "started");
  m.hear("host", { ...row("a", "in_hand"), kind: "intent", at: at(4), n: 2, job: "j", attempt: 1 });
  step(9, "install_os_version", "completed", "no space");
  // All of it in one millisecond, and what was decided told last.
  m.put(row("b", "waiting"));
  const both = (what, state) => m.hear("step", { host: "b", subtask: what, state, error: null, job: "j", at: at(20) });
  both("login", "started");
  both("login", "completed");
  both("install_os_version", "started");
  [["started", 3], ["intent", 4]].forEach(([kind, n]) => m.hear("host", { ...row("b", "in_hand"), kind, at: at(20), n, job: "j", attempt: 1 }));
  m.hear("host", { ...row("b", "failed"), kind: "outcome", at: at(20), n: 5, job: "j", attempt: 1 });
  const shown = m.stepsOf("b").map(({ what }) => what);
  assert.equal(shown[0], "started");
  assert.ok(shown.indexOf("intent") < shown.indexOf("install_os_version"), shown.join());
  assert.equal(shown.at(-1), "failed");
  assert.deepEqual(m.stepsOf("a").map(({ what, took, error }) => [what, took, error]),
    [["started", null, null], ["login", 1000, null], ["intent", null, null], ["install_os_version", 4000, "no space"]]);
});

test("every tile has a place of its own, in its group's frame and its site's panel", () => {
  const hosts = Array.from({ length: 500 }, (_, index) => ({ index, name: `h${index}`, site: index % 3 === 0 ? "a" : "b", groups: [`g${Math.floor(index / 6)}`] }));
  const map = layout(hosts, 700, 14);
  assert.equal(map.panels.length, 2);
  for (const panel of map.panels)
    for (const frame of panel.frames)
      for (const host of frame.hosts) {
        assert.ok(map.x[host.index] >= frame.x && map.x[host.index] + 14 <= frame.x + frame.w && map.y[host.index] + 14 <= frame.y + frame.h);
        assert.ok(frame.x + frame.w <= panel.x + panel.w && frame.y + frame.h <= panel.y + panel.h && panel.y + panel.h <= map.height);
        assert.equal(hit(map, map.x[host.index] + 7, map.y[host.index] + 7), host);
      }
  assert.equal(new Set(hosts.map((host) => `${map.x[host.index]} ${map.y[host.index]}`)).size, 500);
  assert.equal(hit(map, -1, -1), null);
  const right = neighbour(map, hosts, hosts[0], 1, 0);
  assert.ok(map.x[right.index] > map.x[0] && map.y[right.index] === map.y[0]);
  const below = neighbour(map, hosts, hosts[0], 0, 1, 200);
  assert.ok(Math.abs(map.y[below.index] - map.y[0] - 200) < 20 && map.x[below.index] === map.x[0]);
  const lowest = hosts.reduce((low, host) => (map.y[host.index] > map.y[low.index] ? host : low));
  assert.equal(neighbour(map, hosts, lowest, 0, 1), null);
  assert.equal(neighbour(map, hosts, lowest, 0, 1, 200), null);
});

test("events are whole, however they come in pieces", () => {
  const text = 'id: 7\nevent: host\ndata: {"a": 1}\n\n: beat\n\nevent: step\ndata: {}\n\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const told = [];
    const rest = parse(parse(text.slice(0, cut), (event) => told.push(event)) + text.slice(cut), (event) => told.push(event));
    assert.equal(rest, "");
    assert.deepEqual(told, [{ id: "7", name: "host", data: '{"a": 1}' }, { id: null, name: "step", data: "{}" }]);
  }
});

test("durations, as people read them", async () => {
  const { about, duration } = await load("dom.js");
  for (const [ms, text] of [[null, ""], [0, "under 1 ms"], [850, "850 ms"], [1000, "1 s"], [4100, "4.1 s"], [9990, "10 s"], [59_400, "59 s"], [60_000, "1 min"],
    [200_000, "3 min 20 s"], [3_600_000, "1 h"], [7_500_000, "2 h 5 min"]]) assert.equal(duration(ms), text);
  for (const [ms, text] of [[0, "1 s"], [329, "1 s"], [1001, "2 s"], [59_001, "1 min"], [300_000, "5 min"]]) assert.equal(about(ms), text);
});

const node = (id, beat, more = {}) => ({ id, place: `process ${id} on ams`, version: 1, ready: true, shards: 512, ranges: [], hungry: false, beat, this: false, ...more });
const told = (nodes, free = 0) => ({ nodes, shards: 1024, free_shards: free });

test("nodes are told with what they have, and the page's own", () => {
  const cluster = new Cluster();
  cluster.hear(told([node("1", 5, { this: true }), node("2", 5, { hungry: true })], 1), 1000);
  assert.deepEqual(cluster.rows(2000), [
    { id: "1", place: "process 1 on ams", is: "this", text: "512 of 1,024 shards" },
    { id: "2", place: "process 2 on ams", is: "alive", text: "512 of 1,024 shards, workers without work" }]);
  assert.equal(cluster.freeText(), "1 shard is nobody's now; a node takes them within seconds.");
  cluster.hear(told([node("1", 6, { this: true })]), 2000);
  assert.equal(cluster.freeText(), "");
});

test("which devices a node works on; one that is not ready works on none", () => {
  const cluster = new Cluster();
  cluster.hear(told([node("1", 5, { this: true, ranges: [[0, 9], [700, 700]] }), node("2", 5, { ready: false, shards: 0 })]), 1000);
  const hosts = [{ name: "a", shard: 9 }, { name: "b", shard: 10 }, { name: "c", shard: 700 }];
  assert.deepEqual(cluster.hostsOf("1", hosts).map(({ name }) => name), ["a", "c"]);
  assert.deepEqual(cluster.hostsOf("2", hosts), []);
  assert.equal(cluster.rows(1000)[1].text, "0 of 1,024 shards, not ready: it takes none");
});

test("a node whose beat stands still is silent, then gone, then forgotten", () => {
  const cluster = new Cluster();
  const own = (beat) => node("1", beat, { this: true });
  cluster.hear(told([own(1), node("2", 7), node("3", 1)]), 0);
  cluster.hear(told([own(2), node("2", 7), node("3", 2)]), 3000);
  assert.deepEqual(cluster.others(3000), ["process 2 on ams", "process 3 on ams"]);
  cluster.hear(told([own(3), node("2", 7), node("3", 3)]), 6000);
  assert.deepEqual(cluster.rows(6000)[1], { id: "2", place: "process 2 on ams", is: "still", text: "512 of 1,024 shards; no sign of life for 6 s" });
  assert.deepEqual(cluster.others(6000), ["process 3 on ams"]);
  assert.equal(elsewhereOf(cluster.others(6000)), " Its jobs go on at the other node: process 3 on ams. The page of that one shows them.");
  cluster.hear(told([own(4), node("3", 4)]), 11_000);
  assert.equal(cluster.rows(11_000)[1].is, "gone");
  assert.match(cluster.rows(11_000)[1].text, /^gone since \d\d:\d\d:\d\d; /);
  cluster.hear(told([own(5), node("3", 5)]), 72_000);
  assert.deepEqual(cluster.rows(72_000).map(({ is }) => is), ["this", "alive"]);
  assert.equal(elsewhereOf([]), "");
});
