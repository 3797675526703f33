// The card of the nodes, where several orchestrators share the network. It is looked at every few seconds,
// and only while somebody can see it.

import { $, fill, h, plural, say } from "./dom.js";
import { get, serviceNow } from "./api.js";
import { Cluster, elsewhereOf } from "./cluster.js";
import { isAway, knownNow } from "./reach.js";

const EVERY_MS = 3000;

const cluster = new Cluster();
let isOne = false; // the service is one node, and has said so
let isAsked = false;
let heardMs = 0;
let drawn = "";
let marked = null; // the node whose devices are marked on the map
let hosts = []; // all, each with its shard
let mark = () => {};

export const elsewhere = () => elsewhereOf(cluster.others(heardMs));

const notes = { this: "this page's", still: "silent", gone: "gone" };

async function hear() {
  const answer = await get("/nodes/");
  heardMs = serviceNow();
  cluster.hear(answer, heardMs);
}

const MARKS = 5000;

function drawMarks() {
  const found = marked === null ? [] : cluster.hostsOf(marked, hosts);
  mark(found.slice(0, MARKS).map(({ name }) => name));
  return found.length;
}

// Marks the devices of a node on the map, or none any more.
async function toggle(id) {
  marked = marked === id ? null : id;
  if (marked !== null) {
    hosts = (await get("/hosts/")).hosts;
    await hear();
  }
  const found = drawMarks();
  drawn = "";
  draw();
  say($("nodes-marked"), marked === null ? "" : `${plural(found, "device")} marked on the map`);
}

export function draw() {
  if (heardMs === 0) return;
  const rows = cluster.rows(knownNow());
  const is = JSON.stringify([rows, isAway(), marked]);
  say($("nodes-free"), cluster.freeText());
  $("nodes-free").hidden = cluster.free === 0;
  if (is === drawn) return;
  drawn = is;
  $("nodes").hidden = false;
  const focused = document.activeElement?.closest?.("#nodes-list") ? document.activeElement.dataset.id : null;
  fill($("nodes-list"), rows.map((row) => {
    const note = row.is === "this" && isAway() ? "not reached" : notes[row.is];
    return h("li", { "data-is": row.is },
      h("span", { class: "line" }, h("strong", {}, row.place), note === undefined ? null : h("span", { class: "chip" }, note)),
      h("span", { class: "part quiet" }, row.text),
      row.is === "gone" ? null : h("button", { class: "plain", type: "button", "data-id": row.id, "aria-pressed": String(marked === row.id),
        "aria-label": `Mark the devices of ${row.place} on the map`, onclick: () => toggle(row.id).catch((error) => say($("nodes-marked"), error.message)) },
      marked === row.id ? "Marked on the map" : "Mark its devices on the map"));
  }));
  if (focused !== null) $("nodes-list").querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
}

async function look() {
  if (isOne || isAsked || isAway() || document.hidden) return;
  isAsked = true;
  try {
    await hear();
    if (marked !== null) drawMarks();
    draw();
  } catch (error) {
    isOne = error.status === 404; // else it is asked again
  } finally {
    isAsked = false;
  }
}

// markNames: of devices, on the map.
export function start(markNames) {
  mark = markNames;
  look();
  const timer = setInterval(() => {
    if (isOne) clearInterval(timer);
    else look();
  }, EVERY_MS);
  document.addEventListener("visibilitychange", look);
}
