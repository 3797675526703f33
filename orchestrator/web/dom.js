// Small helpers to build and fill elements. Text goes in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

// h("p", {class: "quiet", onclick: f}, "text", other, [more])
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
}

// A button that looks like a link.
export const link = (text, onclick, is = "plain") => h("button", { class: is, type: "button", onclick }, text);

// Nothing is touched where nothing changed, so that screen readers do not repeat it.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const count = (n) => n.toLocaleString("en");
export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

// "a, b and c", "a, b and 7 more"
export function listOf(names, most = Infinity) {
  const shown = names.length > most ? [...names.slice(0, most), `${count(names.length - most)} more`] : names;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

// "850 ms", "4.1 s", "1 min", "3 min 20 s", "2 h 5 min"
export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 1) return "under 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950 && ms % 1000 !== 0) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  const [large, small, rest] = s < 3600 ? [`${Math.floor(s / 60)} min`, "s", s % 60] : [`${Math.floor(s / 3600)} h`, "min", Math.floor((s % 3600) / 60)];
  return rest === 0 ? large : `${large} ${rest} ${small}`;
}

// For what is foretold: in seconds at least. "1 s", "40 s", "3 min 20 s"
export const about = (ms) => duration(Math.max(1, Math.ceil(ms / 1000)) * 1000);

// Of the service's own durations: "1h2m3s", "250ms".
export function parseDuration(text) {
  const units = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(us|ms|s|m|h|d)/g)) ms += Number(number) * units[unit];
  return ms;
}

export const clock = (at) => new Date(at).toLocaleTimeString("en-GB");
export const day = (at, more = {}) => new Date(at).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", ...more });
// With the zone: for what is printed and kept.
export const dayAndZone = (at) => day(at, { timeZoneName: "short" });

const marks = { waiting: "○", in_hand: "▶", changed: "✓", unchanged: "=", failed: "✕", skipped: "/", in_doubt: "?" };
export const stateWords = { waiting: "waiting", in_hand: "in hand", changed: "changed", unchanged: "unchanged",
  failed: "failed", skipped: "skipped", in_doubt: "in doubt" };

// The state of a device, in words with its mark.
export function stateOf(state) {
  return h("span", { class: `is-${state}` }, h("span", { class: "mark", "aria-hidden": "true" }, marks[state]), stateWords[state]);
}
