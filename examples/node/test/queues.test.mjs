// The queues on a Redis server, started on a free port.
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { QueueEvents } from "bullmq";
import { ClipkitError } from "clipkit-node";

import { draw, transcript } from "../../../clipkit-node/test/support.mjs";
import { start } from "../queues.mjs";
import { startRedis } from "./servers.mjs";

let desk, redis, connection;

before(async () => {
  desk = await mkdtemp(join(tmpdir(), "clipkit-queues-"));
  await draw(join(desk, "talk.mp4"), 36);
  const words = transcript().words.map(({ text, start, end }) => [text, start, end]);
  await writeFile(join(desk, "talk.words.json"), JSON.stringify(words));
  await copyFile(join(desk, "talk.mp4"), join(desk, "mute.mp4"));
  redis = await startRedis(desk);
  connection = redis.connection;
});

after(async () => {
  await redis?.stop();
  await rm(desk, { recursive: true, force: true });
});

const OPTIONS = { tracker: { kind: "center" }, scorer: { kind: "heuristic" }, preset: "ultrafast", captions: "none", clips: 2, min: 8, max: 14, aspect: "1:1" };

/** Waits until a queue completed a job, and returns the job's answer. */
async function completed(events, work) {
  const done = once(events, "completed");
  await work();
  return (await done)[0].returnvalue;
}

test("a video goes through the queues and becomes clips; one without words fails at once", { timeout: 240_000 }, async () => {
  const out = join(desk, "clips");
  const service = start({ connection, out, options: OPTIONS });
  const [published, transcribed] = [new QueueEvents("publish", { connection }), new QueueEvents("transcribe", { connection })];
  await Promise.all([published.waitUntilReady(), transcribed.waitUntilReady()]);
  try {
    const receipts = [];
    const two = new Promise((done) => published.on("completed", ({ returnvalue }) => receipts.push(...returnvalue) === 2 && done()));
    const failed = new Promise((done) => transcribed.on("failed", done));
    await service.add(join(desk, "talk.mp4"));
    await service.add(join(desk, "mute.mp4"));
    const { jobId, failedReason } = await failed;
    assert.match(failedReason, /mute\.mp4/);
    assert.equal((await service.queues.transcribe.getJob(jobId)).attemptsMade, 1);
    await two;
    assert.deepEqual(receipts.map(({ target, id }) => [target, id.slice(0, 3)]).sort(), [["folder", "01-"], ["folder", "02-"]]);
    const files = await readdir(out);
    assert.equal(files.filter((name) => name.endsWith(".mp4")).length, 2, `${files}`);
    assert.deepEqual(await readdir(`${out}.work`), [], "rendered files that were published are removed");
    // The same video again: its clips are known jobs.
    const chosen = new QueueEvents("choose", { connection });
    await chosen.waitUntilReady();
    await completed(chosen, () => service.add(join(desk, "talk.mp4")));
    await chosen.close();
    assert.deepEqual(await service.queues.render.getJobCounts("completed", "waiting", "active"), { completed: 2, waiting: 0, active: 0 });
  } finally {
    await service.close();
    await Promise.all([published.close(), transcribed.close()]);
  }
});

test("a clip that cannot be published at first is published later and not rendered again", { timeout: 120_000 }, async () => {
  let renders = 0;
  const keys = [];
  const renderer = {
    size: [180, 180],
    async render(cx, plan) {
      renders += 1;
      const video = join(cx.scratch, "clip.mp4");
      await copyFile(cx.locate(plan.source.media), video);
      return { video, cover: video, duration: plan.span.end - plan.span.start, frames: 1 };
    },
  };
  const flaky = {
    target: { name: "flaky", account: "test" },
    async publish(cx, post) {
      keys.push(cx.idempotencyKey);
      assert.ok((await stat(post.files.video)).size > 0, "the file outlives the render job");
      if (keys.length === 1) throw new ClipkitError("network", "the platform is down", { recovery: { action: "retry" } });
      return `https://example.org/${post.rank}`;
    },
  };
  const out = join(desk, "flaky");
  const service = start({ connection, out, options: { ...OPTIONS, clips: 1, renderer, publishers: [flaky] } });
  await emptied(service);
  const published = new QueueEvents("publish", { connection });
  await published.waitUntilReady();
  try {
    const [receipt] = await completed(published, () => service.add(join(desk, "talk.mp4")));
    assert.deepEqual([receipt.target, receipt.account, receipt.id], ["flaky", "test", "https://example.org/1"]);
    assert.equal(keys.length, 2);
    assert.match(keys[0], /^[0-9a-f]{32}$/);
    assert.equal(keys[1], keys[0]);
    const [job] = await service.queues.publish.getCompleted();
    assert.equal(job.attemptsMade, 2);
    assert.deepEqual([renders, await service.queues.render.getCompletedCount()], [1, 1]);
  } finally {
    await service.close();
    await published.close();
  }
});

test("a stage degrades on the last attempt only", { timeout: 120_000 }, async () => {
  let attempts = 0;
  const server = createHttpServer((_, response) => {
    attempts += 1;
    response.writeHead(503).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const scorer = { kind: "openai", model: "m", server: { base_url: `http://127.0.0.1:${server.address().port}/v1`, layers: [] } };
  const service = start({ connection, out: join(desk, "degraded"), options: { ...OPTIONS, clips: 1, scorer, layers: { score: [] } } });
  await emptied(service);
  const chosen = new QueueEvents("choose", { connection });
  await chosen.waitUntilReady();
  try {
    assert.equal(await completed(chosen, () => service.add(join(desk, "talk.mp4"))), 1);
    const [job] = await service.queues.choose.getCompleted();
    assert.equal(job.attemptsMade, 3);
    assert.ok(attempts >= 3, `${attempts} requests`);
  } finally {
    await service.close();
    await chosen.close();
    server.close();
    server.closeAllConnections();
  }
});

test("closing cancels a render at once, and the next process takes it up", { timeout: 240_000 }, async () => {
  const out = join(desk, "resumed");
  const long = { ...OPTIONS, clips: 1, min: 10, preset: "superfast" };
  const first = start({ connection, out, options: long });
  await emptied(first);
  const [rendered, published] = [new QueueEvents("render", { connection }), new QueueEvents("publish", { connection })];
  await Promise.all([rendered.waitUntilReady(), published.waitUntilReady()]);
  const progressed = once(rendered, "progress");
  await first.add(join(desk, "talk.mp4"));
  await progressed;
  const begun = performance.now();
  await first.close();
  assert.ok(performance.now() - begun < 5000, `${performance.now() - begun} ms`);
  assert.deepEqual(await readdir(out).catch(() => []), []);
  let second;
  const [receipt] = await completed(published, () => (second = start({ connection, out, options: long })));
  assert.match(receipt.id, /^01-.*mp4$/);
  await second.close();
  await Promise.all([rendered.close(), published.close()]);
});

/** Removes all jobs of earlier tests. */
async function emptied({ queues }) {
  for (const queue of Object.values(queues)) await queue.obliterate({ force: true });
}
