// The page for people in a browser: axe-core finds nothing that keeps anybody out, by the rules of WCAG 2.2 AA and the usual practice.
// axe-core (MPL-2.0) is a tool of this test only.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { Chromium, type Look, type Tab } from "./chromium.js";
import { Service } from "./service.js";

/** The rules that hold, by the tags of axe-core. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LOOKS: Look[] = (["light", "dark"] as const).flatMap((colours) => [320, 768, 1440].map((width) => ({ width, colours })));
/** Today, and a past day. */
const DAYS = ["", "&as_of=2022-10-04"];
/** The most bytes that a first look at the page may take. */
const MOST_BYTES = 100_000;

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

let service: Service;
let chromium: Chromium;
let axe: string;

before(async () => {
  [service, chromium, axe] = await Promise.all([
    Service.start(),
    Chromium.start(),
    readFile(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8"),
  ]);
});

after(async () => {
  await chromium.end();
  await service.remove();
});

/** Opens a page in a tab that tells what it loads. */
async function open(path: string, look: Look): Promise<Tab> {
  const tab = await chromium.open("about:blank");
  await tab.observe();
  await tab.look(look);
  await tab.go(service.url + path);
  return tab;
}

/** What axe-core finds wrong with what a tab shows. */
async function violations(tab: Tab): Promise<string[]> {
  if (!(await tab.evaluate<boolean>("'axe' in globalThis"))) await tab.evaluate(`${axe}; undefined`);
  const options = { runOnly: { type: "tag", values: RULES }, resultTypes: ["violations"] };
  const { found, passed } = await tab.evaluate<{ found: Violation[]; passed: number }>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations, passes }) => ({ found: violations, passed: passes.length }))`,
  );
  assert.ok(passed > 10, `only ${passed} rules were tried`);
  return found.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary ?? ""}`));
}

/** The first line of a tab's page that is wider than the screen, if any is. */
const overflow = (tab: Tab, width: number) =>
  tab.evaluate<string | null>(
    `document.documentElement.scrollWidth <= ${width} ? null : document.documentElement.scrollWidth + " px, such as " +
      [...document.querySelectorAll("body *")].find((element) => element.getBoundingClientRect().right > ${width})?.outerHTML.slice(0, 300)`,
  );

const PAGES = [...["id", "en"].flatMap((language) => DAYS.map((day) => `/?lang=${language}${day}`)), "/?lang=id&as_of=x", "/?lang=en&as_of=x"];

for (const path of PAGES) {
  test(`nothing on ${path} keeps anybody out, on any screen`, async () => {
    const tab = await open(path, { width: 320, colours: "light" });
    for (const look of LOOKS) {
      await tab.look(look);
      assert.deepEqual(await violations(tab), [], JSON.stringify(look));
      assert.equal(await overflow(tab, look.width), null, JSON.stringify(look));
    }
    const refused = path.includes("as_of=x");
    // That the page itself was refused is what the browser may complain of, and nothing else.
    const complaints = tab.complaints.filter((complaint) => !(refused && complaint.includes(" 400 ")));
    assert.deepEqual([...tab.faults, ...complaints], []);
    await tab.close();
  });
}

test("the first look at the page is small, and asks nobody else", async () => {
  for (const path of ["/?lang=id", "/?lang=en"]) {
    const tab = await open(path, { width: 320, colours: "light" });
    assert.ok(tab.received > 1_000 && tab.received < MOST_BYTES, `${tab.received} bytes`);
    for (const url of tab.requested) assert.ok(url.startsWith(`${service.url}/`) || url.startsWith("data:"), url);
    await tab.close();
  }
});

test("without scripts the page says the same", async () => {
  const said = "document.body.innerText";
  for (const path of PAGES) {
    const tab = await open(path, { width: 768, colours: "light" });
    const withScripts = await tab.evaluate<string>(said);
    await tab.scripts(false);
    await tab.go(service.url + path);
    assert.ok(await tab.evaluate<boolean>("matchMedia('(scripting: none)').matches"));
    assert.equal(await tab.evaluate<string>(said), withScripts);
    await tab.close();
  }
  const shown = await open("/?lang=en", { width: 768, colours: "light" });
  await shown.scripts(false);
  const { data } = await (await service.client("viewer")).get("/v1/public/summary");
  assert.match(await shown.evaluate<string>(said), new RegExp(`${data.totals.running} of ${data.totals.planned} programmes`));
  await shown.close();
});
