// The jobs of clipkit in Redis are jobs of BullMQ: its producers, workers, events and its board see the same.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { Queue, QueueEvents, Worker as BullWorker } from "bullmq";
import { Jobs, Worker } from "clipkit-node";

import { draw, scorer, transcript } from "../../../clipkit-node/test/support.mjs";
import { startRedis } from "./servers.mjs";

const prefix = "clips";
const config = {
  tracker: { kind: "center" },
  layers: { transcribe: [], score: [], track: [] },
  speech_cache: null,
  options: { preset: "ultrafast", captions: null, min: 5, max: 14 },
};

let desk, redis, connection, jobs;
const open = [];

before(async () => {
  desk = await mkdtemp(join(tmpdir(), "clipkit-jobs-"));
  redis = await startRedis(desk);
  connection = redis.connection;
  jobs = await Jobs.redis(`redis://127.0.0.1:${redis.port}`, join(desk, "files"), { prefix, minFree: 0 });
});

after(async () => {
  await Promise.all(open.map((one) => one.close()));
  await redis?.stop();
  await rm(desk, { recursive: true, force: true });
});

const queue = (name) => {
  const made = new Queue(name, { connection, prefix });
  open.push(made);
  return made;
};

test("what Node adds, Rust serves; Node reads the events, and the board lists the jobs", { timeout: 120_000 }, async () => {
  const id = await jobs.submit(join(desk, "missing.mp4"), { config, priority: 3, user: "ann" });
  const fetches = queue("fetch");
  const job = await fetches.getJob(`${id}.fetch`);
  assert.deepEqual([job.name, job.data, await job.getState()], ["fetch", `${id}:fetch`, "prioritized"]);

  // The task is lost, and a producer adds it again with nothing but its id.
  await job.remove();
  const added = await fetches.add("fetch", `${id}:fetch`, { jobId: `${id}.fetch` });
  const wrong = await fetches.add("fetch", { video: "talk.mp4" });
  const events = new QueueEvents("fetch", { connection, prefix });
  open.push(events);
  await events.waitUntilReady();
  const failed = new Map();
  const both = new Promise((done) => events.on("failed", ({ jobId, failedReason }) => failed.set(jobId, failedReason).size === 2 && done()));
  await new Worker(jobs, { untilIdle: true }).run();
  await both;
  assert.match(failed.get(added.id), /missing\.mp4|no such file/i);
  assert.match(failed.get(wrong.id), /jobId/);
  assert.deepEqual([(await jobs.get(id)).state, (await jobs.get(id)).user], ["failed", "ann"]);

  const board = new BullMQAdapter(fetches);
  const counts = await board.getJobCounts();
  assert.equal(counts.failed, 2);
  const [listed] = (await board.getJobs(["failed"])).filter((one) => one.id === added.id);
  assert.deepEqual(listed.data, `${id}:fetch`);
  // Retried on the board, the task runs again.
  await listed.retry();
  assert.ok(["wait", "waiting", "prioritized"].includes(await listed.getState()), await listed.getState());
});

test("a video becomes a clip through the queues, and Node sees each step completed", { timeout: 240_000 }, async () => {
  const talk = join(desk, "talk.mp4");
  await draw(talk, 36);
  await writeFile(join(desk, "talk.words.json"), JSON.stringify(transcript().words.map(({ text, start, end }) => [text, start, end])));
  const steps = ["fetch", "transcribe", "score", "track", "render", "publish", "conclude"];
  const listeners = steps.map((name) => new QueueEvents(name, { connection, prefix }));
  open.push(...listeners);
  await Promise.all(listeners.map((events) => events.waitUntilReady()));
  const completed = [];
  for (const events of listeners) events.on("completed", ({ jobId }) => completed.push(jobId));
  const out = join(desk, "clips");
  const id = await jobs.submit(talk, { config, publish: [{ kind: "folder", path: out }], stages: ["mine"] });
  await new Worker(jobs, { stages: { mine: scorer(1, 9) }, untilIdle: true }).run();
  const last = `${id}.conclude`;
  while (!completed.includes(last)) await new Promise((later) => setTimeout(later, 20));
  assert.deepEqual(completed.filter((one) => one.startsWith(id)), ["fetch", "transcribe", "score", "track.1", "render.1", "publish.1.0", "conclude"].map((step) => `${id}.${step}`));
  assert.equal((await jobs.get(id)).state, "done");
  assert.ok((await readdir(out)).includes("01-opening.mp4"));
});

test("a queue that is paused in Node gives no task, and a Node worker sees only ids", { timeout: 60_000 }, async () => {
  const fetches = queue("fetch");
  await fetches.pause();
  const id = await jobs.submit(join(desk, "another.mp4"), { config });
  const seen = [];
  const worker = new BullWorker("fetch", async (job) => seen.push(job.data), { connection, prefix, autorun: false });
  open.push(worker);
  assert.equal((await jobs.get(id)).state, "waiting");
  await fetches.resume();
  const done = once(worker, "completed");
  worker.run();
  await done;
  assert.ok(seen.every((data) => typeof data === "string"), JSON.stringify(seen));
});
