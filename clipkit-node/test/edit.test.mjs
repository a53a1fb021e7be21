// One edit from beginning to end: the same plan, byte for byte, from Node and on the command line.
import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { edit, Folder, Pipeline } from "clipkit-node";
import { desk, run } from "./support.mjs";

const at = desk();
const COMMAND = fileURLToPath(new URL("../bin/clipkit.js", import.meta.url));

// One word corrected, a phrase deleted, the hook moved to the front.
const OPS = [
  { op: "tighten", level: "normal" },
  { op: "correct_caption", words: { quote: "armour" }, text: "Armor" },
  { op: "delete_words", words: { quote: "came home" } },
  { op: "hook_first", words: { quote: "the wings were full of holes" } },
  { op: "post", description: "Why the holes matter.", tags: ["survivorship"] },
];

test("an edit from beginning to end", async () => {
  const [logo, music] = [join(at.path, "logo.png"), join(at.path, "music.wav")];
  await run("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", "color=c=red:s=64x64:d=1", "-frames:v", "1", logo]);
  await run("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", "sine=f=220:d=3", music]);
  const brand = {
    accent: "#ff5a36",
    overlays: [{ content: { kind: "image", file: logo }, place: { anchor: "top_right", width: 0.14 } }],
    sound: [{ file: music, gain: -16, loop: true, fade_out: 1, duck: 9 }],
  };
  const pipeline = new Pipeline({
    tracker: { kind: "center" }, preset: "ultrafast", captions: "pop", scorer: { score: async () => [{ start: 0.4, end: 20, score: 90, title: "Holes", reason: "" }] },
    clips: 1, publisher: new Folder(join(at.path, "node")),
  });
  const media = await pipeline.fetch(at.talk);
  const [transcript, speech] = [await pipeline.transcribe(media), await pipeline.listen(media)];
  const { plans: [{ plan }] } = await pipeline.planAll(at.talk);
  const edited = await edit(plan, [...OPS, { op: "brand", brand }], { transcript, speech });
  assert.ok(edited.changes.after.joins >= 2 && edited.changes.after.words < edited.changes.before.words);
  const { clips: [made] } = await pipeline.renderAll([edited.plan]);

  const file = async (name, document) => {
    await writeFile(join(at.path, name), JSON.stringify(document));
    return join(at.path, name);
  };
  const documents = ["--transcript", await file("transcript.json", transcript), "--speech", await file("speech.json", speech)];
  const target = join(at.path, "command.plan.json");
  const options = ["--script", await file("ops.json", OPS), "--brand", await file("brand.json", brand), ...documents];
  await run(process.execPath, [COMMAND, "edit", await file("plan.json", plan), ...options, "-o", target]);
  await run(process.execPath, [COMMAND, "render", target, "--out", join(at.path, "command")]);
  const [mine, theirs] = [made.planPath, join(at.path, "command", made.plan)];
  assert.ok((await readFile(mine)).equals(await readFile(theirs)));
  assert.ok((await readFile(target)).equals(await readFile(theirs)));
  assert.equal((await stat(made.path)).size, (await stat(join(at.path, "command", made.file))).size);
});
