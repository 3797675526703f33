// The list of jobs, finished ones too.

import { $, count, day, duration, fill, h, say } from "./dom.js";
import { get } from "./api.js";
import { titleOf, wordOf } from "./job.js";
import { laterOf } from "./model.js";
import { isAway } from "./reach.js";

const PAGE = 20;

const jobs = new Map(); // by id, the newest first
let hasOlder = false;

export const all = () => [...jobs.values()].sort((a, b) => (b.created ?? "").localeCompare(a.created ?? ""));
export const find = (id) => jobs.get(id);

export function put(job) {
  jobs.set(job.id, laterOf(jobs.get(job.id), job));
}

export async function load() {
  const { jobs: list } = await get(`/jobs/?limit=${PAGE}`);
  list.forEach(put);
  if (jobs.size <= PAGE) hasOlder = list.length === PAGE;
}

async function loadOlder() {
  const { jobs: list } = await get(`/jobs/?limit=${PAGE}&after=${all().at(-1).id}`);
  list.forEach(put);
  hasOlder = list.length === PAGE;
}

let drawn = "";

export function draw(shownId) {
  const list = all();
  const is = JSON.stringify([shownId, hasOlder, isAway(), list.map((job) => [job.id, wordOf(job), job.counts])]);
  if (is === drawn) return;
  drawn = is;
  $("jobs-none").hidden = list.length > 0;
  $("jobs-more").hidden = !hasOlder;
  const focused = document.activeElement?.closest?.("#jobs-list") ? document.activeElement.getAttribute("href") : null;
  fill($("jobs-list"), list.map((job) => {
    // In the words of the sentence about the job.
    const { hosts, changed, unchanged, failed, skipped } = job.counts;
    const parts = [`${count(changed + unchanged)} of ${count(hosts)} completed`];
    if (failed > 0) parts.push(`${count(failed)} failed`);
    if (skipped > 0) parts.push(`${count(skipped)} skipped`);
    return h("li", {}, h("a", { href: `#/jobs/${job.id}`, "aria-current": job.id === shownId ? "true" : null },
      h("span", { class: "line" }, h("strong", {}, titleOf(job)), h("span", { class: "chip", "data-is": isAway() && job.state !== "done" ? "away" : wordOf(job) }, wordOf(job))),
      h("span", { class: "part quiet" }, parts.join(", ")),
      h("span", { class: "part quiet" }, job.created === null ? "" : day(job.created), job.started && job.ended ? `, took ${duration(Date.parse(job.ended) - Date.parse(job.started))}` : "")));
  }));
  if (focused !== null) $("jobs-list").querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true }); // who has clicked it looks at the job
}

export function start(onChange, notice) {
  $("jobs-more").addEventListener("click", () => loadOlder().then(onChange, (error) => notice(`older jobs: ${error.message}`)));
  say($("jobs-more"), "Older jobs");
}
