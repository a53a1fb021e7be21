// The queues on a real Redis: Debian's redis-server, on a free port of this machine.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { QueueEvents } from "bullmq";

import { draw, transcript } from "../../../clipkit-node/test/support.mjs";
import { start } from "../queues.mjs";

let desk, redis, connection;

before(async () => {
  desk = await mkdtemp(join(tmpdir(), "clipkit-queues-"));
  await draw(join(desk, "talk.mp4"), 36);
  const words = transcript().words.map(({ text, start, end }) => [text, start, end]);
  await writeFile(join(desk, "talk.words.json"), JSON.stringify(words));
  await copyFile(join(desk, "talk.mp4"), join(desk, "mute.mp4"));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  redis = spawn("redis-server", ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", desk], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const chunk of redis.stdout) if (/Ready to accept connections/.test(chunk)) break;
  connection = { host: "127.0.0.1", port };
});

after(async () => {
  if (redis && redis.exitCode === null) {
    redis.kill();
    await once(redis, "exit");
  }
  await rm(desk, { recursive: true, force: true });
});

const OPTIONS = { tracker: { kind: "center" }, scorer: { kind: "heuristic" }, preset: "ultrafast", captions: "none", clips: 2, min: 8, max: 14, aspect: "1:1" };

test("a video goes through the queues and becomes clips; one that cannot fails for good", { timeout: 90_000 }, async () => {
  const out = join(desk, "clips");
  const service = start({ connection, out, options: OPTIONS });
  const [encoded, transcribed] = [new QueueEvents("encode", { connection }), new QueueEvents("transcribe", { connection })];
  await Promise.all([encoded.waitUntilReady(), transcribed.waitUntilReady()]);
  try {
    const receipts = [];
    const two = new Promise((done) => encoded.on("completed", ({ returnvalue }) => receipts.push(returnvalue) === 2 && done()));
    const failed = new Promise((done) => transcribed.on("failed", done));
    await service.add(join(desk, "talk.mp4"));
    await service.add(join(desk, "mute.mp4"));
    const { jobId, failedReason } = await failed;
    assert.match(failedReason, /mute\.mp4/);
    assert.equal((await service.queues.transcribe.getJob(jobId)).attemptsMade, 1);
    await two;
    assert.deepEqual(receipts.map(({ file }) => file.slice(0, 3)).sort(), ["01-", "02-"]);
    const files = await readdir(out);
    assert.equal(files.filter((name) => name.endsWith(".mp4")).length, 2, `${files}`);
    assert.deepEqual(files.filter((name) => name.startsWith(".")), []);
    // The same video again: its clips are known.
    const counts = () => service.queues.encode.getJobCounts("completed");
    assert.deepEqual(await counts(), { completed: 2 });
  } finally {
    await service.close();
    await Promise.all([encoded.close(), transcribed.close()]);
  }
});

test("closing stops an encode at once, and whoever starts next takes it up", { timeout: 90_000 }, async () => {
  const out = join(desk, "resumed");
  await rm(join(desk, "clips"), { recursive: true, force: true });
  const long = { ...OPTIONS, clips: 1, min: 10, preset: "superfast" };
  const first = start({ connection, out, options: long });
  await first.queues.encode.obliterate({ force: true });
  const events = new QueueEvents("encode", { connection });
  await events.waitUntilReady();
  const progressed = once(events, "progress");
  await first.add(join(desk, "talk.mp4"));
  await progressed;
  const begun = performance.now();
  await first.close();
  assert.ok(performance.now() - begun < 5000, `${performance.now() - begun} ms`);
  assert.deepEqual((await readdir(out).catch(() => [])).filter((name) => name.endsWith(".mp4")), []);
  const done = once(events, "completed");
  const second = start({ connection, out, options: long });
  const [{ returnvalue }] = await done;
  assert.match(returnvalue.file, /^01-.*mp4$/);
  await second.close();
  await events.close();
});
