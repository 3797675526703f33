// Modules of the page that touch no document, without a browser.
import { readFileSync } from "node:fs";

// With what it imports.
const url = (name) => `data:text/javascript,${encodeURIComponent(readFileSync(`orchestrator/web/${name}`, "utf8").replace(/"\.\/([a-z]+\.js)"/g, (_, other) => `"${url(other)}"`))}`;
export const load = (name) => import(url(name));
