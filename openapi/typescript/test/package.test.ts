// What is published: small, complete, without dependencies, and only the parts that an app imports.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A bundle of an app that uses some parts of the package. */
async function bundle(program: string): Promise<string> {
  const stdin = { contents: program, resolveDir: root };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: "esm", platform: "browser", write: false, logLevel: "error" });
  return outputFiles[0]?.text ?? "";
}

const compressed = (text: string) => gzipSync(text, { level: 9 }).length;

test("the client is small, and an app has only what it imports", async () => {
  const all = await bundle('export * from "renaksi-client"');
  const some = await bundle('export { createClient, createSession, rows } from "renaksi-client"');
  const least = await bundle('export { createClient } from "renaksi-client"');
  const sizes = [all, some, least].map(compressed);
  console.log(`minified and compressed: all ${sizes[0]}, with sessions and lists ${sizes[1]}, calls only ${sizes[2]} bytes`);
  // What README.md says.
  assert.ok(compressed(all) < 6_500 && compressed(some) < 4_500 && compressed(least) < 2_800, String(sizes));
  assert.ok(all.includes("BroadcastChannel") && !least.includes("BroadcastChannel"));
  assert.ok(all.includes("EventSource") && !some.includes("EventSource"));

  const form = await bundle('import { NewProgramme } from "renaksi-client/forms"; console.log(NewProgramme.name.label)');
  const every = await bundle('export * from "renaksi-client/forms"');
  assert.ok(form.length < every.length / 5);
});

test("forms know labels, bounds and words in both languages", async () => {
  const { NewKpi, NewProgramme, ProgrammeStatus } = await import("renaksi-client/forms");
  assert.deepEqual(NewProgramme.name.label, { en: "Name", id: "Nama" });
  assert.deepEqual([NewProgramme.name.required, NewProgramme.name.minLength, NewProgramme.name.maxLength], [true, 1, 300]);
  assert.deepEqual([NewProgramme.budget.kind, NewProgramme.budget.nullable, NewProgramme.start_date.kind], ["decimal", true, "date"]);
  assert.deepEqual(NewKpi.direction.choices.map(({ value }) => value), ["increase", "decrease"]);
  assert.deepEqual(ProgrammeStatus.planned, { en: "Planned", id: "Direncanakan" });
});

test("the package has its programs, types, licences and README, and depends on nothing", async () => {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
  const [pack] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = pack.files.map(({ path }) => path);
  for (const path of ["package.json", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "dist/index.js", "dist/index.d.ts", "dist/schema.d.ts", "dist/forms.js"]) {
    assert.ok(paths.includes(path), `${path} is missing`);
  }
  assert.deepEqual(paths.filter((path) => !/^(dist\/\w+\.(js|d\.ts)|README\.md|LICENSE-\w+|package\.json)$/.test(path)), []);
  const about = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as Record<string, unknown>;
  assert.deepEqual([about["dependencies"], about["license"], about["sideEffects"]], [undefined, "MIT OR Apache-2.0", false]);
});
