// What a run from Node costs more than the same run in Rust, and how long it holds the event loop.
//
//     CLIPKIT_BENCH_VIDEO=talk.mp4 node benches/node.mjs >/dev/null     (.ci/node bench takes a sample talk where none is named)
//
// Both runs are made by the same native module in one process, in turns: one by the command line, which never leaves Rust, one by `Pipeline.run`
// with a listener. Of each the smallest time counts, since whatever else the machine does only adds to it.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const { Pipeline } = createRequire(import.meta.url)("../clipkit-node");
const native = createRequire(import.meta.url)("../clipkit-node/native.js");
const { transcript } = await import("../clipkit-node/test/support.mjs");

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const desk = mkdtempSync(join(tmpdir(), "clipkit-bench-"));
const video = said(process.env.CLIPKIT_BENCH_VIDEO);
const out = join(desk, "out");

// The video, with something said in it: what does not matter.
function said(given) {
  if (!given) throw new Error("CLIPKIT_BENCH_VIDEO names no video");
  const path = join(desk, "talk.mp4");
  symlinkSync(resolve(given), path);
  writeFileSync(join(desk, "talk.words.json"), JSON.stringify(transcript().words.map(({ text, start, end }) => [text, start, end])));
  return path;
}

const clip = ["clip", video, "--out", out, "--clips", "1", "--tracker", "center", "--transcriber", "captions", "--scorer", "heuristic", "--jobs", "1", "--json"];
const command = fileURLToPath(new URL("../clipkit-node/bin/clipkit.js", import.meta.url));
const rust = () => {
  const code = native.cli(["clipkit", ...clip]);
  if (code !== 0) throw new Error(`the command answered ${code}`);
};
const node = async () => {
  const stages = { tracker: { kind: "center" }, transcriber: { kind: "captions" }, scorer: { kind: "heuristic" }, publisher: { kind: "folder", path: out } };
  await new Pipeline({ ...stages, clips: 1, jobs: 1 }).run(video, { onEvent() {} });
};

async function measured(work) {
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (performance.now() - begun) / 1000, cpu: (user + system) / 1e6 };
}

const least = { rust: { wall: Infinity, cpu: Infinity }, node: { wall: Infinity, cpu: Infinity } };
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, work] of [["rust", rust], ["node", node]]) {
    const { wall, cpu } = await measured(work);
    least[name] = { wall: Math.min(least[name].wall, wall), cpu: Math.min(least[name].cpu, cpu) };
  }
}
console.error(`rust ${least.rust.wall.toFixed(3)} s wall, ${least.rust.cpu.toFixed(3)} s CPU`);
console.error(`node ${least.node.wall.toFixed(3)} s wall, ${least.node.cpu.toFixed(3)} s CPU`);
console.error(`ratio ${(least.node.wall / least.rust.wall).toFixed(4)} wall, ${(least.node.cpu / least.rust.cpu).toFixed(4)} CPU`);

/** How late a loop's timers are while something runs; what else the machine does makes an idle loop's late, too. */
async function lateness(what, work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  const ms = (nanoseconds) => (nanoseconds / 1e6).toFixed(2);
  console.error(`event loop, ${what}: ${ms(delay.percentile(50))} ms (median), ${ms(delay.percentile(99))} ms (99 %), ${ms(delay.max)} ms (longest)`);
}
await lateness("idle beside the command in a process of its own", () => promisify(execFile)(process.execPath, [command, ...clip], { maxBuffer: 1 << 28 }));
await lateness("with the run in this one", node);
rmSync(desk, { recursive: true, force: true });
