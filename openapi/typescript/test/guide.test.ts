// What docs/browser.md and README.md show is true: their programs are typed strictly and run as they stand.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";

import { type Client, edit } from "renaksi-client";
import ts from "typescript";

import { Chromium, type Tab } from "./chromium.js";
import { Provider } from "./provider.js";
import { clientSecret, password, Service } from "./service.js";
import { Site } from "./site.js";

// Seen from the folder of the compiled tests.
const root = new URL("../", import.meta.url);
let site: Site;
let provider: Provider;
let service: Service;
let chromium: Chromium;
let admin: Client;
let html: string;

before(async () => {
  [site, provider] = await Promise.all([Site.start(), Provider.start()]);
  service = await Service.start({
    RENAKSI_CORS_ORIGINS: site.url,
    RENAKSI_OIDC_ISSUER: provider.issuer,
    RENAKSI_OIDC_ROLE_CLAIM: "realm_access.roles",
    RENAKSI_OIDC_ROLE_PREFIX: "renaksi-",
  });
  chromium = await Chromium.start();
  admin = await service.client("admin");
  const guide = await blocks(new URL("../../docs/browser.md", root));
  html = guide.get("html") ?? "";
  for (const [file, text] of await programs("browser", guide)) site.pages.set(`/${file.replace(".ts", ".js")}`, text);
});

after(async () => {
  await chromium.end();
  await Promise.all([site.end(), provider.end(), service.remove()]);
});

/** The fenced blocks of a page: programs by the name in their first line, others by their kind. */
async function blocks(page: URL): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [, kind = "", text = ""] of (await readFile(page, "utf8")).matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    found.set(/^\/\/ (\S+\.ts)$/m.exec(text)?.[1] ?? kind, text);
  }
  return found;
}

/** The programs among blocks, typed strictly and without their types. */
async function programs(name: string, found: Map<string, string>): Promise<[string, string][]> {
  // Within the package, where its own name means itself.
  const folder = new URL(`build/${name}/`, root);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const files = [...found].filter(([file]) => file.endsWith(".ts"));
  assert.ok(files.length > 0);
  for (const [file, text] of files) await writeFile(new URL(file, folder), text);
  const { options } = ts.parseJsonConfigFileContent(
    { compilerOptions: { target: "ES2022", module: "NodeNext", lib: ["ES2022", "DOM", "DOM.Iterable"], types: ["node"], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true } },
    ts.sys,
    fileURLToPath(folder),
  );
  const program = ts.createProgram(files.map(([file]) => fileURLToPath(new URL(file, folder))), options);
  const faults = ts.getPreEmitDiagnostics(program);
  assert.equal(ts.formatDiagnostics(faults, { getCanonicalFileName: (path) => path, getCurrentDirectory: () => fileURLToPath(folder), getNewLine: () => "\n" }), "");
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
  return files.map(([file, text]) => [file, ts.transpileModule(text, { compilerOptions }).outputText]);
}

/** Opens the page of the guide with some of its programs, whose exports then are global. */
async function open(path: string, language: string, ...files: string[]): Promise<Tab> {
  const imports = { "renaksi-client": "/client/index.js", "renaksi-client/forms": "/client/forms.js" };
  const modules = files.map((file) => `Object.assign(globalThis, await import("/${file}.js"));`).join("\n");
  const head = `<script type="importmap">${JSON.stringify({ imports })}</script><link rel="icon" href="data:,">
    <script type="module">${modules} globalThis.isReady = true;</script>`;
  const page = html
    .replace("https://renaksi.example.go.id", service.url)
    .replace('lang="id"', `lang="${language}" data-issuer="${provider.issuer}"`)
    .replace(/(<html[^>]*>)/, `$1${head}`);
  site.pages.set(path, `<!doctype html>${page}`);
  const tab = await chromium.open(site.url + path);
  await tab.until("globalThis.isReady");
  return tab;
}

const fill = (tab: Tab, form: string, values: Record<string, string>) =>
  tab.evaluate(`(() => {
    const form = document.querySelector("${form}");
    for (const [name, value] of Object.entries(${JSON.stringify(values)})) form.elements[name].value = value;
    form.requestSubmit();
  })()`);

const text = (tab: Tab, selector: string) => tab.evaluate<string>(`document.querySelector("${selector}").textContent`);

async function logIn(tab: Tab): Promise<void> {
  await fill(tab, "#login", { username: "operator.dinkes@demo.invalid", password });
  await tab.until("document.documentElement.dataset.login === 'in'");
}

/** A programme that DINKES leads. */
async function ownProgramme(): Promise<string> {
  const { data } = await admin.get("/v1/programmes", { query: { lead_opd: "DINKES", status: "running", limit: 1 } });
  const code = data.data[0]?.code;
  assert.ok(code !== undefined);
  return code;
}

test("people log in, and are told in their language what is wrong", async () => {
  const tab = await open("/guide-login", "id", "client", "login");
  const wrong = { username: "operator.dinkes@demo.invalid", password: "bukan-kata-sandinya" };
  await fill(tab, "#login", wrong);
  await tab.until("document.querySelector('#login [role=alert]').textContent");
  const indonesian = await text(tab, "#login [role=alert]");
  await tab.evaluate("document.documentElement.lang = 'en'");
  await fill(tab, "#login", wrong);
  await tab.until(`![${JSON.stringify(indonesian)}, ''].includes(document.querySelector('#login [role=alert]').textContent)`);

  await logIn(tab);
  assert.equal(await text(tab, "#login [role=alert]"), "");
  await tab.evaluate("session.logout()");
  await tab.until("document.documentElement.dataset.login === 'logout'");
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test("programmes are listed and edited, and nobody overwrites what they have not seen", async () => {
  const tab = await open("/guide-edit", "id", "client", "login", "list", "edit");
  await logIn(tab);
  await tab.evaluate("list()");
  const code = await ownProgramme();
  const listed = await tab.evaluate<string[]>("[...document.querySelectorAll('#programmes li')].map((item) => item.textContent)");
  assert.ok(listed.some((line) => line.startsWith(code)), String(listed));

  await tab.evaluate(`open("${code}")`);
  const label = await text(tab, "#edit label");
  assert.ok(label.startsWith("Nama"), label);
  assert.deepEqual(await tab.evaluate("(({ required, maxLength }) => ({ required, maxLength }))(document.querySelector('#edit [name=name]'))"), {
    required: true,
    maxLength: 300,
  });

  const path = { code };
  const stored = async () => (await admin.get("/v1/programmes/{code}", { path })).data;
  await fill(tab, "#edit form", { name: "Nama baru" });
  for (let turn = 0; (await stored()).name !== "Nama baru"; turn += 1) assert.ok(turn < 200);

  // Somebody else writes while the form is open.
  await tab.evaluate(`open("${code}")`);
  await edit(admin, "/v1/programmes/{code}", { path }, () => ({ description: "Dari orang lain" }));
  await fill(tab, "#edit form", { name: "Nama dari saya" });
  await tab.until("document.querySelector('#edit [role=alert]').textContent.startsWith('Orang lain')");
  assert.equal((await stored()).name, "Nama baru");
  const shown = "Object.fromEntries(new FormData(document.querySelector('#edit form')))";
  const both = await tab.evaluate<Record<string, string>>(shown);
  assert.deepEqual([both["name"], both["description"]], ["Nama dari saya", "Dari orang lain"]);
  await fill(tab, "#edit form", {});
  for (let turn = 0; (await stored()).name !== "Nama dari saya"; turn += 1) assert.ok(turn < 200);
  assert.equal((await stored()).description, "Dari orang lain");

  // What the browser would not let a person type is told beside the field.
  await tab.evaluate(`open("${code}")`);
  await fill(tab, "#edit form", { funding_source: "x".repeat(201) });
  await tab.until("document.querySelector('#edit [data-pointer=\"/funding_source\"]').textContent");
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test("people log in at the outside provider, and come back to where they were", async () => {
  const tab = await open("/guide-provider", "id", "provider");
  await tab.go(`${site.url}/guide-provider?tab=kpi#STUNTING`);
  await tab.until("globalThis.isReady");
  await tab.evaluate("void ensureLogin()");
  await tab.until("location.search.includes('code=') && globalThis.isReady");
  await tab.evaluate("ensureLogin()");
  assert.equal(await tab.evaluate("location.href"), `${site.url}/guide-provider?tab=kpi#STUNTING`);
  assert.equal(await tab.evaluate("client.get('/v1/me').then(({ data }) => data.role)"), "operator");
  await tab.evaluate("ensureLogin()");
  assert.deepEqual(provider.grants, ["authorization_code"], "whoever is logged in stays");
  await tab.close();
});

test("the page follows what changes", async () => {
  const tab = await open("/guide-events", "id", "client", "login", "events");
  await logIn(tab);
  const code = await ownProgramme();
  await tab.evaluate("void (globalThis.ending = new AbortController(), globalThis.end = follow(ending.signal))");
  const change = (name: string) => edit(admin, "/v1/programmes/{code}", { path: { code } }, () => ({ name }));
  // It begins now, whenever that is.
  for (let turn = 0; (await tab.evaluate("document.querySelectorAll('#events li').length")) === 0; turn += 1) {
    assert.ok(turn < 100);
    await change(`Giliran ${turn}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await change("Nama terakhir");
  await tab.until("document.querySelector('#programmes').textContent.includes('Nama terakhir')");
  assert.match(await text(tab, "#events li:last-child"), new RegExp(`^\\d+ programme\\.updated ${code}$`));
  await tab.evaluate("ending.abort()");
  await tab.evaluate("end");
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test("the programs of README.md run", async () => {
  const settings = {
    RENAKSI_URL: service.url,
    RENAKSI_CLIENT_ID: "demo-dinkes",
    RENAKSI_CLIENT_SECRET: clientSecret,
    RENAKSI_USERNAME: "admin@demo.invalid",
    RENAKSI_PASSWORD: password,
  };
  const printed = new Map<string, string>();
  for (const [file, program] of await programs("readme", await blocks(new URL("README.md", root)))) {
    const path = new URL(`build/readme/${file.replace(".ts", ".mjs")}`, root);
    await writeFile(path, program);
    const running = spawn(process.execPath, [fileURLToPath(path)], { env: { ...process.env, ...settings }, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    running.stdout.setEncoding("utf8").on("data", (part: string) => (said += part));
    const [status] = (await once(running, "close")) as [number];
    assert.equal(status, 0, `${file}: ${said}`);
    printed.set(file, said);
  }
  assert.deepEqual([...printed.keys()], ["people.ts", "push.ts"]);
  assert.match(printed.get("push.ts") ?? "", /^2 rows, 0 rejected$/m);
  assert.match(printed.get("people.ts") ?? "", /^35 of 40\n(.+\n)+saved\nnot_found$/m);
});
