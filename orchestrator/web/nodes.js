// The card of the nodes, where several orchestrators share the network. It is looked at every few seconds,
// and only while somebody can see it.

import { $, fill, h, say } from "./dom.js";
import { get, serviceNow } from "./api.js";
import { Cluster, elsewhereOf } from "./cluster.js";
import { isAway, knownNow } from "./reach.js";

const EVERY_MS = 3000;

const cluster = new Cluster();
let isOne = false; // the service is one node, and has said so
let isAsked = false;
let heardMs = 0;
let drawn = "";

export const elsewhere = () => elsewhereOf(cluster.others(heardMs));

const notes = { this: "this page's", still: "silent", gone: "gone" };

export function draw() {
  if (heardMs === 0) return;
  const rows = cluster.rows(knownNow());
  const is = JSON.stringify([rows, isAway()]);
  say($("nodes-free"), cluster.freeText());
  $("nodes-free").hidden = cluster.free === 0;
  if (is === drawn) return;
  drawn = is;
  $("nodes").hidden = false;
  fill($("nodes-list"), rows.map((row) => {
    const note = row.is === "this" && isAway() ? "not reached" : notes[row.is];
    return h("li", { "data-is": row.is },
      h("span", { class: "line" }, h("strong", {}, row.place), note === undefined ? null : h("span", { class: "chip" }, note)),
      h("span", { class: "part quiet" }, row.text));
  }));
}

async function look() {
  if (isOne || isAsked || isAway() || document.hidden) return;
  isAsked = true;
  try {
    const answer = await get("/nodes/");
    heardMs = serviceNow();
    cluster.hear(answer, heardMs);
    draw();
  } catch (error) {
    isOne = error.status === 404; // else it is asked again
  } finally {
    isAsked = false;
  }
}

export function start() {
  look();
  const timer = setInterval(() => {
    if (isOne) clearInterval(timer);
    else look();
  }, EVERY_MS);
  document.addEventListener("visibilitychange", look);
}
