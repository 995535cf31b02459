// Calls, against the real service and through a bad network.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  type Client,
  clientCredentials,
  createClient,
  createSession,
  edit,
  pages,
  RenaksiProblem,
  RenaksiUnreachable,
  rows,
  save,
  StaleEdit,
} from "renaksi-client";

import { Network } from "./network.js";
import { clientSecret, password, Service } from "./service.js";

let service: Service;
let network: Network;
/** The administrator, through the bad network. */
let admin: Client;
/** Short pauses, so that the tests are. */
const retries = { firstPause: 20 };

before(async () => {
  service = await Service.start();
  network = await Network.before(service.url);
  const session = createSession({ baseUrl: service.url });
  await session.login({ username: "admin@demo.invalid", password });
  admin = createClient({ baseUrl: network.url, auth: session, retries });
});

after(async () => {
  await network.end();
  await service.remove();
});

const opd = (code: string) => ({ code, name: `Dinas ${code}` });
const refusal = async (call: Promise<unknown>): Promise<RenaksiProblem> => {
  const error: unknown = await call.then(() => assert.fail("It was accepted."), (thrown: unknown) => thrown);
  assert.ok(error instanceof RenaksiProblem, String(error));
  return error;
};

test("what is public is read without a login, and asked for without a preflight", async () => {
  network.next();
  const anyone = createClient({ baseUrl: network.url });
  const { data } = await anyone.get("/v1/public/summary", { query: { as_of: "2022-10-04" } });
  assert.deepEqual([data.totals.planned, data.totals.running], [40, 35]);
  await admin.get("/v1/public/summary");
  for (const { headers } of network.seen) assert.equal(headers.authorization, undefined);
  const { status, code } = await refusal(anyone.get("/v1/programmes"));
  assert.deepEqual([status, code], [401, "unauthenticated"]);
});

test("a list is read row by row, page after page", async () => {
  const all: string[] = [];
  network.next();
  for await (const programme of rows(admin, "/v1/programmes", { query: { limit: 7, sort: "code" } })) all.push(String(programme.code));
  assert.equal(all.length, 40);
  assert.deepEqual(all, [...new Set(all)].sort());
  assert.equal(network.seen.length, 6);

  network.next();
  for await (const programme of rows(admin, "/v1/programmes", { query: { limit: 7 } })) {
    assert.ok(programme.code);
    break;
  }
  assert.equal(network.seen.length, 1, "pages that nobody reads are not asked for");

  const planned = await admin.get("/v1/programmes", { query: { status: ["planned", "suspended"], count: true } });
  let counted = 0;
  for await (const page of pages(admin, "/v1/programmes", { query: { status: ["planned", "suspended"], limit: 2 } })) {
    assert.ok(page.data.length <= 2);
    counted += page.data.length;
  }
  assert.equal(counted, planned.data.page.total);
});

test("the feed is read as far as it goes", async () => {
  const positions: number[] = [];
  for await (const event of rows(admin, "/v1/events", { query: { limit: 50 } })) positions.push(event.position);
  const { data } = await admin.get("/v1/events/head");
  assert.ok(data.position > 50);
  assert.deepEqual(positions, Array.from({ length: data.position }, (_, index) => index + 1));
});

test("problems have a code, the field errors and the request that they belong to", async () => {
  const problem = await refusal(admin.post("/v1/opds", { body: { code: "tidak boleh", name: "" } }));
  assert.deepEqual([problem.name, problem.status, problem.code], ["RenaksiProblem", 422, "invalid"]);
  assert.deepEqual(problem.errors.map((fault) => fault.pointer).sort(), ["/code", "/name"]);
  assert.equal(problem.errorsAt("/name").length, 1);
  assert.match(problem.requestId ?? "", /^[\w-]+$/);
  const missing = await refusal(admin.get("/v1/opds/{code}", { path: { code: "TIDAK-ADA" } }));
  assert.deepEqual([missing.status, missing.code], [404, "not_found"]);
});

test("texts come in the language of the reader", async () => {
  let language: "en" | "id" = "id";
  const client = createClient({ baseUrl: service.url, language: () => language });
  const path = { code: "TIDAK-ADA" };
  const indonesian = await refusal(client.get("/v1/public/opds/{code}", { path }));
  language = "en";
  const english = await refusal(client.get("/v1/public/opds/{code}", { path }));
  assert.equal(indonesian.code, english.code);
  assert.notEqual(indonesian.title, english.title);
  const session = createSession({ baseUrl: service.url, language: "id" });
  const wrong = await refusal(session.login({ username: "viewer@demo.invalid", password: "kata-sandi-yang-salah" }));
  assert.equal(wrong.code, "invalid_grant");
  assert.ok(wrong.detail);
});

test("a path that needs a value is not sent without one", async () => {
  await assert.rejects(admin.get("/v1/opds/{code}", { path: { code: "" } }), TypeError);
  const { data } = await admin.get("/v1/opds/{code}", { path: { code: "DLH" } });
  assert.equal(data.code, "DLH");
});

test("a request that was refused for a moment is sent again, with its key", async () => {
  network.next({ status: 503, headers: { "retry-after": "1" } }, { status: 429 });
  const { status, data } = await admin.post("/v1/opds", { body: opd("UJI-1") });
  assert.deepEqual([status, data.code], [201, "UJI-1"]);
  const [first, second, third] = network.seen;
  assert.equal(network.seen.length, 3);
  assert.ok(first && second && third);
  assert.ok(second.at - first.at >= 990, "Retry-After is honoured");
  const keys = new Set(network.seen.map(({ headers }) => headers["idempotency-key"]));
  assert.equal(keys.size, 1);
  assert.match([...keys][0] as string, /^[0-9a-f-]{36}$/);

  network.next();
  await admin.post("/v1/opds", { body: opd("UJI-2") });
  assert.ok(!keys.has(network.seen[0]?.headers["idempotency-key"]), "another call has another key");
});

test("a creation whose answer was lost is done once", async () => {
  network.next("lose the answer");
  const { status, data, replayed } = await admin.post("/v1/opds", { body: opd("UJI-3") });
  assert.deepEqual([status, data.code, replayed], [201, "UJI-3", true]);
  network.next("lose the request");
  const again = await admin.put("/v1/opds/{code}", { path: { code: "UJI-4" }, body: { name: "Dinas UJI-4" }, ifNoneMatch: "*" });
  assert.deepEqual([again.status, again.replayed], [201, false]);
  assert.equal((await refusal(admin.post("/v1/opds", { body: opd("UJI-3") }))).code, "already_exists");
});

test("a long Retry-After is told to the app at once", async () => {
  network.next({ status: 429, headers: { "retry-after": "3600" }, body: '{"code":"rate_limited"}' });
  const problem = await refusal(admin.get("/v1/opds"));
  assert.deepEqual([problem.code, problem.retryAfter, network.seen.length], ["rate_limited", 3600, 1]);
  const date = new Date(Date.now() + 7_200_000).toUTCString();
  network.next({ status: 503, headers: { "retry-after": date }, body: "<h1>Busy</h1>" });
  const page = await refusal(admin.get("/v1/opds"));
  assert.equal(page.code, "unreadable_answer");
  assert.ok(Math.abs((page.retryAfter ?? 0) - 7200) < 5);
});

test("what never answers is given up after the attempts, and a call can be ended", async () => {
  network.next("lose the request", "lose the request", "lose the request");
  const few = createClient({ baseUrl: network.url, retries: { attempts: 3, firstPause: 10 } });
  await assert.rejects(few.get("/v1/public/opds"), RenaksiUnreachable);
  assert.equal(network.seen.length, 3);

  network.next({ status: 503, headers: { "retry-after": "30" } });
  const ending = new AbortController();
  setTimeout(() => ending.abort(), 100);
  const started = Date.now();
  await assert.rejects(admin.get("/v1/opds", { signal: ending.signal }), { name: "AbortError" });
  assert.ok(Date.now() - started < 5_000);
});

test("what is refused for good is not sent again", async () => {
  network.next();
  await refusal(admin.post("/v1/opds", { body: { code: "", name: "" } }));
  assert.equal(network.seen.length, 1);
});

test("a token that the service refuses is renewed once", async () => {
  const baseUrl = network.url;
  const secret = { baseUrl, clientId: "demo-dinkes", clientSecret };
  const good = clientCredentials(secret);
  let renewals = 0;
  const auth = { token: async () => "rusak", renew: async () => ((renewals += 1), good.token()) };
  const { data } = await createClient({ baseUrl, auth }).get("/v1/me");
  assert.deepEqual([data.kind, renewals], ["client", 1]);

  network.next();
  const source = clientCredentials(secret);
  const tokens = await Promise.all([source.token(), source.token(), source.token()]);
  assert.equal(new Set(tokens).size, 1);
  assert.equal(network.seen.length, 1, "one request for all who wait");
  const wrong = await refusal(clientCredentials({ ...secret, clientSecret: "salah" }).token());
  assert.deepEqual([wrong.status, wrong.code], [401, "invalid_client"]);
});

test("an edit changes what it read, and never what somebody else wrote meanwhile", async () => {
  const path = { code: "DLH" };
  const edited = await edit(admin, "/v1/opds/{code}", { path }, () => ({ head_name: "Ibu Sri" }));
  assert.equal(edited.data.head_name, "Ibu Sri");

  const meanwhile = async () => void (await edit(admin, "/v1/opds/{code}", { path }, () => ({ phone: `0370 ${Date.now()}` })));
  const stale = await refusal(edit(admin, "/v1/opds/{code}", { path }, async () => {
    await meanwhile();
    return { head_name: "Bapak Adi" };
  }));
  assert.ok(stale instanceof StaleEdit);
  assert.deepEqual([stale.status, stale.code, stale.mayBeOwn], [412, "precondition_failed", false]);
  const now = await admin.get("/v1/opds/{code}", { path });
  assert.equal(now.data.head_name, "Ibu Sri");
  // The error says which state is there now, and so does a read.
  const second = await admin.patch("/v1/opds/{code}", { path, ifMatch: stale.etag ?? "", body: { head_name: "Bapak Adi" } });
  assert.equal(second.data.head_name, "Bapak Adi");

  let turns = 0;
  const third = await edit(admin, "/v1/opds/{code}", { path, again: 3 }, async (current) => {
    if ((turns += 1) < 3) await meanwhile();
    return { head_title: `${current.head_name}, Kepala` };
  });
  assert.deepEqual([third.data.head_title, turns], ["Bapak Adi, Kepala", 3]);

  network.next();
  await edit(admin, "/v1/opds/{code}", { path }, () => undefined);
  assert.deepEqual(network.seen.map(({ method }) => method), ["GET"], "nothing to change, nothing to send");
});

test("a change knows itself after its answer was lost", async () => {
  const path = { code: "DINKES" };
  const { etag } = await admin.get("/v1/opds/{code}", { path });
  network.next("lose the answer");
  const saved = await save(admin, "/v1/opds/{code}", { path, ifMatch: etag ?? "", body: { phone: "0370 111" } });
  assert.equal(saved.data.phone, "0370 111");
  assert.deepEqual(network.seen.map(({ method }) => method), ["PATCH", "PATCH", "GET"]);

  // Somebody else wrote, so that the lost change was refused.
  network.next("lose the answer");
  const stale = await refusal(save(admin, "/v1/opds/{code}", { path, ifMatch: etag ?? "", body: { phone: "0370 222" } }));
  assert.ok(stale instanceof StaleEdit && stale.mayBeOwn);
  assert.equal((await admin.get("/v1/opds/{code}", { path })).data.phone, "0370 111");
});

test("a deletion whose answer was lost is done", async () => {
  await admin.post("/v1/opds", { body: opd("UJI-9") });
  const path = { code: "UJI-9" };
  const { etag } = await admin.get("/v1/opds/{code}", { path });
  network.next("lose the answer");
  const { status } = await admin.delete("/v1/opds/{code}", { path, ifMatch: etag ?? "" });
  assert.equal(status, 204);
  assert.equal((await refusal(admin.delete("/v1/opds/{code}", { path, ifMatch: etag ?? "" }))).status, 404);
});

test("a system pushes JSON, NDJSON and CSV, each push once", async () => {
  const dinkes = createClient({
    baseUrl: network.url,
    auth: clientCredentials({ baseUrl: service.url, clientId: "demo-dinkes", clientSecret }),
    retries,
  });
  network.next("lose the answer");
  const first = await dinkes.post("/v1/push/measurements", { body: [{ kpi: "STUNTING", period: "2023", value: "19.1" }] });
  assert.deepEqual([first.data.received, first.data.created, first.replayed], [1, 1, true]);
  const csv = "kpi;period;value\nSTUNTING;2023;19,1\nSTUNTING;2024;164\n";
  const second = await dinkes.post("/v1/push/measurements", { query: { mode: "partial", rows: "all" }, body: csv, contentType: "text/csv" });
  assert.deepEqual([second.data.unchanged, second.data.rejected], [1, 1]);
  const lines = new Blob(['{"kpi":"STUNTING","period":"2024","value":"16.4"}\n']);
  const third = await dinkes.post("/v1/push/measurements", { body: lines, contentType: "application/x-ndjson" });
  assert.equal(third.data.created, 1);
});
