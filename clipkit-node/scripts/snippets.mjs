// Runs the JavaScript of a Markdown file as written, each snippet as a program of its own in the working folder: node snippets.mjs FILE [NUMBER]
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [file, number] = process.argv.slice(2);
const snippets = [...readFileSync(file, "utf8").matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
const chosen = number === undefined ? snippets : [snippets[Number(number)]];
if (chosen.length === 0 || chosen.includes(undefined)) throw new Error(`there is no such snippet in ${file}`);

// Where a user's project has its packages.
const modules = join(process.cwd(), "node_modules");
const made = mkdirSync(modules, { recursive: true });
symlinkSync(realpathSync(fileURLToPath(new URL("..", import.meta.url))), join(modules, "clipkit-node"));
try {
  for (const code of chosen) {
    const program = join(process.cwd(), ".snippet.mjs");
    writeFileSync(program, code);
    const { status } = spawnSync(process.execPath, [program], { stdio: "inherit" });
    rmSync(program);
    if (status !== 0) throw new Error(`this snippet of ${file} failed:\n${code}`);
  }
} finally {
  rmSync(join(modules, "clipkit-node"));
  if (made) rmSync(modules, { recursive: true });
}
