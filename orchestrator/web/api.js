// Requests to the service, and to the simulator where the page is told of one.

import { fetchService } from "./access.js";

export class Problem extends Error {
  constructor(status, detail, field) {
    super(detail);
    this.status = status; // 0: nobody answered
    this.field = field;
  }
}

// The service's clock may be another one; its answers are dated to the second.
let skewMs = 0;
export const serviceNow = () => Date.now() - skewMs;

function readClock(answer) {
  const skew = Date.now() - Date.parse(answer.headers.get("Date") ?? "");
  if (Number.isNaN(skew) || Math.abs(skew - skewMs) < 2500) return;
  skewMs = skew;
}

async function ask(url, options, withAnswer = () => {}) {
  let answer;
  try {
    answer = await (url.startsWith("/") ? fetchService : fetch)(url, options);
  } catch {
    throw new Problem(0, "the service does not answer");
  }
  if (url.startsWith("/")) readClock(answer);
  const text = await answer.text();
  let body = null;
  try {
    body = text === "" ? null : JSON.parse(text);
  } catch {
    throw new Problem(answer.status, `the answer is not JSON: ${text.slice(0, 200)}`);
  }
  if (!answer.ok) throw new Problem(answer.status, body?.detail ?? answer.statusText, body?.field);
  withAnswer(answer);
  return body;
}

export const get = (url, signal) => ask(url, { signal });

export function post(url, body, headers = {}) {
  const options = { method: "POST", headers };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  return ask(url, options);
}

export const remove = (url) => ask(url, { method: "DELETE" });

// The rows of a job's devices, a page at a time, and the last event of the job that they have.
export async function eachPage(id, take, signal, filter = "") {
  const limit = 1000;
  let after = "";
  for (;;) {
    let n = 0;
    const { hosts } = await ask(`/jobs/${id}/hosts/?limit=${limit}${filter}${after}`, { signal }, (answer) => (n = Number(answer.headers.get("Last-Event-ID"))));
    take(hosts, n);
    if (hosts.length < limit) return;
    after = `&after=${encodeURIComponent(hosts.at(-1).name)}`;
  }
}

// What is asked for twice, because the first answer was lost, is done once.
export function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
export const simulator = meta("simulator").replace(/\/$/, "");

// The service that this page is connected to: when it started, and how long it asks a device in doubt.
export const service = { startedMs: Number(meta("started-ms")), installTimeoutMs: Number(meta("install-timeout-ms")) };

// ... which may have been restarted since.
export async function readService() {
  const html = await (await fetchService("/", { cache: "no-store" })).text();
  const told = (name) => Number(new RegExp(`name="${name}" content="([0-9]+)"`).exec(html)?.[1] ?? NaN);
  if (Number.isNaN(told("started-ms"))) return;
  Object.assign(service, { startedMs: told("started-ms"), installTimeoutMs: told("install-timeout-ms") });
}
