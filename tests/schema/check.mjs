// Checks with a standard validator, ajv, that the schemas and our own loaders agree. Files are read
// as our loader reads them: YAML 1.2's core schema, no key twice.
// usage: node tests/schema/check.mjs BUILD   (tests/schema.sh)
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, resolve } from "node:path";

const build = process.argv[2];
const require = createRequire(resolve(build, "schema/package.json"));
const Ajv = require("ajv/dist/2020").default;
const YAML = require("yaml");

const load = (path) => {
  const file = YAML.parseDocument(readFileSync(path, "utf8"), { version: "1.2", schema: "core" });
  if (file.errors.length > 0) throw new Error(`${path}: ${file.errors[0].message}`);
  return file.toJS();
};
const files = (folder) =>
  execFileSync("git", ["ls-files", "--", `${folder}/*.yaml`], { encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "");
const compile = (path, part = "") => {
  const ajv = new Ajv({ allowUnionTypes: true, strictTypes: false });
  const schema = JSON.parse(readFileSync(path));
  if (path === "spec/network.schema.json") // it holds a policy
    ajv.addSchema(JSON.parse(readFileSync("spec/policy.schema.json")));
  return ajv.addSchema(schema).getSchema(schema.$id + part);
};

const scenario = compile("spec/scenario.schema.json");
const network = compile("spec/network.schema.json");
const policy = compile("spec/policy.schema.json");
const credentials = compile("spec/credentials.schema.json");
const inventory = compile("spec/inventory.schema.json");
const nornir = (part) => compile("spec/inventory.schema.json", `#/$defs/nornir_${part}`);
let checks = 0;
let failed = 0;
const check = (ok, what) => {
  checks += 1;
  if (ok) return;
  failed += 1;
  console.error(`FAILED  ${what}`);
};
const why = (validate) => validate.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ");
const accepted = (validate, value, path) =>
  check(validate(value), `${path} is refused: ${validate.errors && why(validate)}`);
const refused = (validate, value, path) => check(!validate(value), `${path} is accepted`);
const isOpen = (value) => JSON.stringify(value).includes("${");

// Every scenario, and, as far as it is known before it runs, its network.
const isScenario = (path) => ["name", "steps"].some((field) => field in load(path)); // else it lies beside
const scenarios = [...files("scenarios").filter(isScenario), "scenarios/runner/starter.yaml.in"];
for (const path of scenarios) {
  const value = load(path);
  accepted(scenario, value, path);
  if (value.network instanceof Object && !isOpen(value.network))
    accepted(network, value.network, `${path}: network`);
  if (value.policy instanceof Object && !isOpen(value.policy))
    accepted(policy, value.policy, `${path}: policy`);
}

// What is wrong in a way that a schema can see, and what only our loader sees.
const wrong = files("tests/e2e/broken/schema");
for (const path of wrong) refused(scenario, load(path), path);
check(wrong.length >= 10, `only ${wrong.length} broken scenarios`);

// Networks: ajv accepts what our loader accepts.
const checked = (folder) => {
  const options = { encoding: "utf8", maxBuffer: 1 << 28 };
  const said = spawnSync(`${build}/scenario`, ["check", folder], options);
  const lines = said.stderr.split("\n").filter((line) => line.startsWith(folder));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(".yaml") + 5), line]));
};
const empty = (name) => {
  const folder = `${build}/schema/${name}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
};
const networks = empty("networks");
const steps = [{ audit: { violations: [] } }];
for (const path of files("tests/corpus/network")) {
  const around = { name: path, network: resolve(path), steps };
  writeFileSync(`${networks}/${basename(path)}`, JSON.stringify(around));
}
const bad = checked(networks);
for (const path of files("tests/corpus/network"))
  if (!bad.has(`${networks}/${basename(path)}`)) accepted(network, load(path), path);
refused(network, load("tests/corpus/network/wrong.yaml"), "tests/corpus/network/wrong.yaml");

// --- policies and inventories: what our own tests take and refuse

for (const path of ["acme.yaml", "fabric.yaml", "nothing.yaml", "many-places.json"])
  accepted(policy, load(`tests/corpus/policy/${path}`), path);
accepted(policy, load("spec/examples/policy.yaml"), "spec/examples/policy.yaml");
for (const example of ["campus", "wan", "fabric"]) {
  accepted(network, load(`spec/examples/${example}/network.yaml`), example);
  accepted(policy, load(`spec/examples/${example}/policy.yaml`), example);
}
for (const wrong of [
  {},
  { redundancy: [] },
  { redundancy: [{ group: "{site" }] },
  { redundancy: [{ group: "site}" }] },
  { redundancy: [{ group: "{a}{b}{c}{d}{e}{f}{g}{h}{i}" }] },
  { redundancy: [{ group: "a", at_once: 1 }] },
  { redundancy: [{ group: "a", max_unavailable: 0 }] },
  { redundancy: [{ group: "a", first: {} }] },
  { redundancy: [{ group: "a", match: { b: true } }] },
  { redundancy: [{ group: "a", unless: { b: [] } }] },
  { throttle: [{ group: "a", at_once: 1 }] },
  { ungrouped: "allow", throttle: [{ group: "a" }] },
  { ungrouped: "refuse" },
])
  refused(policy, wrong, JSON.stringify(wrong));
accepted(credentials, load("spec/examples/credentials.yaml"), "spec/examples/credentials.yaml");
for (const wrong of [
  { host: {} },
  { hosts: { h: {} } },
  { hosts: { h: "x" } },
  { hosts: { h: { password: 17 } } },
  { hosts: { h: { password: "" } } },
  { hosts: { "a b": { password: "x" } } },
  { groups: { "": { password: "x" } } },
  { sites: { s: { username: null } } },
  { sites: { s: { pasword: "x" } } },
])
  refused(credentials, wrong, JSON.stringify(wrong));
for (const path of ["acme/inventory.yaml", "ansible/inventory.json", "nornir/hosts.yaml"])
  accepted(inventory, load(`spec/examples/${path}`), path);
for (const part of ["hosts", "groups", "defaults"])
  accepted(nornir(part), load(`spec/examples/nornir/${part}.yaml`), part);
const host = { platform: "acmeos", hostname: "x", port: 1, dev_type: "t" };
accepted(inventory, { s: { h: host } }, "a host");
accepted(inventory, { s: { h: { ...host, username: "u", password: "p w" } } }, "credentials");
for (const wrong of [
  { group: "a" },
  { port: 0 },
  { hostname: "a b" },
  { redundancy_groups: "a" },
  { password: 17 },
  { username: "" },
])
  refused(inventory, { s: { h: { ...host, ...wrong } } }, JSON.stringify(wrong));
refused(nornir("hosts"), { h: { mlag: "m" } }, "an attribute outside of data");

// --- scenarios with one thing changed at random: ajv accepts whatever our own checker accepts

let state = Number(process.env.SEED ?? 1);
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const pick = (list) => list[Math.floor(random() * list.length)];

const odd = [
  ...[null, true, false, 0, -1, 1, 1.5, 5, 1e10, 2 ** 53, "", "x", "5", "5s", "5 s", "0"],
  ...["10ms..2s", "2s..", "error", "login", "any", "leaf*", "leaf[0", "[a]", "a b", "\u00e4", "/x"],
  ...["5.2.1", "${seed}", "x${seed}", "${seed}${seed}"],
  ...[[], [5], ["x"], [null], {}, { x: 1 }, { count: 1 }, { at_least: 1 }],
];
const fields = ["x", "name", "count", "on", "Bad", "a b", "leaf[", "${seed}"];

const places = (value, found = []) => {
  if (value instanceof Object)
    for (const key of Object.keys(value)) {
      found.push([value, key]);
      places(value[key], found);
    }
  return found;
};
const change = (value) => {
  const [container, key] = pick(places(value));
  const kind = pick(["replace", "replace", "replace", "remove", "add"]);
  const other = structuredClone(pick(odd));
  if (kind === "replace") container[key] = other;
  else if (kind === "remove" && Array.isArray(container)) container.splice(key, 1);
  else if (kind === "remove") delete container[key];
  else if (Array.isArray(container)) container.push(other);
  else container[pick(fields)] = other;
  return value;
};

const MUTANTS = 3000;
const folder = empty("mutants");
const bases = [...scenarios, "tests/corpus/scenario/everything.yaml"].map(load);
const everything = bases.at(-1); // it has every field: every second mutant is one of it
const mutants = new Map();
for (let i = 0; i < MUTANTS; i++) {
  const value = change(structuredClone(i % 2 === 0 ? everything : pick(bases)));
  const path = `${folder}/${String(i).padStart(5, "0")}.yaml`;
  writeFileSync(path, JSON.stringify(value, null, 1)); // every JSON text is YAML
  mutants.set(path, value);
}
const told = checked(folder);
let ours = 0;
for (const [path, value] of mutants) {
  const valid = scenario(value);
  if (!told.has(path)) {
    ours += 1;
    check(valid, `${path} passes scenario check, and ajv says: ${!valid && why(scenario)}`);
  } else if (process.env.VERBOSE && valid) {
    console.log(told.get(path)); // for our loader only
  }
}
check(
  Math.min(told.size, ours) > MUTANTS / 10,
  `of ${MUTANTS} mutants ${ours} were accepted: too one-sided to tell anything`,
);

console.log(`${checks - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
