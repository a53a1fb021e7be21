import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import {
  Cache, Captions, CenterTracker, checkPlan, ClipkitError, Concurrency, contactSheet, Context, FaceTracker, FfmpegRenderer, FileSource, Folder,
  frames, Heuristic, MotionTracker, OpenAiScorer, Pipeline, probe, RateLimit, Retry, Scorer, Timeout, Transcriber,
} from "clipkit-node";

import { desk, scorer, SMALL, transcript } from "./support.mjs";

const at = desk();

test("each built-in stage works alone", async () => {
  const cx = new Context();
  const media = await new FileSource().fetch(cx, at.talk);
  assert.deepEqual(media, await probe(at.talk));
  assert.deepEqual([media.video.width, media.audio.length], [320, 1]);
  const words = await new Captions({ file: at.words }).transcribe(cx, media);
  assert.equal(words.words[0].text, "Why");
  const [best] = await new Heuristic().score(cx, { media, transcript: words, options: { max_clips: 1, min: 15, max: 30 } });
  assert.ok(best.score.total > 0 && best.span.end <= 36);
  assert.deepEqual(await new CenterTracker().track(cx, { media, span: best.span }), { shots: [], faces: [], subjects: [] });
  assert.equal((await new MotionTracker().track(cx, { media, span: { start: 0, end: 2 } })).shots.length, 1);

  const pipeline = new Pipeline({ ...SMALL, transcriber: new Captions({ file: at.words }), scorer: scorer(0, 16), aspect: "1:1", clips: 2 });
  const { plans: [{ plan }] } = await pipeline.plan(at.talk);
  const made = await new FfmpegRenderer().render(cx, plan);
  assert.ok(made.video.startsWith(cx.scratch) && existsSync(made.cover));
  const folder = new Folder(join(at.path, "alone"));
  const receipt = await folder.publish(cx, { rank: 3, clip: made, plan });
  assert.equal(receipt.file, "03-opening.mp4");
  assert.ok(existsSync(join(at.path, "alone", receipt.file)));
});

test("a plan is a plain object: edited, it renders again", async () => {
  const pipeline = new Pipeline({ ...SMALL, scorer: scorer(0, 16), publisher: new Folder(join(at.path, "edited")) });
  const { plans: [{ plan }], media } = await pipeline.plan(at.talk);
  assert.equal(media.path, plan.source.path);
  plan.title = "Another title";
  plan.span.end = plan.span.start + 5;
  plan.scenes = [{ ...plan.scenes[0], span: { start: 0, end: 5 } }];
  await checkPlan(plan);
  const manifest = await pipeline.render([plan]);
  assert.equal(manifest.clips[0].file, "01-another-title.mp4");
  const { duration } = await probe(manifest.clips[0].path);
  assert.ok(Math.abs(duration - 5) < 0.1);
  assert.deepEqual((await manifest.clips[0].readPlan()).span, plan.span);
  const sheet = join(at.path, "sheet.png");
  await contactSheet(plan, sheet);
  assert.deepEqual([...(await readFile(sheet)).subarray(1, 4)], [...Buffer.from("PNG")]);
  await assert.rejects(checkPlan({ ...plan, version: 2 }), { code: "invalid_plan", message: /version 2/ });
  await assert.rejects(checkPlan({ ...plan, tilte: "x" }), { code: "invalid_plan", message: /tilte/ });
  await assert.rejects(contactSheet(plan, join(at.path, "sheet.txt")), { code: "config" });
});

test("objects of the user's stand in for every stage", async () => {
  const told = [];
  const custom = {
    source: { fetch: async (cx, uri) => { assert.equal(uri, "talk:1"); return at.talk; } },
    transcriber: { transcribe: (cx, media) => { cx.progress(0.5); cx.warn("by hand"); return transcript(); } },
    scorer: { score: (cx, { options }) => [{ span: { start: 1, end: 1 + options.min }, score: { total: 50, hook: 5, completeness: 5, density: 5, emotion: 5 }, title: "T", reason: "r" }] },
    tracker: {
      async track(cx, { media, span }) {
        let count = 0;
        for await (const { at, width, height, data } of frames(cx, media, span, { perSecond: 2, longest: 160 })) {
          assert.ok(at >= span.start && at < span.end && data.length === 3 * width * height && width === 160);
          count += 1;
        }
        told.push(`${count} frames`);
        return { faces: [{ id: 1, samples: [{ at: span.start, rect: { x: 0.1, y: 0.1, width: 0.2, height: 0.3 }, confidence: 1, mouth: 0 }] }] };
      },
    },
    renderer: {
      size: [180, 320],
      async render(cx, plan) {
        assert.deepEqual([plan.output.width, plan.output.height], [180, 320]);
        const video = join(cx.scratch, "clip.mp4");
        await copyFile(at.talk, video);
        return { video, cover: video, duration: plan.span.end - plan.span.start, frames: 1 };
      },
    },
    publisher: {
      async publish(cx, { rank, clip, plan }) {
        assert.ok(existsSync(clip.video));
        told.push(`${rank} ${plan.title} ${cx.stage} ${cx.clip}`);
        return "https://example.org/1";
      },
      async conclude(cx, manifest) {
        told.push(`${manifest.clips.length} in all`);
      },
    },
  };
  const events = [];
  const { clips, warnings } = await new Pipeline({ ...SMALL, ...custom, snap: false, min: 15 }).run("talk:1", { onEvent: (event) => events.push(event) });
  assert.deepEqual(told, ["30 frames", "1 T publish 1", "1 in all"]);
  assert.deepEqual([clips[0].path, clips[0].planPath, clips[0].span], ["https://example.org/1", null, { start: 1, end: 16 }]);
  assert.deepEqual(warnings, [{ stage: "transcribe", message: "by hand" }]);
  assert.ok(events.some((event) => event.event === "progress" && event.stage === "transcribe" && event.fraction === 0.5));
  assert.ok(events.some((event) => event.event === "clip" && event.file === "https://example.org/1"));
});

test("layers go around built-in stages and the user's, with the counts that they promise", async () => {
  let calls = 0;
  const busy = (fails) => ({
    fingerprint: "busy 1",
    score: async () => {
      calls += 1;
      if (calls <= fails) throw new ClipkitError("network", "busy", { recovery: { action: "retry", after: 0.01 } });
      return [{ start: 0, end: 16, score: calls, title: "", reason: "" }];
    },
  });
  const scoring = { transcript: transcript() };
  const answer = await Scorer.from(busy(2)).layer(new Retry({ attempts: 3 })).score(null, scoring);
  assert.deepEqual([calls, answer[0].score.total], [3, 3]);

  calls = 0;
  const failed = await Scorer.from(busy(9)).layer(new Retry({ attempts: 2, first: 0.01 })).score(null, scoring).catch((error) => error);
  assert.deepEqual([calls, failed.code, failed.message], [2, "network", "busy"]);

  calls = 0;
  const cached = Scorer.from(busy(0)).layer(new Cache({ store: "memory:///" }));
  const media = await probe(at.talk);
  const answers = await Promise.all(Array.from({ length: 5 }, () => cached.score(null, { ...scoring, media })));
  await cached.score(null, { ...scoring, media });
  assert.deepEqual([calls, answers.map(([{ score }]) => score.total)], [1, [1, 1, 1, 1, 1]]);

  calls = 0;
  const given = Scorer.from(busy(1)).or(new Heuristic());
  const cx = new Context();
  assert.ok((await given.score(cx, { ...scoring, options: { min: 15, max: 30 } })).length > 0);
  assert.match(cx.warnings[0].message, /busy; going on with/);

  const slow = { transcribe: (cx) => cx.sleep(30) };
  await assert.rejects(Transcriber.from(slow).layer(new Timeout({ seconds: 0.05 })).transcribe(null, media), { code: "timed_out" });

  let now = 0;
  let most = 0;
  const counted = { async score() { most = Math.max(most, ++now); await new Promise((go) => setTimeout(go, 20)); now -= 1; return []; } };
  const limited = Scorer.from(counted).layer(new Concurrency({ atOnce: 2 }));
  await Promise.all(Array.from({ length: 6 }, () => limited.score(null, scoring)));
  assert.equal(most, 2);

  const once = Scorer.from({ score: () => [] }).layer(new RateLimit({ perMinute: null, perDay: 1 }));
  await once.score(null, scoring);
  await assert.rejects(once.score(null, scoring), (error) => error.code === "rate_limited" && error.recovery.action === "wait_until" && error.recovery.until > Date.now() / 1000);

  const seen = [];
  const spy = { async call(cx, input, next) { seen.push(cx.stage); return (await next(cx, input)).slice(0, 1); } };
  const spied = new Heuristic().layer(spy).layer(new Retry());
  assert.equal((await spied.score(null, { ...scoring, options: { min: 15, max: 20 } })).length, 1);
  assert.deepEqual(seen, ["score"]);

  assert.throws(() => new FileSource().layer(new Cache()), { code: "config", message: /cached/ });
  assert.throws(() => new Retry({ attemps: 3 }), { code: "config", message: /attemps/ });
  assert.throws(() => Scorer.from({ score: () => [] }).or({ track: () => ({}) }), { code: "config", message: /no method score/ });
});

test("a class of the user's is a stage with layers, and may ask a built-in one", async () => {
  class Shorter extends Scorer {
    #inner = new Heuristic();
    async score(cx, scoring) {
      const found = await this.#inner.score(cx, scoring);
      return found.map((one) => ({ ...one, title: one.title.toUpperCase() }));
    }
  }
  const [best] = await new Shorter().layer(new Retry()).score(null, { transcript: transcript(), options: { min: 15, max: 30 } });
  assert.equal(best.title, best.title.toUpperCase());
  const { plans } = await new Pipeline({ ...SMALL, scorer: new Shorter(), min: 15, max: 30 }).plan(at.talk);
  assert.equal(plans[0].plan.title, best.title);
  class Nothing extends FaceTracker {}
  await assert.rejects(new Nothing().track(null, {}), /Nothing has no method track/);
});

test("what breaks its contract is said, and a scorer is stood in for", async () => {
  const wrong = { score: () => [{ start: "soon", end: 20, score: 1 }] };
  await assert.rejects(Scorer.from(wrong).score(null, { transcript: transcript() }), { code: "contract", stage: "score", message: /what score answers/ });
  const { warnings, plans } = await new Pipeline({ ...SMALL, scorer: wrong, min: 15, max: 30 }).plan(at.talk);
  assert.equal(plans.length, 1);
  assert.match(warnings[0].message, /the scorer failed: .*the heuristic chooses/);
  const boom = { score() { throw new RangeError("out of words"); } };
  const planned = await new Pipeline({ ...SMALL, scorer: boom, min: 15, max: 30 }).plan(at.talk);
  assert.match(planned.warnings[0].message, /RangeError: out of words/);
});

test("a stage hears of an abort by its signal, and its own error becomes the cause", async () => {
  const controller = new AbortController();
  const heard = [];
  const transcriber = {
    transcribe: (cx) =>
      new Promise((_, reject) => {
        cx.signal.addEventListener("abort", () => {
          heard.push(cx.cancelled);
          try { cx.check(); } catch (error) { heard.push(error.code); }
          reject(new TypeError("fetch failed"));
        });
        setTimeout(() => controller.abort(), 20);
      }),
  };
  const error = await new Pipeline({ ...SMALL, transcriber }).run(at.talk, { signal: controller.signal }).catch((error) => error);
  assert.deepEqual(heard, [true, "cancelled"]);
  assert.deepEqual([error.code, error.stage, error.cause?.message], ["cancelled", "transcribe", "fetch failed"]);
  // One that does not listen is left behind.
  const deaf = { transcribe: () => new Promise(() => {}) };
  const begun = performance.now();
  await assert.rejects(new Pipeline({ ...SMALL, transcriber: deaf }).run(at.talk, { signal: AbortSignal.timeout(50) }), { code: "cancelled" });
  assert.ok(performance.now() - begun < 3000);
});

test("events are told one by one, the manifest last; leaving the loop stops the run", async () => {
  const pipeline = new Pipeline({ ...SMALL, scorer: scorer(0, 16), publisher: { kind: "folder", path: join(at.path, "events") } });
  const kinds = [];
  let manifest;
  for await (const event of pipeline.events(at.talk)) {
    kinds.push(event.event);
    if (event.event === "manifest") manifest = event;
  }
  assert.equal(kinds.at(-1), "manifest");
  assert.ok(kinds.includes("planned") && kinds.includes("progress") && kinds.includes("clip"));
  assert.ok(existsSync(manifest.clips[0].path));
  const left = join(at.path, "left");
  for await (const event of new Pipeline({ ...SMALL, scorer: scorer(0, 35), publisher: new Folder(left) }).events(at.talk)) {
    if (event.event === "started" && event.stage === "render") break;
  }
  assert.ok(!existsSync(join(left, "clips.json")));
  await assert.rejects(async () => { for await (const _ of pipeline.events(join(at.path, "no.mp4"))); }, { code: "not_found" });
});

test("what a listener throws ends the run and is thrown", async () => {
  const thrown = new Error("tired of it");
  const onEvent = () => { throw thrown; };
  await assert.rejects(new Pipeline({ ...SMALL, scorer: scorer(0, 16) }).plan(at.talk, { onEvent }), (error) => error === thrown);
});

test("a context holds a budget, scratch space and what was left in it", async () => {
  const cx = new Context({ maxCost: 1, scratch: join(at.path, "scratch") });
  assert.equal(cx.budgetLeft, 1);
  cx.spend({ model: "mine", requests: 2, cost_usd: 0.25 });
  assert.deepEqual([cx.budgetLeft, cx.usage[0].model, cx.usage[0].requests], [0.75, "mine", 2]);
  await mkdir(cx.scratch, { recursive: true });
  await writeFile(join(cx.scratch, "x"), "x");
  assert.ok(cx.scratch.startsWith(join(at.path, "scratch")));
  const scratch = cx.scratch;
  cx.close();
  assert.ok(!existsSync(scratch));
  assert.throws(() => cx.check(), { code: "cancelled", name: "ClipkitError" });
  assert.ok(cx.signal.aborted && cx.cancelled);
  await assert.rejects(cx.sleep(10), { code: "cancelled" });
});

test("a key goes with the options, to the server, and nowhere else", async () => {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(401, { "content-type": "application/json" }).end(JSON.stringify({ error: { message: "no such key: sk-secret" } }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const stage = new OpenAiScorer({ server: { baseUrl: `http://127.0.0.1:${server.address().port}/v1`, apiKey: "sk-secret" }, timeoutSecs: 9 });
  const error = await stage.score(null, { transcript: transcript(), options: { min: 15, max: 30 } }).catch((error) => error);
  server.close();
  server.closeAllConnections();
  assert.deepEqual([error.code, error.recovery.action, asked[0]], ["denied", "refresh_credentials", "Bearer sk-secret"]);
  assert.ok(!JSON.stringify(error).includes("secret") && !`${error.message}${error.stack}`.includes("secret"));
  assert.throws(() => new OpenAiScorer({ server: { apiKey: "sk-secret", baseURL: "x" } }), (error) => error.code === "config" && !error.message.includes("secret"));
});
