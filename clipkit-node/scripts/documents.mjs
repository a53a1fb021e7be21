// Writes lib/documents.ts: the types of all documents, from the crate's JSON Schema.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const schema = JSON.parse(await readFile(new URL("../../clipkit/schema/clipkit.schema.json", import.meta.url), "utf8"));

/** Rust's links and examples mean nothing here. */
function plain(description) {
  return description
    .replace(/\n*```[\s\S]*?```/g, "")
    .replace(/\[(`[^`]+`)\](\([^)]*\))?/g, "$1")
    .replace(/`([A-Za-z]+(?:::[A-Za-z_]+)+)`/g, (_, path) => `\`${path.split("::").slice(-2).join(".")}\``)
    .trim();
}

function tidy(node) {
  if (Array.isArray(node)) return node.map(tidy);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, key === "description" && typeof value === "string" ? plain(value) : tidy(value)]);
  const tidied = Object.fromEntries(entries);
  // Defaults of whole objects are noise in a comment, and a list's bounds make tuples of it.
  if (typeof tidied.default === "object") delete tidied.default;
  // Beside a reference nothing else would count.
  const { $ref, description, ...rest } = tidied;
  if ($ref && Object.keys(tidied).length > 1) return { description, allOf: [{ $ref }, ...(rest.properties ? [rest] : [])] };
  return tidied;
}

const text = await compile({ ...tidy(schema), title: "Documents", additionalProperties: false }, "Documents", {
  additionalProperties: false,
  bannerComment: "// Made by scripts/documents.mjs from clipkit/schema/clipkit.schema.json. Names are as in the documents.",
  style: { printWidth: 140 },
  unreachableDefinitions: true,
});
const said = /( \*\n)? \* This interface was referenced by `Documents`'s JSON-Schema\n \* via the `definition` "\w+".\n/g;
const root = /export interface Documents \{[^}]*\}\n+/;
await writeFile(new URL("../lib/documents.ts", import.meta.url), text.replace(said, "").replace(root, "").replaceAll("/**\n */\n", ""));
