// Writes index.d.ts: the package's types in one file.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generateDtsBundle } from "dts-bundle-generator";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const entry = { filePath: path("dist/index.d.ts"), output: { noBanner: true, exportReferencedTypes: false } };
const [text] = generateDtsBundle([entry], { preferredConfigPath: path("tsconfig.json") });
writeFileSync(path("index.d.ts"), "// Made by scripts/types.mjs from lib/.\n" + text);
