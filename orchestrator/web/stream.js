// Server-Sent Events with fetch: unlike EventSource it goes on after an answer that is an error, as
// a service gives that is shutting down, and it notices a connection that is dead.

import { fetchService } from "./access.js";
import { parse } from "./sse.js";

const waits = [250, 500, 1000, 2000, 4000]; // ms until the next attempt
const SILENCE_MS = 25_000; // the service says something every 15 s

// Until the answer ends; heard() with each piece of it.
async function read(answer, tell, heard = () => {}) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    rest = parse(rest + value, tell);
  }
}

// Tells the events of path behind an id, until one is answered with false, or there are no more.
export async function events(path, lastId, tell) {
  const controller = new AbortController();
  const answer = await fetchService(path, { headers: { "Last-Event-ID": lastId }, signal: controller.signal, cache: "no-store" });
  if (answer.status !== 200) throw new Error(`the service answers ${answer.status}`);
  let isEnough = false;
  try {
    await read(answer, (event) => {
      isEnough ||= !tell(event.name, JSON.parse(event.data));
      if (isEnough) controller.abort();
    });
  } catch (error) {
    if (!isEnough) throw error;
  }
}

// Follows path until the page is left. on.event(name, data), on.live(), on.away(why, ms, silentMs): it
// tries again in ms; nothing was heard for silentMs.
// Returns drop(), which ends the connection; the next one goes on behind the last event.
export function follow(path, on) {
  let lastId = null;
  let failures = 0;
  let controller = null;
  let wake = null;
  let silentMs = 0;

  async function once() {
    controller = new AbortController();
    let silence = 0;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        silentMs = SILENCE_MS;
        controller.abort(new Error("the service says nothing any more"));
      }, SILENCE_MS);
    };
    silentMs = 0;
    listen();
    try {
      const headers = lastId === null ? {} : { "Last-Event-ID": lastId };
      const answer = await fetchService(path, { headers, signal: controller.signal, cache: "no-store" });
      if (!answer.ok) {
        const body = await answer.json().catch(() => null);
        throw new Error(body?.detail ?? `the service answers ${answer.status}`);
      }
      on.live();
      await read(answer, (event) => {
        on.event(event.name, JSON.parse(event.data));
        if (event.id !== null) lastId = event.id;
      }, () => {
        listen();
        failures = 0;
      });
      return "the service ended the stream";
    } catch (error) {
      return error.name === "TypeError" ? "the service does not answer" : error.message;
    } finally {
      clearTimeout(silence);
    }
  }

  (async () => {
    for (;;) {
      const why = await once();
      const ms = waits[Math.min(failures++, waits.length - 1)];
      on.away(why, ms, silentMs);
      await new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, ms);
      });
    }
  })();

  addEventListener("online", () => wake?.());
  return () => controller?.abort(new Error("the connection was dropped"));
}
