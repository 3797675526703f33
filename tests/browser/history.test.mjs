// When installs were sent that the page has not heard of: looked for in the store's events, without a browser.
import { test } from "node:test";
import assert from "node:assert/strict";
import { load } from "./load.mjs";

const { Model } = await load("model.js");
const { readInstalls } = await load("history.js");

const at = (ms) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();

// A service that tells a job's events one by one, as they are read.
function serve(events) {
  const seen = { requests: [], told: 0 };
  globalThis.fetch = async (path, { headers, signal }) => {
    assert.equal(path, "/jobs/j/events/");
    let n = Number(headers["Last-Event-ID"]);
    seen.requests.push(n);
    const body = new ReadableStream({
      pull(stream) {
        if (signal.aborted || n === events.length) return stream.close();
        seen.told++;
        const event = events[n++];
        return stream.enqueue(new TextEncoder().encode(`id: ${event.n}\nevent: host\ndata: ${JSON.stringify(event)}\n\n`));
      },
    }, { highWaterMark: 0 });
    signal.addEventListener("abort", () => {}); // as fetch() would, it ends at the next read
    return new Response(body);
  };
  return seen;
}

// `count` devices, of 10 ms each and ten at a time; those of hang come to no end, and send their install 5 ms after their
// start, or never.
function jobOf(count, hang, more = {}) {
  const rows = [];
  const timed = [];
  for (let i = 0; i < count; i++) {
    const name = `h${i}`;
    const start = Math.floor(i / 10) * 10;
    const isHung = hang.has(name);
    rows.push({ name, site: "s", dev_type: "leaf", groups: [name], state: isHung ? "in_hand" : "changed", started: at(start), duration_ms: isHung ? null : 9,
      from_version: null, to_version: null, error: null, skipped_because: null, in_doubt: false });
    const tell = (ms, kind, state) => timed.push({ ms, event: { name, kind, state, at: at(ms), job: "j", attempt: 1 } });
    tell(start, "started", "in_hand");
    if (hang.get(name) !== "never") tell(start + 5, "intent", "in_hand");
    if (!isHung) tell(start + 9, "outcome", "changed");
  }
  const events = timed.sort((a, b) => a.ms - b.ms).map(({ event }, i) => ({ ...event, n: i + 1 }));
  const model = new Model({ id: "j", state: "running", version: "5.3.1", created: at(0), started: at(0), ended: null, counts: { hosts: count }, ...more });
  rows.forEach((row) => model.put(row, events.length));
  model.reach(events.length);
  model.whole();
  model.heardMs = Date.parse(at(3_600_000));
  return { model, events };
}

const found = (model) => new Promise((then) => readInstalls(model, then));

test("the install of a device that hangs since long ago is found without all that came behind it", async () => {
  const hang = new Map([["h15000", "sent"], ["h15001", "sent"], ["h19999", "sent"]]);
  const { model, events } = jobOf(20_000, hang);
  const seen = serve(events);
  await found(model);
  for (const [name, start] of [["h15000", 15_000], ["h15001", 15_000], ["h19999", 19_990]]) assert.equal(model.installAt.get(name), Date.parse(at(start + 5)), name);
  assert.equal(seen.requests.length, 2, "two are near each other");
  assert.ok(seen.told < 10_000, `${seen.told} of ${events.length} events`);
  readInstalls(model, () => assert.fail("it is known"));
});

test("a device that hangs and was sent no install is looked for once, and not for ever", async () => {
  const { model, events } = jobOf(20_000, new Map([["h0", "never"], ["h9000", "sent"]]));
  const seen = serve(events);
  await found(model);
  assert.deepEqual([...model.installAt.keys()], ["h9000"]);
  assert.ok(seen.told < 10_000, `${seen.told} of ${events.length} events`);
  readInstalls(model, () => assert.fail("it was looked for"));
});

test("of a task that sends no install nothing is read", () => {
  const { model, events } = jobOf(20, new Map([["h3", "never"]]), { version: null });
  const seen = serve(events);
  readInstalls(model, () => assert.fail("there is none"));
  assert.deepEqual(seen.requests, []);
});

test("what is in hand since the page listens is heard, and not read", () => {
  const { model, events } = jobOf(20, new Map([["h19", "sent"]]));
  const seen = serve(events);
  model.heardMs = Date.parse(at(-60_000));
  readInstalls(model, () => assert.fail("it is heard"));
  assert.deepEqual(seen.requests, []);
});
