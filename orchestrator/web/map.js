// The network on a canvas: only what is in sight is drawn, so that a hundred thousand devices scroll
// like eight hundred.

import { $, plural, say, stateWords } from "./dom.js";
import { hit, layout, neighbour, tileSize } from "./layout.js";
import { lookOf } from "./model.js";

const looks = ["waiting", "in_hand", "changed", "unchanged", "failed", "skipped", "in_doubt"];

const PAPER_MAX = 6000; // what is higher is cut there

const area = $("map");
const space = $("map-space");
const canvas = $("map-canvas");
const pen = canvas.getContext("2d");

let hosts = [];
let map = layout([], 600, 14);
let sprites = {};
let colours = {};
let chosen = null; // the device with the focus
let marked = new Set(); // what is looked for, by name
let isDue = false;
let isLaidOut = false;
let isOnPaper = false; // where nothing scrolls
let open = () => {};

// --- tiles: a colour and a shape each

function shape(p, look, s) {
  const a = s * 0.24;
  const b = s - a;
  const middle = s / 2;
  p.beginPath();
  if (look === "changed") {
    p.moveTo(a, middle);
    p.lineTo(s * 0.42, b);
    p.lineTo(b, a);
  } else if (look === "failed") {
    p.moveTo(a, a);
    p.lineTo(b, b);
    p.moveTo(b, a);
    p.lineTo(a, b);
  } else if (look === "unchanged") {
    p.moveTo(a, s * 0.38);
    p.lineTo(b, s * 0.38);
    p.moveTo(a, s * 0.64);
    p.lineTo(b, s * 0.64);
  } else if (look === "skipped") {
    p.moveTo(a, b);
    p.lineTo(b, a);
  } else if (look === "in_hand") {
    p.moveTo(a, a);
    p.lineTo(b, middle);
    p.lineTo(a, b);
    p.closePath();
    p.fill();
    return;
  } else if (look === "in_doubt") {
    p.arc(middle, s * 0.38, s * 0.17, Math.PI, Math.PI * 2.4);
    p.lineTo(middle, s * 0.66);
    p.moveTo(middle, s * 0.78);
    p.lineTo(middle, s * 0.86);
  }
  p.stroke();
}

function draw(look, size, ratio) {
  const sprite = document.createElement("canvas");
  sprite.width = sprite.height = Math.ceil(size * ratio);
  const p = sprite.getContext("2d");
  p.scale(ratio, ratio);
  p.lineWidth = Math.max(1.3, size / 8);
  if (look === "waiting") {
    p.strokeStyle = colours.waiting;
    p.lineWidth = 1;
    p.strokeRect(0.5, 0.5, size - 1, size - 1);
    return sprite;
  }
  p.fillStyle = colours[look];
  p.fillRect(0, 0, size, size);
  p.strokeStyle = p.fillStyle = colours.paper;
  shape(p, look, size);
  return sprite;
}

export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of [...looks, "paper", "raised", "ink", "quiet", "line", "focus"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
  const ratio = devicePixelRatio || 1;
  sprites = Object.fromEntries(looks.map((look) => [look, draw(look, map.tile, ratio)]));
  repaint();
}

export function legend() {
  const ratio = devicePixelRatio || 1;
  return looks.map((look) => {
    const item = document.createElement("li");
    const mark = draw(look, 16, ratio);
    mark.setAttribute("aria-hidden", "true");
    item.append(mark, stateWords[look]);
    return item;
  });
}

// --- painting

function firstBelow(frames, y) {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle].y + frames[middle].h < y) low = middle + 1;
    else high = middle;
  }
  // Frames of a row differ in height: some of the row before may reach further down.
  return Math.max(0, low - 64);
}

function paintPanel(panel, top, bottom) {
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  pen.strokeRect(panel.x + 0.5, panel.y + 0.5, panel.w - 1, panel.h - 1);
  if (panel.y + 24 > top) {
    const failed = panel.hosts.reduce((n, host) => n + (host.state === "failed"), 0);
    pen.fillStyle = colours.ink;
    pen.font = "600 13px system-ui, sans-serif";
    pen.fillText(panel.site, panel.x + 8, panel.y + 16, panel.w - 130);
    pen.textAlign = "right";
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = failed > 0 ? colours.failed : colours.quiet;
    pen.fillText(failed > 0 ? `✕ ${failed} of ${panel.hosts.length} failed` : plural(panel.hosts.length, "device"), panel.x + panel.w - 8, panel.y + 16);
    pen.textAlign = "left";
  }
  const frames = panel.frames;
  for (let i = firstBelow(frames, top); i < frames.length && frames[i].y < bottom; i++) {
    const frame = frames[i];
    if (frame.group !== "") {
      pen.strokeStyle = frame.hosts.some((host) => host.state === "failed") ? colours.failed : colours.line;
      pen.strokeRect(frame.x + 0.5, frame.y + 0.5, frame.w - 1, frame.h - 1);
    }
    for (const host of frame.hosts) {
      const y = map.y[host.index];
      if (y + map.tile >= top && y <= bottom) pen.drawImage(sprites[lookOf(host)], map.x[host.index], y, map.tile, map.tile);
    }
  }
}

function ring(host, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.strokeRect(map.x[host.index] - 2, map.y[host.index] - 2, map.tile + 4, map.tile + 4);
}

function paint() {
  isDue = false;
  const host = chosen === null ? undefined : byName(chosen.name);
  if (host !== undefined) say($("map-focus"), describe(host));
  if (!isLaidOut) lay();
  const ratio = devicePixelRatio || 1;
  const height = Math.min(isOnPaper ? PAPER_MAX : area.clientHeight, map.height) || map.height;
  const width = area.clientWidth;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const top = isOnPaper ? 0 : area.scrollTop;
  pen.setTransform(ratio, 0, 0, ratio, 0, -top * ratio);
  pen.clearRect(0, top, width, height);
  for (const panel of map.panels)
    if (panel.y + panel.h >= top && panel.y <= top + height) paintPanel(panel, top, top + height);
  for (const name of marked) {
    const host = byName(name);
    if (host !== undefined) ring(host, colours.ink, 2);
  }
  if (chosen !== null) ring(chosen, colours.focus, 3);
  area.dispatchEvent(new CustomEvent("painted"));
}

export function repaint() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(paint);
}

function lay() {
  isLaidOut = true;
  const tile = tileSize(hosts.length);
  const isOther = tile !== map.tile;
  map = layout(hosts, Math.max(200, area.clientWidth), tile);
  space.style.height = `${map.height}px`;
  if (isOther || sprites.waiting === undefined) readTheme();
}

// --- what is shown

let byName = () => undefined;

// Devices in inventory order; find gives one by its name.
export function show(list, find) {
  hosts = list;
  byName = find;
  chosen = chosen === null ? null : (find(chosen.name) ?? null);
  if (chosen === null) say($("map-focus"), ""); // it was of another job
  isLaidOut = false;
  area.setAttribute("aria-label", `Map of ${plural(hosts.length, "device")}`);
  repaint();
}

export function mark(names) {
  marked = new Set(names);
  repaint();
}

export function describe(host) {
  const groups = host.groups.length > 0 ? `, in ${host.groups.join(" and ")}` : "";
  const why = host.error ?? host.skipped_because;
  return `${host.name}: ${stateWords[lookOf(host)]}${groups}${why ? `: ${why}` : ""}`;
}

export function choose(host) {
  chosen = host;
  if (host !== null) {
    if (!isLaidOut) lay();
    const y = map.y[host.index];
    if (y < area.scrollTop + 8) area.scrollTop = Math.max(0, y - 60);
    else if (y + map.tile > area.scrollTop + area.clientHeight - 8) area.scrollTop = y + map.tile + 60 - area.clientHeight;
    say($("map-focus"), describe(host));
  }
  repaint();
}

// Where the device's tile is, in the page: for whoever clicks without eyes.
export function place(name) {
  const host = byName(name);
  if (host === undefined) return null;
  if (!isLaidOut) lay();
  const box = area.getBoundingClientRect();
  return { x: box.left + area.clientLeft + map.x[host.index] + map.tile / 2, y: box.top + area.clientTop + map.y[host.index] + map.tile / 2 - area.scrollTop };
}

// --- pointer and keys

function under(event) {
  const box = area.getBoundingClientRect();
  return hit(map, event.clientX - box.left - area.clientLeft, event.clientY - box.top - area.clientTop + area.scrollTop);
}

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], PageUp: [0, -1], PageDown: [0, 1] };

function near(host) {
  if (hosts.length <= 5000) return hosts;
  return map.panels.find((panel) => panel.site === (host.site ?? "no site")).hosts;
}

function onKey(event) {
  const arrow = arrows[event.key];
  if (arrow !== undefined && hosts.length > 0) {
    const far = event.key.startsWith("Page") ? area.clientHeight - 2 * map.tile : 0;
    const next = chosen === null ? hosts[0] : (neighbour(map, far > 0 ? hosts : near(chosen), chosen, ...arrow, far) ?? neighbour(map, hosts, chosen, ...arrow, far));
    if (next === null) return; // at the edge: the key scrolls the page
    event.preventDefault();
    choose(next);
  } else if (event.key === "Home" && hosts.length > 0) {
    event.preventDefault();
    choose(hosts[0]);
  } else if (event.key === "End" && hosts.length > 0) {
    event.preventDefault();
    choose(hosts.at(-1));
  } else if ((event.key === "Enter" || event.key === " ") && chosen !== null) {
    event.preventDefault();
    open(chosen);
  }
}

export function start(onOpen) {
  open = onOpen;
  const tip = $("tip");
  area.addEventListener("scroll", repaint, { passive: true });
  area.addEventListener("keydown", onKey);
  area.addEventListener("focus", () => {
    if (chosen === null && hosts.length > 0 && area.matches(":focus-visible")) choose(hosts[0]);
  });
  area.addEventListener("click", (event) => {
    const host = under(event);
    if (host === null) return;
    choose(host);
    open(host);
  });
  area.addEventListener("pointermove", (event) => {
    const host = under(event);
    area.classList.toggle("pointing", host !== null);
    tip.hidden = host === null;
    if (host === null) return;
    say(tip, describe(host));
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
  });
  area.addEventListener("pointerleave", () => (tip.hidden = true));
  let width = 0;
  new ResizeObserver(() => {
    if (area.clientWidth !== width) isLaidOut = false;
    width = area.clientWidth;
    repaint();
  }).observe(area);
  // On paper the map is there as a whole.
  for (const [event, is] of [["beforeprint", true], ["afterprint", false]])
    addEventListener(event, () => {
      isOnPaper = is;
      isLaidOut = false;
      paint();
    });
}
