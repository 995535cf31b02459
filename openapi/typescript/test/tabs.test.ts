// Logins in the tabs of a real browser, which talk to a service of another origin.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { Chromium, type Tab } from "./chromium.js";
import { Provider } from "./provider.js";
import { password, Service } from "./service.js";
import { Site } from "./site.js";

let site: Site;
let provider: Provider;
let service: Service;
let chromium: Chromium;

before(async () => {
  [site, provider] = await Promise.all([Site.start(), Provider.start()]);
  service = await Service.start({
    RENAKSI_CORS_ORIGINS: site.url,
    RENAKSI_OIDC_ISSUER: provider.issuer,
    RENAKSI_OIDC_ROLE_CLAIM: "realm_access.roles",
    RENAKSI_OIDC_ROLE_PREFIX: "renaksi-",
  });
  chromium = await Chromium.start();
});

after(async () => {
  await chromium.end();
  await Promise.all([site.end(), provider.end(), service.remove()]);
});

let tabs: Tab[] = [];
beforeEach(async () => {
  for (const tab of tabs) {
    await tab.close();
    assert.deepEqual(tab.faults, []);
  }
  tabs = [];
});

/** A page of an app whose session has these options, as an expression. */
async function app(name: string, options = ""): Promise<Tab> {
  const program = `
    import * as renaksi from "renaksi-client";
    const baseUrl = "${service.url}";
    const session = renaksi.createSession({ baseUrl, name: "${name}", ${options} });
    const client = renaksi.createClient({ baseUrl, auth: session });
    const changes = [];
    session.onChange((change) => changes.push(change.because ?? change.state));
    const login = (who) => session.login({ username: who + "@demo.invalid", password: "${password}" });
    const me = async () => (await client.get("/v1/me")).data.email;
    Object.assign(globalThis, { renaksi, session, client, changes, login, me, isReady: true });`;
  const tab = await chromium.open(site.add(`/${name}`, program));
  tabs.push(tab);
  await tab.until("globalThis.isReady");
  return tab;
}

test("a login and a logout are those of all tabs", async () => {
  const [first, second] = [await app("shared"), await app("shared")];
  assert.equal(await first.evaluate("session.isLoggedIn()"), false);
  await first.evaluate("login('viewer')");
  await second.until("changes.includes('in')");
  assert.equal(await second.evaluate("me()"), "viewer@demo.invalid");

  // A tab that is opened later, or loaded again, learns it from the others.
  const third = await app("shared");
  assert.equal(await third.evaluate("me()"), "viewer@demo.invalid");
  await first.go(`${site.url}/shared`);
  await first.until("globalThis.isReady");
  assert.equal(await first.evaluate("me()"), "viewer@demo.invalid");

  // Somebody else logs in without a logout before.
  await first.evaluate("login('verifier')");
  await second.until("changes.length === 2");
  assert.deepEqual([await second.evaluate("me()"), await third.evaluate("me()")], Array(2).fill("verifier@demo.invalid"));

  await second.evaluate("session.logout()");
  await Promise.all([first, second, third].map((tab) => tab.until("changes.includes('logout')")));
  assert.deepEqual(await Promise.all([first, second, third].map((tab) => tab.evaluate("session.token()"))), Array(3).fill(undefined));
  assert.deepEqual(await second.evaluate("changes"), ["in", "in", "logout"]);
});

test("sessions with different names are different logins", async () => {
  const [first, second] = [await app("one"), await app("other")];
  await first.evaluate("login('viewer')");
  await second.evaluate("login('verifier')");
  assert.deepEqual([await first.evaluate("me()"), await second.evaluate("me()")], ["viewer@demo.invalid", "verifier@demo.invalid"]);
});

test("two tabs that renew 100 times each at the same time stay logged in", async () => {
  const [first, second] = [await app("busy"), await app("busy")];
  await first.evaluate("login('operator.dinkes')");
  await second.until("changes.includes('in')");
  const rounds = `(async () => {
    const tokens = new Set();
    for (let round = 0; round < 100; round += 1) {
      const token = await session.renew(await session.token());
      if (!token) throw new Error("logged out in round " + round);
      tokens.add(token);
      if (round % 10 === 0) await me();
    }
    return [...tokens];
  })()`;
  const [one, other] = await Promise.all([first.evaluate<string[]>(rounds), second.evaluate<string[]>(rounds)]);
  // What one tab renewed is what the other one has.
  const renewals = new Set([...one, ...other]).size;
  assert.ok(renewals >= 100 && renewals <= 200, String(renewals));
  const shared = one.filter((token) => other.includes(token)).length;
  assert.ok(shared > 0, "the tabs share what they renew");
  assert.deepEqual(await Promise.all([first.evaluate("me()"), second.evaluate("me()")]), Array(2).fill("operator.dinkes@demo.invalid"));
  assert.equal(await first.evaluate("session.token()"), await second.evaluate("session.token()"));
});

test("a tab that does not answer holds nobody up", async () => {
  const [first, second] = [await app("frozen"), await app("frozen")];
  await first.evaluate("login('viewer')");
  await second.until("changes.includes('in')");
  // It never gives the lock back.
  await first.evaluate("void navigator.locks.request('renaksi:frozen', () => new Promise(() => {}))");
  const before = await second.evaluate("session.token()");
  const after = await second.evaluate("session.token().then((token) => session.renew(token))");
  assert.ok(after !== undefined && after !== before);
});

test("sessionStorage outlives a reload without another tab, and localStorage the tab", async () => {
  const alone = await app("kept", "storage: renaksi.webStorage(sessionStorage)");
  await alone.evaluate("login('viewer')");
  await alone.go(`${site.url}/kept`);
  await alone.until("globalThis.isReady");
  assert.equal(await alone.evaluate("me()"), "viewer@demo.invalid");

  const first = await app("lasting", "storage: renaksi.webStorage(localStorage, 'lasting')");
  await first.evaluate("login('viewer')");
  await first.close();
  tabs = tabs.filter((tab) => tab !== first);
  const later = await app("lasting", "storage: renaksi.webStorage(localStorage, 'lasting')");
  const sibling = await app("lasting", "storage: renaksi.webStorage(localStorage, 'lasting')");
  assert.equal(await later.evaluate("me()"), "viewer@demo.invalid");
  await later.evaluate("session.logout()");
  await sibling.until("changes.includes('logout')");
  assert.equal(await sibling.evaluate("localStorage.getItem('lasting')"), null);
});

test("a page of an origin that is not configured gets nothing but what is public", async () => {
  const stranger = await Site.start();
  try {
    const program = `
      import { createClient } from "renaksi-client";
      const client = createClient({ baseUrl: "${service.url}", auth: { token: async () => "x" }, retries: { attempts: 1 } });
      const { data } = await client.get("/v1/public/summary");
      const refused = await client.get("/v1/programmes").then(() => "read", (error) => error.name);
      globalThis.result = [data.totals.planned, refused];`;
    // The demo lets apps on this machine log in; browsers take any name below localhost for this machine, and the service does not.
    const tab = await chromium.open(stranger.add("/stranger", program).replace(/127\.0\.0\.1|localhost/, "stranger.localhost"));
    tabs.push(tab);
    await tab.until("globalThis.result");
    assert.deepEqual(await tab.evaluate("result"), [40, "RenaksiUnreachable"]);
  } finally {
    await stranger.end();
  }
});

test("people log in at an outside provider, with PKCE", async () => {
  const program = `
    import { createClient, createOidcSession } from "renaksi-client";
    const session = createOidcSession({ issuer: "${provider.issuer}", clientId: "app", redirectUri: location.origin + "/outside" });
    const client = createClient({ baseUrl: "${service.url}", auth: session });
    const me = async () => (await client.get("/v1/me")).data.role;
    const returned = await session.finish().catch((error) => error.code);
    Object.assign(globalThis, { session, me, returned, isReady: true });`;
  const tab = await chromium.open(site.add("/outside", program));
  tabs.push(tab);
  await tab.until("globalThis.isReady");
  assert.equal(await tab.evaluate("returned"), undefined);
  await tab.evaluate("void session.start('/programmes/SV-01')");
  await tab.until("globalThis.returned");
  assert.equal(await tab.evaluate("returned"), "/programmes/SV-01");
  assert.equal(await tab.evaluate("location.href"), `${site.url}/outside`, "the code is gone from the address");
  assert.equal(await tab.evaluate("me()"), "operator");

  await tab.evaluate("session.token().then((token) => session.renew(token))");
  assert.equal(await tab.evaluate("me()"), "operator");
  assert.deepEqual(provider.grants, ["authorization_code", "refresh_token"]);

  await tab.evaluate("session.logout()");
  assert.equal(await tab.evaluate("session.token()"), undefined);
  assert.equal(provider.revoked.length, 1);

  // Somebody else's answer is not taken.
  await tab.go(`${site.url}/outside?code=stolen&state=unknown`);
  await tab.until("globalThis.isReady");
  assert.equal(await tab.evaluate("returned"), "invalid_request");
  assert.equal(await tab.evaluate("session.isLoggedIn()"), false);
});
