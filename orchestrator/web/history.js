// What was decided of a job's devices before the page was opened, from the store: once a job, and not of
// so large a one that it would take long. What was said to them is in the log alone.

import { events } from "./stream.js";

const HOSTS_MAX = 5000;
const had = new WeakSet(); // models of which it was had, or is on its way

export const isKept = (model) => model.hosts.length <= HOSTS_MAX;

export function read(model, then) {
  const isOver = model.job.state === "done";
  const until = model.lastN; // what comes behind it is heard
  if (had.has(model) || !model.isWhole || !isKept(model) || (!isOver && until === 0)) return;
  had.add(model);
  events(`/jobs/${model.job.id}/events/`, "0", (name, data) => {
    if (name === "host") model.decided(data);
    return isOver || name === "step" || data.n < until;
  }).then(then, () => {});
}
