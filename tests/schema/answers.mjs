// Checks HTTP answers, as `scenario run --answers FILE` writes them, against the OpenAPI documents:
// each path, status and type must stand there, and each JSON body fit its schema.
// usage: node tests/schema/answers.mjs BUILD FILE   (tests/schema.sh)
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [build, file] = process.argv.slice(2);
const require = createRequire(resolve(build, "schema/package.json"));
const Ajv = require("ajv").default;
const YAML = require("yaml");

const load = (path) => YAML.parse(readFileSync(path, "utf8"));
const documents = [load("spec/orchestrator.yaml"), load("spec/simulator.yaml")];

// OpenAPI 3.0's nullable, and its references, as JSON Schema has them.
const translate = (value) => {
  if (Array.isArray(value)) return value.map(translate);
  if (value === null || typeof value !== "object") return value;
  const { nullable, example, ...rest } = value;
  const schema = Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, translate(v)]));
  return nullable ? { anyOf: [schema, { type: "null" }] } : schema;
};
const validators = documents.map((document) => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "doc", components: translate(document.components) });
  const known = new Map();
  return (schema) => {
    const text = JSON.stringify(translate(schema)).replaceAll('"#/', '"doc#/');
    if (!known.has(text)) known.set(text, ajv.compile(JSON.parse(text)));
    return known.get(text);
  };
});

const deref = (document, value) =>
  value?.$ref === undefined
    ? value
    : value.$ref.split("/").slice(1).reduce((at, key) => at[key], document);
const routes = documents.flatMap((document, number) =>
  Object.entries(document.paths).map(([path, item]) => ({
    number,
    document,
    item,
    pattern: new RegExp(`^${path.replaceAll(/\{[^}]*\}/g, "[^/]+")}$`),
  })),
);

// Refusals that come before any path has its say: HTTP itself, origins, hosts, what is too large.
const general = new Set([308, 400, 404, 405, 408, 413, 414, 421, 431, 501, 503, 505]);

const check = ({ method, url, status, type, body }) => {
  const path = new URL(url).pathname;
  const media = type.split(";")[0];
  const found = routes.filter((route) => route.pattern.test(path));
  let why = "no such path";
  if (found.length === 0) return general.has(status) ? null : why;
  for (const { number, document, item } of found) {
    const responses = item[method === "HEAD" ? "get" : method.toLowerCase()]?.responses;
    const response = deref(document, responses?.[status]);
    if (response === undefined) {
      why = `status ${status} is not told`;
      if (general.has(status) || method === "OPTIONS") return null;
      continue;
    }
    if (body === "" || method === "HEAD") return null;
    const content = response.content?.[media];
    if (content === undefined) {
      why = `type ${media} is not told`;
      continue;
    }
    if (!media.endsWith("json")) return null;
    const validate = validators[number](content.schema);
    if (validate(JSON.parse(body))) return null;
    why = validate.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ");
  }
  return why;
};

let answers = 0;
const told = new Map();
for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) {
  const answer = JSON.parse(line);
  const why = check(answer);
  answers += 1;
  if (why === null) continue;
  const what = `${answer.method} ${new URL(answer.url).pathname.replace(/[0-9a-f-]{36}/, "{id}")} ${answer.status}: ${why}`;
  told.set(what, (told.get(what) ?? 0) + 1);
  if (told.get(what) === 1) console.log(`${what}\n  ${answer.body.slice(0, 300)}`);
}
console.log(`${answers} answers, ${told.size} kinds of them are not as the documents say`);
process.exit(told.size === 0 && answers > 0 ? 0 : 1);
