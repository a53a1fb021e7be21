import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Jobs, Worker } from "clipkit-node";

import { desk, scorer } from "./support.mjs";

const at = desk();
const config = {
  tracker: { kind: "center" },
  layers: { transcribe: [], score: [], track: [] },
  speech_cache: null,
  options: { preset: "ultrafast", captions: null, min: 5, max: 14 },
};

test("a job is submitted, done and shown", async () => {
  const jobs = await Jobs.open(join(at.path, "jobs.db"), { minFree: 0 });
  const out = join(at.path, "out");
  const id = await jobs.submit(at.talk, { config, publish: [{ kind: "folder", path: out }], stages: ["mine"], user: "ann", priority: 2 });
  assert.equal((await jobs.get(id)).state, "waiting");
  await new Worker(jobs, { stages: { mine: scorer(1, 9) }, untilIdle: true }).run();
  const job = await jobs.get(id);
  assert.deepEqual([job.state, job.manifest.clips.map((clip) => clip.title)], ["done", ["Opening"]]);
  assert.ok(existsSync(join(out, "01-opening.mp4")));
  const events = await jobs.events(id);
  assert.equal(events.at(-1).event, "ended");
  assert.deepEqual(await jobs.events(id, events.at(-2).number), events.slice(-1));
  assert.deepEqual((await jobs.list({ user: "ann", open: false })).map((one) => one.id), [id]);
  const [clip] = await jobs.clips(id);
  assert.deepEqual([clip.rank, clip.video, clip.plan.title], [1, join(out, "01-opening.mp4"), "Opening"]);
  const renamed = [{ op: "title", title: "Closing" }];
  assert.equal((await jobs.editClip(id, 1, renamed, { dryRun: true })).plan.title, "Closing");
  assert.equal((await jobs.clips(id))[0].plan.title, "Opening");
  assert.equal((await jobs.editClip(id, 1, renamed)).plan.title, "Closing");
  await new Worker(jobs, { stages: { mine: scorer(1, 9) }, untilIdle: true }).run();
  assert.deepEqual((await jobs.clips(id)).map((one) => one.plan.title), ["Closing"]);
  // The job publishes into no object store.
  await assert.rejects(jobs.link(id, 1, { valid: 60 }), { code: "not_found", message: /object store/ });
  assert.equal(await jobs.remove(id), true);
  assert.equal(await jobs.get(id), null);
});

test("a failed step is a dead letter, and errors have their codes", async () => {
  const jobs = await Jobs.open(join(at.path, "failing.db"), { minFree: 0 });
  const request = { config, idempotencyKey: "one" };
  const id = await jobs.submit(join(at.path, "missing.mp4"), request);
  assert.equal(await jobs.submit(join(at.path, "missing.mp4"), request), id);
  await new Worker(jobs, { untilIdle: true }).run();
  assert.equal((await jobs.get(id)).error.kind, "not_found");
  assert.deepEqual((await jobs.deadLetters()).map((dead) => dead.id), [`${id}:fetch`]);
  assert.deepEqual([await jobs.retry(id), await jobs.cancel(id), await jobs.cancel(id)], [true, true, false]);
  await assert.rejects(jobs.get("../x"), { code: "invalid_input" });
  await assert.rejects(jobs.submit("a.mp4", { config: { options: { clips: 0 } } }), { code: "config" });
  await assert.rejects(new Worker(jobs, { serves: ["dance"] }).run(), { code: "config" });
});

test("a worker stops when its signal is aborted", async () => {
  const jobs = await Jobs.open(join(at.path, "idle.db"), { minFree: 0 });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 300);
  await new Worker(jobs).run({ signal: controller.signal });
});
