// Whether the service is reached. While it is not, nothing on the page may look as if it went on:
// time stands still, and a line that stays in sight says since when.

import { $, about, clock, say } from "./dom.js";
import { serviceNow } from "./api.js";

const BRIEF_MS = 1000; // a stream that is cut and taken up at once is no news
const TOLD_MS = 60_000; // for so long it is said that the service was away

let lost = null; // when it was heard last, by its own clock; null: it is reached
let isSaid = false;
let timer = 0;

export const isAway = () => isSaid;

// The service's time, as far as anything is known of it.
export const knownNow = () => (isSaid ? lost : serviceNow());

function show(is, text) {
  $("reach").hidden = text === "";
  $("reach").dataset.is = is;
  say($("reach"), text);
}

// onShown: what is shown must be drawn anew. elsewhere(): what is known of who goes on meanwhile.
export function away(at, onShown, elsewhere) {
  if (lost !== null) return;
  lost = at;
  clearTimeout(timer);
  timer = setTimeout(() => {
    if ($("login").open) return; // it is reached, and wants a token
    isSaid = true;
    show("away", `The service has not been reached since ${clock(at)}. What is shown is as it was then. The page keeps trying.${elsewhere()}`);
    onShown();
  }, BRIEF_MS);
}

// isRunning: the job that is shown. Returns when it was heard last before; null: it was reached all the time.
export function back(isRunning) {
  if (lost === null) return null;
  const since = lost;
  clearTimeout(timer);
  if (isSaid) {
    const now = serviceNow();
    show("back", `The service was not reached for ${about(now - lost)}, from ${clock(lost)} to ${clock(now)}. It is reached again${isRunning ? ", and goes on" : ""}.`);
  }
  lost = null;
  isSaid = false;
  timer = setTimeout(() => show("", ""), TOLD_MS);
  return since;
}
