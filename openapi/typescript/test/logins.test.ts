// Logins without a browser: renewal, endings and second factors.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";

import { createClient, createSession, memoryStorage, RenaksiProblem, RenaksiUnreachable, type Session, type Tokens } from "renaksi-client";

import { Network } from "./network.js";
import { password, Service } from "./service.js";

let service: Service;
let network: Network;

before(async () => {
  service = await Service.start();
  network = await Network.before(service.url);
});

after(async () => {
  await network.end();
  await service.remove();
});

const viewer = { username: "viewer@demo.invalid", password };
const email = async (session: Session) => (await createClient({ baseUrl: service.url, auth: session }).get("/v1/me")).data.email;

test("a session logs in, renews and logs out", async () => {
  const kept = memoryStorage();
  const session = createSession({ baseUrl: service.url, storage: kept });
  const changes: string[] = [];
  const stop = session.onChange((change) => changes.push(change.state === "in" ? "in" : change.because));
  assert.deepEqual([await session.isLoggedIn(), await session.token()], [false, undefined]);
  await session.login(viewer);
  assert.equal(await email(session), viewer.username);

  const [before, first] = [await kept.read(), await session.token()];
  assert.ok(first);
  const [renewed, same] = await Promise.all([session.renew?.(first), session.renew?.(first)]);
  assert.ok(renewed !== undefined && renewed !== first && renewed === same, "renewed once for both");
  assert.equal(await session.renew?.(first), renewed, "an old token is not a reason to renew again");
  assert.notEqual((await kept.read())?.refresh, before?.refresh);

  const refresh = (await kept.read())?.refresh ?? "";
  await session.logout();
  assert.deepEqual([await kept.read(), await session.token(), await session.isLoggedIn()], [undefined, undefined, false]);
  const late = createSession({ baseUrl: service.url, storage: memoryStorage() });
  await late.keep({ access_token: "x", expires_in: 0, refresh_token: refresh });
  assert.equal(await late.token(), undefined, "what was logged out cannot be renewed");

  await session.login(viewer);
  assert.deepEqual(changes, ["in", "logout", "in"], "a renewal is no login");
  stop();
  await session.login(viewer);
  assert.equal(changes.length, 3);
});

test("a wrong password is told at once, and asked for once", async () => {
  network.next();
  const session = createSession({ baseUrl: network.url });
  await assert.rejects(session.login({ ...viewer, password: "bukan-kata-sandinya" }), (error: unknown) => {
    assert.ok(error instanceof RenaksiProblem);
    assert.deepEqual([error.status, error.code], [400, "invalid_grant"]);
    return true;
  });
  assert.equal(network.seen.length, 1);
  network.next({ status: 429, headers: { "retry-after": "7" }, body: '{"code":"rate_limited"}' });
  await assert.rejects(session.login(viewer), { retryAfter: 7 });
  assert.equal(network.seen.length, 1, "whoever waits at a form is told how long to wait");
  assert.equal(await session.isLoggedIn(), false);
});

test("a login that was ended elsewhere ends here", async () => {
  const kept = memoryStorage();
  const session = createSession({ baseUrl: service.url, storage: kept });
  const changes: unknown[] = [];
  session.onChange((change) => changes.push(change));
  await session.login(viewer);
  const { refresh } = (await kept.read()) as Tokens;
  const anyone = createClient({ baseUrl: service.url });
  await anyone.request("post", "/v1/auth/revoke", {
    body: new URLSearchParams({ token: refresh ?? "" }),
    contentType: "application/x-www-form-urlencoded",
  });
  assert.equal(await session.renew?.((await session.token()) ?? ""), undefined);
  assert.deepEqual(changes, [{ state: "in" }, { state: "out", because: "expired" }]);
  assert.equal(await session.isLoggedIn(), false);
});

test("while the network is away, a token is used as long as it is good", async () => {
  const kept = memoryStorage();
  const session = createSession({ baseUrl: network.url, storage: kept });
  await session.login(viewer);
  const tokens = (await kept.read()) as Tokens;
  await kept.write({ ...tokens, renewAt: 0 });
  const away = Array<"lose the request">(4).fill("lose the request");
  network.next(...away);
  assert.equal(await session.token(), tokens.access);
  await kept.write({ ...tokens, renewAt: 0, expiresAt: 0 });
  network.next(...away);
  await assert.rejects(session.token(), RenaksiUnreachable);
  // The login is not lost with it.
  const again = await session.token();
  assert.ok(again !== undefined && again !== tokens.access);
});

test("a renewal that a logout overtakes is revoked", async () => {
  const kept = memoryStorage();
  const session = createSession({ baseUrl: network.url, storage: kept });
  await session.login(viewer);
  const token = (await session.token()) ?? "";
  network.next({ status: 503, headers: { "retry-after": "1" } });
  const renewal = session.renew?.(token);
  while (network.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await session.logout();
  assert.equal(await renewal, undefined);
  assert.equal(await session.isLoggedIn(), false);
  assert.equal(await kept.read(), undefined);
});

test("a server that serves several people never mixes them up", async () => {
  const [one, other] = [createSession({ baseUrl: service.url }), createSession({ baseUrl: service.url })];
  await one.login(viewer);
  assert.equal(await other.isLoggedIn(), false);
  await other.login({ ...viewer, username: "verifier@demo.invalid" });
  assert.deepEqual([await email(one), await email(other)], ["viewer@demo.invalid", "verifier@demo.invalid"]);
});

test("a renewal whose answer was lost does not end the login", async () => {
  const session = createSession({ baseUrl: network.url });
  await session.login(viewer);
  const token = (await session.token()) ?? "";
  network.next("lose the answer");
  const renewed = await session.renew?.(token);
  assert.ok(renewed !== undefined && renewed !== token);
  assert.equal(network.seen.length, 2);
  assert.equal(await email(session), viewer.username);
});

test("tabs without locks that renew at the same time stay logged in", async () => {
  // Node has channels, but no locks in its older versions: what a browser without them does.
  const options = { baseUrl: service.url, name: "no-locks", shared: true };
  const [one, other] = [createSession(options), createSession(options)];
  await one.login(viewer);
  for (let round = 0; round < 10; round += 1) {
    const tokens = await Promise.all([one, other].map(async (session) => session.renew?.((await session.token()) ?? "")));
    assert.ok(tokens.every((token) => token !== undefined), `round ${round}`);
  }
  assert.deepEqual([await email(one), await email(other)], [viewer.username, viewer.username]);
  await other.logout();
});

test("an account with a second factor logs in with a code, or with a recovery code", async () => {
  const credentials = { username: "operator.dlh@demo.invalid", password };
  const session = createSession({ baseUrl: service.url });
  await session.login(credentials);
  const client = createClient({ baseUrl: service.url, auth: session });
  const prepared = (await client.request("post", "/v1/me/totp")).data as { secret: string };
  const step = () => Math.floor(Date.now() / 30_000);
  const first = step();
  const confirmed = (await client.request("put", "/v1/me/totp", { body: { code: totp(prepared.secret, first) } })).data as { recovery_codes: string[] };

  const later = createSession({ baseUrl: service.url });
  await assert.rejects(later.login(credentials), { name: "RenaksiProblem", code: "mfa_required" });
  assert.equal(await later.isLoggedIn(), false);
  const recovery = confirmed.recovery_codes[0] ?? "";
  await later.login({ ...credentials, totp: recovery });
  assert.equal(await email(later), credentials.username);
  // A code is good once, and the next one is taken a step early.
  await later.login({ ...credentials, totp: totp(prepared.secret, first + 1) });
  assert.equal(await email(later), credentials.username);
});

/** The code of RFC 6238 for a step of 30 seconds. */
function totp(secret: string, step: number): string {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}
