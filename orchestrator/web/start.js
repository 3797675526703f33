// The form: a dry run first, which shows what would be done, and then the start.

import { $, about, count, fill, h, parseDuration, plural } from "./dom.js";
import { get, key, post } from "./api.js";
import { titleOf } from "./job.js";
import * as jobs from "./jobs.js";
import { changesOf, newerOf } from "./sentence.js";

const PICKS_MAX = 40; // sites or types with a box each; more are typed
const ORDER_MAX = 100;

let tasks = []; // {path, name, fields}, of the service's own description
let network = { sites: [], types: [] };

const element = (name) => $("start").elements.namedItem(name);

function picks(name, legend, values) {
  if (values.length === 0 || values.length > PICKS_MAX)
    return h("label", {}, `${legend} (all, or names with commas)`, h("input", { name, autocomplete: "off", spellcheck: "false" }));
  return h("fieldset", {}, h("legend", {}, `${legend} (none chosen: all)`),
    h("div", { class: "picks" }, values.map((value) => h("label", {}, h("input", { type: "checkbox", name, value }), value))));
}

function picked(name) {
  const form = $("start");
  const boxes = [...form.querySelectorAll(`input[type="checkbox"][name="${name}"]`)];
  if (boxes.length > 0) {
    const values = boxes.filter((box) => box.checked).map((box) => box.value);
    return values.length > 0 ? values : null;
  }
  const text = element(name)?.value.trim() ?? "";
  return text === "" ? null : text.split(/[\s,]+/).filter((part) => part !== "");
}

const task = () => tasks.find(({ path }) => path === element("task").value) ?? tasks[0];

// The body of the request, as the form has it.
function request() {
  const body = {};
  const text = (name) => element(name)?.value.trim() ?? "";
  const { fields } = task();
  if (fields.has("version")) body.version = text("version");
  for (const name of ["filter_sites", "filter_dev_types", "filter_hosts"]) {
    const values = picked(name);
    if (values !== null) body[name] = values;
  }
  for (const name of ["canaries", "workers"]) {
    const value = text(name);
    if (value !== "") body[name] = /^[0-9]+$/.test(value) ? Number(value) : name === "canaries" ? value.split(/[\s,]+/) : value;
  }
  const most = text("max_failures");
  if (most !== "") body.max_failures = /^[0-9]+$/.test(most) ? Number(most) : most;
  if (fields.has("downgrade") && element("downgrade")?.checked) body.downgrade = "refuse";
  return body;
}

function limitedBy(by) {
  if (by.workers !== undefined) return plural(by.workers, "worker");
  if (by.group !== undefined) return `the group ${by.group}, ${by.max_unavailable} at a time`;
  return `the throttle ${by.throttle}, ${by.at_once} at once`;
}

const labels = { version: "Version", filter_sites: "Sites", filter_dev_types: "Device types", filter_hosts: "Devices",
  canaries: "Canaries first", max_failures: "Stop after failures", workers: "At the same time" };

function refused(error) {
  const field = error.field?.replace(/[.[].*$/, "");
  const text = error.message.replace(/^([a-z_]+)[^:]*: /, (whole, name) => (name === field ? `${labels[name] ?? name}: ` : whole));
  const input = field === undefined ? null : $("start").querySelector(`[name="${field}"]`);
  fill($("preview"), h("p", { class: "wrong", id: "start-wrong" }, text));
  for (const other of $("start").querySelectorAll("[aria-invalid]")) other.removeAttribute("aria-invalid");
  if (input === null) return;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", "start-wrong");
  input.closest("details")?.setAttribute("open", "");
  input.focus();
}

// What is foretold is of this request alone.
function otherText() {
  const others = jobs.all().filter(({ state }) => state !== "done");
  if (others.length === 0) return "";
  const who = others.length === 1 ? `Another job is ${others[0].state}: ${titleOf(others[0])}` : `${count(others.length)} other jobs are not over`;
  return `${who}. Where both have a device or a redundancy group, one waits for the other, so this may take longer.`;
}

function preview(view, body, told) {
  const { path, fields } = task();
  const shown = told.groups.slice(0, ORDER_MAX);
  const skipped = Object.entries(told.skipped);
  const go = h("button", { class: "primary", type: "button", id: "go" },
    `${fields.has("version") ? `Upgrade ${plural(told.hosts, "device")} to ${body.version}` : `Ask ${plural(told.hosts, "device")}`}`);
  const once = key(); // a second click is the same request
  go.addEventListener("click", async () => {
    if (go.getAttribute("aria-disabled") !== null) return;
    go.setAttribute("aria-disabled", "true"); // and keeps the focus
    try {
      const job = await post(path, { ...body, expect_hosts: told.hosts }, { Prefer: "respond-async", "Idempotency-Key": once });
      fill($("preview"));
      view.goTo(job, told);
      $("job-title").focus({ preventScroll: true });
    } catch (error) {
      go.removeAttribute("aria-disabled");
      $("preview").querySelector(".wrong")?.remove();
      go.before(h("p", { class: "wrong", role: "alert" }, error.message));
    }
  });
  fill($("preview"),
    h("h3", { tabindex: -1 }, "Dry run: nothing was touched"),
    h("dl", {},
      h("dt", {}, "Devices"), h("dd", {}, fields.has("version") ? `${count(told.hosts)} selected, in ${plural(told.groups.length, "redundancy group")}` : count(told.hosts)),
      fields.has("version") ? [h("dt", {}, "To change"), h("dd", {}, changesOf(told), told.unknown < told.hosts ? ", by what devices told last" : null)] : null,
      h("dt", {}, "Window"), h("dd", { id: "window" }, told.duration === null
        ? "not known yet: no device of these types has been through this task since the service started"
        : `about ${about(parseDuration(told.duration))}, limited by ${limitedBy(told.limited_by)}`),
      told.canaries.length > 0 ? [h("dt", {}, "Canaries"), h("dd", {}, told.canaries.join(", "))] : null,
      skipped.length > 0 ? [h("dt", {}, "Skipped"), h("dd", {}, `${plural(skipped.length, "device")}: ${skipped[0][0]}: ${skipped[0][1]}${skipped.length > 1 ? ", …" : ""}`)] : null,
      told.throttles.length > 0 ? [h("dt", {}, "Throttles"), h("dd", {}, told.throttles.slice(0, 10).map(({ name, at_once }) => `${name}: ${at_once}`).join(", "))] : null),
    otherText() === "" ? null : h("p", { class: "caution" }, otherText()),
    fields.has("version") && told.newer > 0 ? h("p", { class: "caution" }, newerOf(told)) : null,
    fields.has("version") && told.unknown > 0 && body.downgrade !== "refuse"
      ? h("p", { class: "caution" }, `${told.unknown === told.hosts ? "No device has told its version" : told.unknown === 1 ? "1 device has not told its version" : `${count(told.unknown)} devices have not told their versions`} since this service was started. One that runs a newer version would be downgraded: run get version first, or choose in Caution to leave those untouched.`) : null,
    h("details", {}, h("summary", {}, "Groups in their order"),
      h("ol", { class: "order", tabindex: 0 }, shown.map((group) => h("li", {}, `${group.name}: ${group.hosts.slice(0, 12).join(", ")}${group.hosts.length > 12 ? `, and ${count(group.hosts.length - 12)} more` : ""}`))),
      told.groups.length > shown.length ? h("p", { class: "quiet" }, `and ${plural(told.groups.length - shown.length, "group")} more`) : null),
    go);
}

async function tryIt(view, button) {
  const body = request();
  if (body.version !== undefined && !/^[0-9]{1,9}(\.[0-9]{1,9}){2}$/.test(body.version)) {
    refused({ message: "Enter a version, such as 5.3.1", field: "version" });
    return;
  }
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    const told = await post(task().path, { ...body, dry_run: true });
    for (const other of $("start").querySelectorAll("[aria-invalid]")) other.removeAttribute("aria-invalid");
    preview(view, body, told);
    $("preview").querySelector("h3").focus({ preventScroll: true }); // from here the start is near, also without a pointer
    $("preview").scrollIntoView({ block: "nearest" });
  } catch (error) {
    refused(error);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

const choices = () => [picks("filter_sites", "Sites", network.sites), picks("filter_dev_types", "Device types", network.types)];

// fields: only what the task takes is asked for.
function draw(view) {
  const old = new FormData($("start"));
  const chosen = old.get("task") ?? tasks[0].path;
  const { fields } = tasks.find(({ path }) => path === chosen) ?? tasks[0];
  const input = (name, label, attributes = {}) => h("label", {}, label, h("input", { name, autocomplete: "off", spellcheck: "false", ...attributes }));
  const dry = h("button", { type: "submit", id: "dry-run" }, "Dry run");
  fill($("start"),
    h("label", {}, "Task", h("select", { name: "task" }, tasks.map(({ path, name }) => h("option", { value: path, selected: path === chosen }, name)))),
    fields.has("version") ? input("version", "Version", { placeholder: "5.3.1", value: old.get("version") ?? "" }) : null,
    h("div", { id: "picks" }, choices()),
    input("filter_hosts", "Devices (all, or names and globs with commas)", { placeholder: "leaf0[0-4].*" }),
    h("details", {}, h("summary", {}, "Caution"),
      h("div", { class: "pair" },
        input("canaries", "Canaries first", { placeholder: "2, or names" }),
        input("max_failures", "Stop after failures", { placeholder: "3, or 5%" })),
      h("div", { class: "pair" },
        input("workers", "At the same time", { placeholder: "as the service", inputmode: "numeric" }),
        fields.has("downgrade") ? h("label", {}, "Newer versions", h("span", {}, h("input", { type: "checkbox", name: "downgrade" }), " leave untouched")) : null)),
    dry);
  element("task").addEventListener("change", () => {
    draw(view);
    fill($("preview"));
  });
}

// Of GET /hosts/: what there is to choose from.
export function offer(hosts) {
  const unique = (of) => [...new Set(hosts.map(of))].filter((value) => value !== null);
  network = { sites: unique((host) => host.site), types: unique((host) => host.dev_type) };
  if ($("picks") !== null) fill($("picks"), choices()); // what was typed meanwhile stays
}

export async function start(view) {
  $("start").addEventListener("submit", (event) => {
    event.preventDefault();
    tryIt(view, $("dry-run"));
  });
  // What was tried is what would be started.
  $("start").addEventListener("input", () => fill($("preview")));
  const { paths, components } = await get("/swagger/");
  const resolve = (schema) => (schema.$ref ? components.schemas[schema.$ref.split("/").pop()] : schema);
  const bodyOf = (body) => (body.$ref ? components.requestBodies[body.$ref.split("/").pop()] : body);
  tasks = Object.entries(paths).filter(([, { post: operation }]) => operation?.tags.includes("tasks")).map(([path, { post: operation }]) => ({
    path,
    name: path.replaceAll("/", "").replaceAll("-", " "),
    fields: new Set(Object.keys(resolve(bodyOf(operation.requestBody).content["application/json"].schema).properties)),
  }));
  draw(view);
}
