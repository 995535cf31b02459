// Generates what is made of the OpenAPI document: its types, and its forms. Neither is committed, so neither can be out of date.

import { copyFile, readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const here = (path) => new URL(path, import.meta.url);
const note = "// Generated from openapi/openapi.json by scripts/generate.js.\n\n";
const document = JSON.parse(await readFile(here("../../openapi.json"), "utf8"));
const schemas = document.components.schemas;

await writeFile(here("../src/schema.ts"), note + astToString(await openapiTS(here("../../openapi.json"))));
await writeFile(here("../src/forms.ts"), note + forms());
for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) await copyFile(here(`../../../${licence}`), here(`../${licence}`));

/** A constant for each body of a request and for each set of words, so that a bundle holds only those that an app uses. */
function forms() {
  const parts = ['// The labels, hints and bounds of what people fill in, in both languages.\n\nimport type * as form from "./form.js";\n'];
  for (const [name, schema] of Object.entries(schemas)) {
    if (/^New[A-Z]|Input$/.test(name) && schema.properties) parts.push(constant(name, form(name, schema), "Form"));
    else if (schema["x-labels"]) parts.push(constant(name, schema["x-labels"], "Labels"));
  }
  return parts.join("\n");
}

function constant(name, value, type) {
  return `export const ${name} = ${JSON.stringify(value, null, 2)} as const satisfies form.${type};\n`;
}

function form(name, schema) {
  // A kind has its labels in at least one of its bodies.
  const kind = name.replace(/^New|Input$/g, "");
  const others = [`New${kind}`, `${kind}Replacement`, `${kind}Patch`, kind].map((other) => schemas[other]?.properties ?? {});
  const members = Object.entries(schema.properties).map(([member, described]) => {
    const labelled = [described, ...others.map((properties) => properties[member])].find((candidate) => candidate?.["x-label"]);
    return [member, field(member, described, labelled ?? described, (schema.required ?? []).includes(member))];
  });
  return Object.fromEntries(members);
}

function field(member, described, labelled, required) {
  const { schema, nullable } = resolved(described);
  const words = schema.enum?.filter((word) => word !== null);
  const name = member.replaceAll("_", " ");
  const en = described.description ?? schema.description ?? "";
  return {
    label: labelled["x-label"] ?? { en: name, id: name },
    hint: { en, id: labelled["x-description-id"] ?? en },
    kind: kindOf(schema, words),
    required,
    nullable,
    ...pick(schema, ["minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"]),
    // Patterns that only forbid NUL say nothing to a person.
    ...(schema.pattern && !schema.pattern.includes("u0000") && { pattern: schema.pattern }),
    ...(words && { choices: words.map((value) => ({ value, label: schema["x-labels"]?.[value] ?? { en: value, id: value } })) }),
  };
}

/** A schema behind its references and without null. */
function resolved(described) {
  if (described.$ref) return resolved(schemas[described.$ref.split("/").at(-1)]);
  const either = described.oneOf ?? described.anyOf;
  if (!either) return { schema: described, nullable: [described.type].flat().includes("null") };
  const isNull = (part) => part.type === "null";
  const part = either.find((candidate) => !isNull(candidate));
  return { schema: resolved(part).schema, nullable: either.some(isNull) };
}

function kindOf(schema, words) {
  const types = [schema.type].flat();
  if (words) return "choice";
  if (schema.format === "decimal") return "decimal";
  if (schema.format === "date") return "date";
  if (schema.format === "date-time") return "instant";
  if (types.includes("boolean")) return "boolean";
  if (types.includes("integer") || types.includes("number")) return "integer";
  if (types.includes("array")) return "list";
  if (types.includes("object")) return "object";
  return schema.maxLength > 500 ? "long_text" : "text";
}

function pick(from, names) {
  return Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));
}
