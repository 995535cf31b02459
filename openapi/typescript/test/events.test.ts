// Events in a real browser, through a restart of the service.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { edit, rows } from "renaksi-client";

import { Chromium } from "./chromium.js";
import { password, Service } from "./service.js";
import { Site } from "./site.js";

let site: Site;
let service: Service;
let chromium: Chromium;

before(async () => {
  site = await Site.start();
  service = await Service.start({ RENAKSI_CORS_ORIGINS: site.url });
  chromium = await Chromium.start();
});

after(async () => {
  await chromium.end();
  await Promise.all([site.end(), service.remove()]);
});

const follower = (path: string, stream: string) =>
  site.add(path, `
    import { createClient, createSession, events, publicEvents } from "renaksi-client";
    const session = createSession({ baseUrl: "${service.url}", name: "${path}" });
    const client = createClient({ baseUrl: "${service.url}", auth: session });
    const [seen, states, ending] = [[], [], new AbortController()];
    const options = { signal: ending.signal, onState: (state) => states.push(state) };
    const login = () => session.login({ username: "operator.dinkes@demo.invalid", password: "${password}" });
    const start = (more) => (async () => {
      for await (const event of ${stream}(client, { ...options, ...more })) seen.push(event.position);
    })().then(() => "ended", (error) => [error.code, error.body?.head]);
    Object.assign(globalThis, { login, start, seen, states, ending, isReady: true });`);

/** Changes an OPD a number of times, and says the positions of these events. */
async function change(times: number): Promise<number[]> {
  const admin = await service.client("admin");
  const { data } = await admin.get("/v1/events/head");
  for (let turn = 0; turn < times; turn += 1) {
    await edit(admin, "/v1/opds/{code}", { path: { code: "DLH" } }, () => ({ phone: `0370 ${Date.now()} ${turn}` }));
  }
  for (;;) {
    const positions: number[] = [];
    for await (const { position } of rows(admin, "/v1/events", { query: { after: data.position } })) positions.push(position);
    // An event gets its position a moment after it was written.
    if (positions.length >= times) return positions;
  }
}

for (const stream of ["events", "publicEvents"]) {
  test(`${stream} brings each event once, through restarts and crashes of the service`, async () => {
    const tab = await chromium.open(follower(`/${stream}`, stream));
    await tab.until("globalThis.isReady");
    if (stream === "events") await tab.evaluate("login()");
    await tab.evaluate("void (globalThis.end = start({ resource: 'opd' }))");
    await tab.until("states.at(-1) === 'open'");

    const expected = await change(3);
    await tab.until(`seen.length >= ${expected.length}`);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await service.end(signal);
      await tab.until("states.at(-1) === 'waiting'");
      await service.begin();
      // Some of them before the page is back.
      expected.push(...(await change(5)));
      await tab.until(`seen.length >= ${expected.length}`);
    }
    assert.deepEqual(await tab.evaluate("seen"), expected, "all of them, in order, each once, and none from before");
    await tab.evaluate("ending.abort()");
    assert.equal(await tab.evaluate("end"), "ended");
    assert.deepEqual(tab.faults, []);
    await tab.close();
  });
}

test("events end with an error where another attempt is of no use", async () => {
  const tab = await chromium.open(follower("/refused", "events"));
  await tab.until("globalThis.isReady");
  assert.equal((await tab.evaluate<unknown[]>("start({})"))[0], "unauthenticated");
  await tab.evaluate("login()");
  const admin = await service.client("admin");
  const { data } = await admin.get("/v1/events/head");
  assert.deepEqual(await tab.evaluate(`start({ after: ${data.position + 1_000_000} })`), ["feed_restarted", data.position]);
  await tab.close();
});
