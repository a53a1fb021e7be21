// Builds the native module with cargo and writes its loader (native.js) and types (native.d.ts). Arguments go to cargo: --release, say.
//
// `napi build` would do it too, but always for a named target, which has cargo build all dependencies once more beside those of the tests.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateTypeDef, parseTriple, writeJsBinding } from "@napi-rs/cli";

const root = fileURLToPath(new URL("..", import.meta.url));
const { name, version, napi } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function cargo(...args) {
  const { status, stdout } = spawnSync("cargo", args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], env, maxBuffer: 1 << 28 });
  if (status !== 0) process.exit(status ?? 1);
  return stdout.toString();
}

const env = { ...process.env };
const { target_directory } = JSON.parse(cargo("metadata", "--format-version", "1", "--no-deps"));
const types = join(target_directory, "napi-types");
mkdirSync(types, { recursive: true });
env.NAPI_TYPE_DEF_TMP_FOLDER = types;
// Types are written while the crate compiles, so it must, where there are none.
if (!existsSync(join(types, "clipkit-node"))) env.NAPI_FORCE_BUILD_CLIPKIT_NODE = `${Date.now()}`;

const messages = cargo("build", "--package", "clipkit-node", "--message-format", "json-render-diagnostics", ...process.argv.slice(2));
const built = messages.split("\n").filter((line) => line.includes('"compiler-artifact"')).map((line) => JSON.parse(line));
const artifact = built.find(({ target }) => target.kind.includes("cdylib") && target.name === "clipkit_node");
const library = artifact.filenames.find((file) => /\.(so|dylib|dll)$/.test(basename(file)));

const { platformArchABI } = parseTriple(spawnSync("rustc", ["-vV"]).stdout.toString().match(/host: (.+)/)?.[1] ?? "");
const module = join(root, `${napi.binaryName}.${platformArchABI}.node`);
// Whoever has the old one open keeps it.
copyFileSync(library, `${module}.new`);
renameSync(`${module}.new`, module);

const { exports, dts } = await generateTypeDef({ typeDefDir: types, noDtsHeader: true, cwd: root });
const banner = "// Made by scripts/native.mjs from src/. The package's own types are in index.d.ts.\n";
writeFileSync(join(root, "native.d.ts"), banner + dts);
await writeJsBinding({
  platform: true, idents: exports, jsBinding: "native.js", binaryName: napi.binaryName, packageName: name, version, outputDir: root,
});
