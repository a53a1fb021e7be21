import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import * as module from "clipkit-node";
import { Heuristic, OnnxTracker, Pipeline, probe, Scorer } from "clipkit-node";

import { desk, node, require, run, scorer, SMALL, transcript } from "./support.mjs";

const at = desk();
const bin = fileURLToPath(new URL("../bin/clipkit.js", import.meta.url));

test("ESM and CommonJS see one module", () => {
  const common = require("clipkit-node");
  assert.equal(common.clip, module.clip);
  const names = Object.keys(module).filter((name) => name !== "default" && name !== "module.exports" && name !== "__esModule");
  assert.deepEqual(names.sort(), Object.keys(common).sort());
});

test("a process ends by itself, whatever it holds", async () => {
  const program = `
    import { clip, Context, Pipeline, Retry, Scorer } from "clipkit-node";
    const scorer = { score: async () => [{ start: 0, end: 16, score: 1, title: "T", reason: "" }] };
    const kept = [new Context({ onEvent() {} }), Scorer.from(scorer).layer(new Retry()), new Pipeline({ scorer })];
    new Pipeline({ scorer: { score: () => new Promise(() => {}) } }).run(process.argv[1] + "/no.mp4").catch(() => {});
    const seen = [];
    const [made] = await clip(process.argv[1] + "/talk.mp4", {
      scorer, clips: 1, tracker: { kind: "center" }, preset: "ultrafast", captions: "none", out: process.argv[1] + "/ends",
      signal: new AbortController().signal, onProgress: ({ stage }) => seen.push(stage),
    });
    console.log(made.file, seen.length > 0, kept.length);`;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  assert.equal((await run(process.execPath, ["--input-type=module", "-e", program, at.path], { timeout: 60_000, cwd })).stdout, "01-t.mp4 true 3\n");
});

test("a run that nobody awaits goes on", async () => {
  const program = `
    const { Scorer } = require("clipkit-node");
    const slow = Scorer.from({ score: async (cx) => { await cx.sleep(0.2); console.log("done"); return []; } });
    slow.score(null, { transcript: { words: [] } });`;
  assert.equal((await run(process.execPath, ["-e", program], { timeout: 20_000, cwd: fileURLToPath(new URL("..", import.meta.url)) })).stdout, "done\n");
});

test("process.exit in mid-run ends the process", async () => {
  const program = `
    import { Pipeline } from "clipkit-node";
    const scorer = { score: async () => [{ start: 0, end: 35, score: 1, title: "T", reason: "" }] };
    const pipe = new Pipeline({ scorer, clips: 1, tracker: { kind: "center" }, preset: "medium", captions: "none", publisher: { kind: "folder", path: process.argv[1] + "/exit" } });
    for await (const { event, stage } of pipe.events(process.argv[1] + "/talk.mp4")) if (event === "progress" && stage === "render") process.exit(7);`;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const error = await run(process.execPath, ["--input-type=module", "-e", program, at.path], { timeout: 60_000, cwd }).catch((error) => error);
  assert.equal(error.code, 7, error.stderr);
});

test("worker threads each have clipkit, and may end in mid-run", async () => {
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { Pipeline, Scorer, probe } = require(workerData.module);
    (async () => {
      const thrown = new Error("mine");
      const error = await Scorer.from({ score() { throw thrown; } }).score(null, { transcript: { words: [] } }).catch((error) => error);
      const media = await probe(workerData.talk);
      parentPort.postMessage([error === thrown, media.video.width]);
      if (workerData.stay) await new Pipeline({ transcriber: { transcribe: () => new Promise(() => {}) } }).run(workerData.talk);
    })();`;
  const workers = [false, true, false].map((stay) => new Worker(program, { eval: true, workerData: { module: require.resolve("clipkit-node"), talk: at.talk, stay } }));
  assert.deepEqual(await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0])), [[true, 320], [true, 320], [true, 320]]);
  await Promise.all(workers.map((worker) => worker.terminate()));
  assert.equal((await probe(at.talk)).video.width, 320);
});

test("the command is the same: its answers, its exit codes, Ctrl-C", async () => {
  const { stdout } = await run(process.execPath, [bin, "probe", at.talk]);
  assert.match(stdout, /320/);
  const codes = { 2: ["clip"], 3: ["probe", join(at.path, "no.mp4")], 4: ["clip", at.talk, "--min", "50", "--max", "60", "--out", join(at.path, "none"), "--tracker", "center"] };
  for (const [code, args] of Object.entries(codes)) {
    const error = await run(process.execPath, [bin, ...args]).catch((error) => error);
    assert.equal(error.code, Number(code), error.stderr);
  }
  // The last of them ends while the model that finds speech is being opened.
  for (let n = 0; n < 8; n++) {
    const error = await run(process.execPath, [bin, ...codes[4]]).catch((error) => error);
    assert.deepEqual([error.code, error.signal, /onnxruntime/.test(error.stderr)], [4, null, false], error.stderr);
  }
  const out = join(at.path, "interrupted");
  const args = ["clip", at.talk, "--out", out, "--tracker", "center", "--preset", "slow", "--clips", "1", "--min", "15", "--json"];
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    if (/"stage":"render"/.test(text)) child.kill("SIGINT");
  }
  const code = child.exitCode ?? (await once(child, "exit"))[0];
  assert.equal(code, 130);
  assert.deepEqual(existsSync(out) ? readdirSync(out).filter((name) => name.endsWith(".mp4")) : [], []);
});

test("the ONNX Runtime library is onnxruntime-node's", { skip: !process.env.CLIPKIT_MODELS && "needs CLIPKIT_MODELS" }, async () => {
  const program = `
    const { OnnxTracker, probe } = require("clipkit-node");
    (async () => {
      const media = await probe(process.argv[1]);
      const tracker = await OnnxTracker.load(undefined, { samplesPerSecond: 1 });
      const { shots } = await tracker.track(null, { media, span: { start: 0, end: 1 } });
      const maps = require("node:fs").readFileSync("/proc/self/maps", "utf8");
      console.log(shots.length, /onnxruntime-node.*libonnxruntime/.test(maps));
    })();`;
  const env = { ...process.env };
  delete env.ORT_DYLIB_PATH;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  assert.equal((await run(process.execPath, ["-e", program, at.talk], { env, cwd, timeout: 60_000 })).stdout, "1 true\n");
});

test("a transcript of hours crosses by the turn, both ways", async () => {
  const long = transcript(60_000);
  // What looks like JSON is text all the same.
  for (const [n, text] of ['"', "\\", '\\"', "[,]", "}{", '{"$array":0}', "\u{1F600}\u2028"].entries()) long.words[n * 7000].text = text;
  // What is read and written at a time takes the loop a fraction of a millisecond, and it has its turns in between.
  const { parse, stringify } = JSON;
  let longest = 0;
  let turns = 0;
  const measured = (text) => ((longest = Math.max(longest, text?.length ?? 0)), text);
  JSON.parse = (text, ...rest) => parse(measured(text), ...rest);
  JSON.stringify = (...args) => measured(stringify(...args));
  const turn = () => {
    turns += 1;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  const echo = Scorer.from({
    score: (_, { transcript }) => {
      assert.equal(transcript.words.length, 60_000);
      for (let n = 0; n < 60_000; n += 7000) assert.deepEqual(transcript.words[n], long.words[n]);
      return [];
    },
  });
  try {
    await echo.score(null, { transcript: long });
  } finally {
    clearImmediate(timer);
    Object.assign(JSON, { parse, stringify });
  }
  assert.ok(JSON.stringify(long).length > 2_000_000);
  assert.ok(longest > 10_000 && longest < 64_000, `${longest} characters at once`);
  assert.ok(turns >= 10, `${turns} turns`);
});
