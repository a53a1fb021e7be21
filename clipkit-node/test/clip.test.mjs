import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { clip, ClipkitError, Pipeline } from "clipkit-node";

import { desk, scorer, SMALL } from "./support.mjs";

const at = desk();

test("a clip is made as a scorer of the user's says", async () => {
  const out = join(at.path, "clips");
  const seen = [];
  const custom = {
    async score(cx, { transcript, media, options }) {
      seen.push(cx.stage, media.video.width, options.max_clips);
      const start = transcript.words[0].start;
      return [{ start, end: start + 20, score: 90, title: "Opening", reason: "first words" }];
    },
  };
  const [made, ...others] = await clip(at.talk, { ...SMALL, out, scorer: custom, snap: false });
  assert.deepEqual(others, []);
  assert.deepEqual(seen, ["score", 320, 1]);
  assert.equal(made.path, join(out, "01-opening.mp4"));
  assert.ok(existsSync(made.path) && existsSync(made.coverPath));
  assert.deepEqual([made.span.start, made.span.end, made.score.total, made.title, made.reason], [0.5, 20.5, 90, "Opening", "first words"]);
  assert.deepEqual(made.warnings, []);
  const plan = await made.readPlan();
  assert.deepEqual(plan.span, made.span);
  const manifest = JSON.parse(await readFile(join(out, "clips.json"), "utf8"));
  assert.deepEqual(JSON.parse(JSON.stringify(made)), manifest.clips[0]);
});

test("what a stage throws comes back as it is", async () => {
  class Mine extends Error {}
  const thrown = new Mine("no such words");
  const transcriber = {
    transcribe() {
      throw thrown;
    },
  };
  await assert.rejects(clip(at.talk, { ...SMALL, out: join(at.path, "thrown"), transcriber }), (error) => error === thrown);
  assert.ok(!existsSync(join(at.path, "thrown")));
  for (const odd of [undefined, null, "text", 7, { code: "x" }]) {
    const transcriber = { transcribe: () => Promise.reject(odd) };
    await clip(at.talk, { ...SMALL, out: join(at.path, "thrown"), transcriber }).then(assert.fail, (error) => assert.equal(error, odd));
  }
});

test("errors say what, where and what to do", async () => {
  const missing = join(at.path, "no.mp4");
  const error = await clip(missing, { ...SMALL, out: join(at.path, "none") }).then(assert.fail, (error) => error);
  assert.ok(error instanceof ClipkitError && error instanceof Error);
  assert.deepEqual([error.name, error.code, error.stage, error.path, error.recovery], [
    "ClipkitError", "not_found", "source", missing, { action: "give_up" },
  ]);
  assert.match(error.stack, /clip\.test\.mjs/);
  assert.ok(error.cause instanceof Error);
  assert.throws(() => new Pipeline({ clip: 3 }), (error) => error instanceof ClipkitError && error.code === "config" && /clip/.test(error.message));
  assert.throws(() => new Pipeline({ scorer: { kind: "oracle" } }), { code: "config", message: /`heuristic`/ });
});

test("a signal stops an encode within a second and leaves nothing half made", async () => {
  const out = join(at.path, "aborted");
  const controller = new AbortController();
  let asked;
  const onProgress = ({ stage }) => {
    if (stage !== "render" || asked) return;
    asked = performance.now();
    controller.abort(new Error("changed my mind"));
  };
  const run = clip(at.talk, { ...SMALL, preset: "medium", aspect: "9:16", out, scorer: scorer(0, 35), signal: controller.signal, onProgress });
  const error = await run.then(assert.fail, (error) => error);
  assert.ok(performance.now() - asked < 1500, `${performance.now() - asked} ms`);
  assert.deepEqual([error.code, error.cause], ["cancelled", controller.signal.reason]);
  assert.deepEqual(existsSync(out) ? await readdir(out) : [], []);
  await assert.rejects(clip(at.talk, { ...SMALL, signal: AbortSignal.abort() }), { code: "cancelled" });
});
