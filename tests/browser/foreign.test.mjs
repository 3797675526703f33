// What a page of somebody else can do to the service from a browser that can reach it: nothing. No
// name of a device is read, and no job is begun, by any of the ways that a page has.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { endAll, json, network, open, postJson } from "./harness.mjs";

let net, evil, port;

before(async () => {
  net = await network({ latency: "0" });
  port = new URL(net.orc.url).port;
  await postJson(`${net.orc.url}/upgrade-os/`, { version: "5.3.0", filter_sites: ["earth"] }); // so that there is what to read
  evil = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>evil</title><body>"));
  await new Promise((listening) => evil.listen(0, "127.0.0.1", listening));
});
after(async () => {
  await endAll();
  evil.close();
});

const foreign = async () => {
  const page = await open();
  await page.goto(`http://evil.example:${evil.address().port}/`);
  return page;
};

const jobsOf = async () => (await json(`${net.orc.url}/jobs/`)).jobs.length;

// Each returns what the page could read, as text.
const readings = {
  "fetch": (url) => fetch(url).then((answer) => answer.text()),
  "fetch without CORS": (url) => fetch(url, { mode: "no-cors" }).then((answer) => answer.text()),
  "fetch with credentials": (url) => fetch(url, { credentials: "include" }).then((answer) => answer.text()),
  "XMLHttpRequest": (url) => new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.onload = () => done(request.responseText);
    request.onerror = fail;
    request.send();
  }),
  "a script element": (url) => new Promise((done, fail) => {
    const script = document.createElement("script");
    const names = new Set(Object.keys(globalThis));
    script.src = url;
    script.onload = () => done(JSON.stringify(Object.keys(globalThis).filter((name) => !names.has(name))));
    script.onerror = fail;
    document.head.append(script);
  }),
  "a style sheet": (url) => new Promise((done, fail) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
    link.onload = () => done([...link.sheet.cssRules].map((rule) => rule.cssText).join());
    link.onerror = fail;
    document.head.append(link);
  }),
  "an image": (url) => new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(`${image.width}`);
    image.onerror = fail;
    image.src = url;
  }),
  "a frame": (url) => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => {
      try {
        done(frame.contentDocument?.body?.innerText ?? "");
      } catch (error) {
        done(error.message);
      }
    };
    frame.src = url;
    document.body.append(frame);
  }),
  "EventSource": (url) => new Promise((done, fail) => {
    const source = new EventSource(url);
    source.onmessage = (event) => done(event.data);
    source.addEventListener("snapshot", (event) => done(event.data));
    source.onerror = () => {
      source.close();
      fail(new Error("refused"));
    };
  }),
};

test("no page reads the name of a device, in any of these ways", async () => {
  const page = await foreign();
  for (const [way, read] of Object.entries(readings))
    for (const path of way === "EventSource" ? ["/events/"] : ["/hosts/", "/jobs/", "/metrics/", "/audit/", "/hosts/leaf00.earth/"]) {
      const got = await page.evaluate(`(${read})(${JSON.stringify(net.orc.url + path)}).catch((error) => "refused: " + error)`);
      assert.doesNotMatch(got, /leaf|spine|edge|upgrade_os/, `${way}: ${path}: ${got.slice(0, 200)}`);
    }
});

test("/metrics/ tells any page what is of no device, and pages of its own all", async () => {
  const page = await foreign();
  const told = await page.evaluate((url) => fetch(url).then((answer) => answer.text()), `${net.orc.url}/metrics/`);
  assert.match(told, /^total_task_requests_total 1/m);
  const own = await (await fetch(`${net.orc.url}/metrics/`, { headers: { Origin: "http://localhost:3000" } })).text();
  assert.match(own, /host="leaf00\.earth"/);
});

const changes = {
  "fetch of JSON": (url) => fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"version": "5.3.9"}' }),
  "fetch of text": (url) => fetch(url, { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: '{"version": "5.3.9"}' }),
  "fetch without a type": (url) => fetch(url, { method: "POST", mode: "no-cors", body: new Uint8Array([...'{"version": "5.3.9"}'].map((c) => c.charCodeAt(0))) }),
  "sendBeacon": (url) => navigator.sendBeacon(url, new Blob(['{"version": "5.3.9"}'], { type: "application/json" })),
  "XMLHttpRequest": (url) => new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.onloadend = done;
    request.send('{"version": "5.3.9"}');
  }),
  "a form": (url) => {
    const frame = Object.assign(document.createElement("iframe"), { name: "sink" });
    document.body.append(frame);
    const form = Object.assign(document.createElement("form"), { action: url, method: "POST", enctype: "text/plain", target: "sink" });
    form.append(Object.assign(document.createElement("input"), { name: '{"version": "5.3.9", "x": "', value: '"}' }));
    document.body.append(form);
    form.submit();
  },
};

test("no page begins a job, in any of these ways", async () => {
  const page = await foreign();
  const before = await jobsOf();
  const paths = ["/upgrade-os/", "/get-version/"];
  for (const [way, change] of Object.entries(changes))
    for (const path of paths)
      await page.evaluate(`Promise.resolve((${change})(${JSON.stringify(net.orc.url + path)})).then(() => {}, () => {})`);
  // All arrive but the first, which asks before it is sent (a preflight), and so does the beacon.
  const arriving = (Object.keys(changes).length - 2) * paths.length;
  const refused = async () => Number(/^orchestrator_requests_refused_total (\d+)/m.exec(await (await fetch(`${net.orc.url}/metrics/`)).text())[1]);
  while (await refused() < arriving) await new Promise((later) => setImmediate(later));
  assert.equal(await jobsOf(), before);
  // A line is there once it is kept, which is behind the answer.
  let audit = [];
  while (!audit.some((line) => line.status === 403)) audit = (await json(`${net.orc.url}/audit/`)).audit;
  assert.deepEqual(audit.filter((line) => ![202, 403].includes(line.status)), []);
});

test("a name that is made to lead here (DNS rebinding) is no name of the service", async () => {
  const page = await open();
  const answer = await page.goto(`http://rebind.example:${port}/`);
  assert.equal(answer.status(), 421);
  for (const path of ["/hosts/", "/metrics/", "/jobs/"]) {
    const got = await page.evaluate((url) => fetch(url).then((reply) => reply.text()), path);
    assert.match(got, /is no name of this service/);
    assert.doesNotMatch(got, /leaf/);
  }
  const before = await jobsOf();
  const status = await page.evaluate(() => fetch("/upgrade-os/", { method: "POST", headers: { "Content-Type": "application/json" },
    body: '{"version": "5.3.9"}' }).then((reply) => reply.status));
  assert.ok([403, 421].includes(status));
  assert.equal(await jobsOf(), before);
});

test("the page is shown in no frame, and keeps no window of another site", async () => {
  const { headers } = await fetch(net.orc.url);
  assert.match(headers.get("Content-Security-Policy"), /frame-ancestors 'none'/);
  assert.equal(headers.get("Cross-Origin-Opener-Policy"), "same-origin");
  assert.equal(headers.get("Set-Cookie"), null);
  const page = await foreign();
  const opened = await page.evaluate((url) => new Promise((done) => {
    const child = window.open(url);
    setInterval(() => { if (child === null || child.closed) done("cut off"); }, 20);
  }), net.orc.url);
  assert.equal(opened, "cut off");
});
