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

async function ask(url, options) {
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

// The rows of a job's devices, a page at a time.
export async function eachPage(id, take, signal) {
  const limit = 1000;
  let after = "";
  for (;;) {
    const { hosts } = await get(`/jobs/${id}/hosts/?limit=${limit}${after}`, signal);
    take(hosts);
    if (hosts.length < limit) return;
    after = `&after=${encodeURIComponent(hosts.at(-1).name)}`;
  }
}

// What is asked for twice, because the first answer was lost, is done once.
export function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export const simulator = document.querySelector('meta[name="simulator"]').content.replace(/\/$/, "");
