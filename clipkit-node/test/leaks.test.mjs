// A thousand runs leak no memory, threads or handles.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { Cache, clip, Context, Pipeline, Retry, Scorer } from "clipkit-node";

import { desk, draw, scorer, SMALL, transcript } from "./support.mjs";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");
const at = desk();
const linux = process.platform === "linux";

async function settled() {
  for (let n = 0; n < 5; n++) {
    gc();
    await setTimeout(20);
  }
  const status = readFileSync("/proc/self/status", "utf8");
  const field = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]);
  return { memory: field("VmRSS") / 1024, threads: field("Threads"), handles: readdirSync("/proc/self/fd").length };
}

async function grows(times, work) {
  for (let n = 0; n < times / 5; n++) await work(n);
  const before = await settled();
  for (let n = 0; n < times; n++) await work(n);
  const after = await settled();
  return { memory: after.memory - before.memory, threads: after.threads - before.threads, handles: after.handles - before.handles };
}

test("of stages, layers, contexts, errors and plans", { skip: !linux && "reads /proc" }, async () => {
  const words = transcript();
  const source = join(at.path, "short.mp4");
  await draw(source, 20, "64x64");
  const { memory, threads, handles } = await grows(1000, async (n) => {
    const cx = new Context({ onEvent() {}, signal: new AbortController().signal });
    const score = async (cx) => {
      cx.signal;
      if (n % 3 === 0) throw new Error("once in a while");
      return [{ start: 0, end: 15, score: 1, title: "T", reason: "" }];
    };
    const layered = Scorer.from({ score, fingerprint: `${n}` }).layer(new Retry({ attempts: 1 })).layer(new Cache({ store: "memory:///" }));
    await layered.score(cx, { transcript: words }).catch(() => {});
    if (n % 5 === 0) {
      const transcriber = { transcribe: () => words };
      await new Pipeline({ ...SMALL, transcriber, scorer: layered }).planAll(source, { signal: new AbortController().signal, onProgress() {} }).catch(() => {});
    }
  });
  assert.ok(threads <= 4 && handles <= 2 && memory < 40, `${memory} MB, ${threads} threads, ${handles} handles`);
});

test("of clips", { skip: !linux && "reads /proc" }, async () => {
  const source = join(at.path, "tiny.mp4");
  await draw(source, 3, "64x64");
  const options = { ...SMALL, renderer: { kind: "ffmpeg" }, min: 1, aspect: "1:1", transcriber: { transcribe: () => transcript(8) }, scorer: scorer(0, 2) };
  const { memory, threads, handles } = await grows(15, (n) => clip(source, { ...options, out: join(at.path, `${n}`) }));
  assert.ok(threads <= 4 && handles <= 2 && memory < 60, `${memory} MB, ${threads} threads, ${handles} handles`);
});
