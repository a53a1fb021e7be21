// The snippets of both READMEs run as written, on a short talk.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { desk, draw, run, transcript } from "./support.mjs";

const at = desk();
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

for (const [name, file] of [["the first README", "../README.md"], ["the package's README", "README.md"]]) {
  test(name, async () => {
    const folder = join(at.path, file.replaceAll(/\W/g, "-"));
    await mkdir(folder);
    await draw(join(folder, "talk.mp4"), 24);
    const words = transcript().words.filter(({ end }) => end < 23).map(({ text, start, end }) => [text, start, end]);
    await writeFile(join(folder, "talk.words.json"), JSON.stringify(words));
    // What is set up on this machine is none of the snippets' business.
    const env = { ...process.env, XDG_CACHE_HOME: folder, OPENAI_API_KEY: "", OPENAI_BASE_URL: "" };
    await run(process.execPath, [path("scripts/snippets.mjs"), path(file)], { cwd: folder, env, timeout: 600_000 });
  });
}
