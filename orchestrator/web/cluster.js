// The nodes that share the network, as /nodes/ tells them again and again. Pure.
//
// A node is listed while it is alive, and until 10 s after that: so its beat is looked at, which rises
// every 2 s. One that has left the list is told for a while.

import { about, clock, count, plural } from "./dom.js";

const STILL_MS = 5000; // without a beat is worth a word
const GONE_MS = 60_000; // for so long it is told that a node has gone

export class Cluster {
  constructor() {
    this.nodes = new Map(); // by id: {node, beatMs, goneMs}
    this.shards = 0;
    this.free = 0;
  }

  // now: when the answer came.
  hear({ nodes, shards, free_shards }, now) {
    const listed = new Set(nodes.map(({ id }) => id));
    for (const node of nodes) {
      const known = this.nodes.get(node.id);
      const stands = known !== undefined && known.node.beat === node.beat;
      this.nodes.set(node.id, { node, beatMs: stands ? known.beatMs : now, goneMs: null });
    }
    for (const [id, known] of this.nodes) {
      if (listed.has(id)) continue;
      known.goneMs ??= now;
      if (now - known.goneMs > GONE_MS) this.nodes.delete(id);
    }
    this.shards = shards;
    this.free = free_shards;
  }

  // Those of the hosts, as /hosts/ tells them, that the node works on.
  hostsOf(id, hosts) {
    const ranges = this.nodes.get(id)?.node.ranges ?? [];
    return hosts.filter(({ shard }) => ranges.some(([first, last]) => shard >= first && shard <= last));
  }

  // [{id, place, is: "this" | "alive" | "still" | "gone", text}], in the order in which they came.
  rows(now) {
    return [...this.nodes.values()].map(({ node, beatMs, goneMs }) => {
      const { id, place } = node;
      const stillMs = now - beatMs;
      if (goneMs !== null) return { id, place, is: "gone", text: `gone since ${clock(goneMs)}; the others have its shards, or take them` };
      const state = !node.ready ? ", not ready: it takes none" : node.hungry ? ", workers without work" : "";
      const has = `${count(node.shards)} of ${plural(this.shards, "shard")}${state}`;
      if (!node.this && stillMs >= STILL_MS) return { id, place, is: "still", text: `${has}; no sign of life for ${about(stillMs)}` };
      return { id, place, is: node.this ? "this" : "alive", text: has };
    });
  }

  freeText() {
    return this.free === 0 ? "" : `${plural(this.free, "shard")} ${this.free === 1 ? "is" : "are"} nobody's now; a node takes them within seconds.`;
  }

  // Where the work goes on when the node that tells is not reached: the places of the others.
  others(now) {
    return [...this.nodes.values()].filter(({ node, beatMs, goneMs }) => !node.this && goneMs === null && now - beatMs < STILL_MS).map(({ node }) => node.place);
  }
}

// What is said of that beside that the service is not reached; nothing where there are no others.
export const elsewhereOf = (others) => (others.length === 0 ? "" :
  ` Its jobs go on at ${others.length === 1 ? "the other node" : `the ${others.length} other nodes`}: ${others.join(", ")}. The page of ${others.length === 1 ? "that one" : "each"} shows them.`);
