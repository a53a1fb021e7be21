import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import {
  Cache, Captions, CenterTracker, checkPlan, ClipkitError, Concurrency, contactSheet, Context, edit, FaceTracker, FfmpegRenderer, FileSource, Folder,
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
  const { plans: [{ plan }] } = await pipeline.planAll(at.talk);
  const made = await new FfmpegRenderer().render(cx, plan);
  assert.ok(made.video.startsWith(cx.scratch) && existsSync(made.cover));
  await assert.rejects(new FfmpegRenderer().render(null, plan), { code: "config", message: /Context/ });
  const folder = new Folder(join(at.path, "alone"));
  const files = { video: made.video, cover: made.cover };
  const receipt = await folder.publish(cx, { clip: "0".repeat(32), rank: 3, title: plan.title, files });
  assert.deepEqual([receipt.target, receipt.id, receipt.status], ["folder", "03-opening.mp4", "published"]);
  assert.ok(existsSync(join(at.path, "alone", receipt.id)));
});

test("a context limits inputs", async () => {
  const strict = new Context({ limits: "strict" });
  assert.equal((await new FileSource().fetch(strict, at.talk)).audio.length, 1);
  const one = new Context({ limits: { like: "strict", media_streams: 1 } });
  await assert.rejects(new FileSource().fetch(one, at.talk), (error) => error.code === "too_large" && error.message.includes("media_streams"));
  assert.throws(() => new Context({ limits: "loose" }), ClipkitError);
});

test("a plan is a plain object: edited, it renders again", async () => {
  const pipeline = new Pipeline({ ...SMALL, scorer: scorer(0, 16), publisher: new Folder(join(at.path, "edited")) });
  const { plans: [{ plan }], media } = await pipeline.planAll(at.talk);
  assert.deepEqual([plan.source.media.id, plan.source.media.uri], [media.id, at.talk]);
  plan.title = "Another title";
  plan.span.end = plan.span.start + 5;
  plan.scenes = [{ ...plan.scenes[0], span: { start: 0, end: 5 } }];
  await checkPlan(plan);
  plan.captions = null;
  const words = [1, 2, 3].map((n) => ({ text: `word${n}`, start: plan.span.start + n, end: plan.span.start + n + 0.5 }));
  const ops = [{ op: "delete_words", words: { quote: "word2" } }, { op: "title", title: "Cut" }];
  const edited = await edit(plan, ops, { transcript: { words } });
  assert.deepEqual([edited.changes.before.words, edited.changes.after.words, edited.changes.after.joins], [3, 2, 1]);
  assert.deepEqual([edited.plan.title, edited.plan.pieces.length, plan.pieces], ["Cut", 2, undefined]);
  assert.ok(Math.abs(edited.changes.after.duration - 4) < 1e-6);
  await assert.rejects(edit(plan, [{ op: "explode" }]), { code: "invalid_input", message: /explode/ });
  const manifest = await pipeline.renderAll([plan]);
  assert.equal(manifest.clips[0].file, "01-another-title.mp4");
  const { duration } = await probe(manifest.clips[0].path);
  assert.ok(Math.abs(duration - 5) < 0.1);
  assert.deepEqual((await manifest.clips[0].readPlan()).span, plan.span);
  const sheet = join(at.path, "sheet.png");
  await contactSheet(plan, sheet);
  assert.deepEqual([...(await readFile(sheet)).subarray(1, 4)], [...Buffer.from("PNG")]);
  await assert.rejects(checkPlan({ ...plan, version: 3 }), { code: "invalid_plan", message: /version 3/ });
  await assert.rejects(checkPlan({ ...plan, tilte: "x" }), { code: "invalid_plan", message: /tilte/ });
  await assert.rejects(contactSheet(plan, join(at.path, "sheet.txt")), { code: "config" });
});

test("an object of the user's can be any stage", async () => {
  const told = [];
  const custom = {
    source: { fetch: async (cx, uri) => { assert.equal(uri, "talk:1"); return at.talk; } },
    transcriber: { transcribe: (cx, media) => { cx.progress(0.5); cx.warn("by hand", "input_lost"); return transcript(); } },
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
        await copyFile(cx.locate(plan.source.media), video);
        return { video, cover: video, duration: plan.span.end - plan.span.start, frames: 1 };
      },
    },
    publisher: {
      async publish(cx, { rank, title, files }) {
        assert.ok(existsSync(files.video) && existsSync(files.plan));
        assert.match(cx.idempotencyKey, /^[0-9a-f]{32}$/);
        told.push(`${rank} ${title} ${cx.stage} ${cx.clip}`);
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
  assert.deepEqual(warnings, [{ kind: "input_lost", stage: "transcribe", message: "by hand" }]);
  assert.deepEqual(clips[0].receipts, [{ target: "custom", id: "https://example.org/1", url: "https://example.org/1", status: "published" }]);
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
  const { plans } = await new Pipeline({ ...SMALL, scorer: new Shorter(), min: 15, max: 30 }).planAll(at.talk);
  assert.equal(plans[0].plan.title, best.title);
  class Nothing extends FaceTracker {}
  await assert.rejects(new Nothing().track(null, {}), /Nothing has no method track/);
});

test("the error of a user's stage is the run's error, unless the user asks for a stand-in", async () => {
  const wrong = { score: () => [{ start: "soon", end: 20, score: 1 }] };
  await assert.rejects(Scorer.from(wrong).score(null, { transcript: transcript() }), { code: "contract", stage: "score", message: /an answer of score/ });
  const options = { ...SMALL, min: 15, max: 30 };
  await assert.rejects(new Pipeline({ ...options, scorer: wrong }).run(at.talk), { code: "contract", stage: "score" });
  const thrown = new RangeError("out of words");
  const boom = { score() { throw thrown; }, track() { throw thrown; } };
  const same = (error) => error === thrown;
  await assert.rejects(new Pipeline({ ...options, scorer: boom }).run(at.talk), same);
  await assert.rejects(new Pipeline({ ...options, tracker: boom }).planAll(at.talk), same);
  const layered = { ...options, layers: { score: [{ retry: { attempts: 2 } }, { timeout: { seconds: 60 } }] } };
  await assert.rejects(new Pipeline({ ...layered, scorer: boom }).planAll(at.talk), same);

  const degraded = await new Pipeline({ ...options, scorer: boom, tracker: boom, degrade: { scorer: "always", tracker: "always" } }).planAll(at.talk);
  assert.equal(degraded.plans.length, 1);
  assert.deepEqual(degraded.warnings.map(({ kind, stage }) => [kind, stage]), [["stand_in", "score"], ["stand_in", "track"]]);
  assert.match(degraded.warnings[0].message, /RangeError: out of words.*the heuristic chooses/);
  const or = Scorer.from(boom).or(new Heuristic());
  const fallen = await new Pipeline({ ...options, scorer: or }).planAll(at.talk);
  assert.deepEqual([fallen.plans.length, fallen.warnings[0].kind], [1, "stand_in"]);
});

test("a step rejects with its error, a run degrades; a layer of the user's does not change that", async () => {
  const down = createServer((_, response) => response.writeHead(503).end()).listen(0, "127.0.0.1");
  await once(down, "listening");
  const server = { baseUrl: `http://127.0.0.1:${down.address().port}/v1`, apiKey: "k", layers: [] };
  const spy = { call: (cx, input, next) => next(cx, input) };
  const scorer = new OpenAiScorer({ model: "m", server }).layer(spy);
  const pipeline = new Pipeline({ ...SMALL, min: 15, max: 30, scorer });
  try {
    const media = await pipeline.fetch(at.talk);
    const failed = await pipeline.choose(media, await pipeline.transcribe(media)).then(assert.fail, (error) => error);
    assert.deepEqual([failed.stage, failed.recovery.action, failed.report().kind, failed.report().stage], ["score", "retry", failed.code, "score"]);
    assert.ok(!failed.report().message.includes("http"), "a report's message is without address and advice");
    assert.equal((await pipeline.planAll(at.talk)).warnings[0].kind, "stand_in");
  } finally {
    down.close();
    down.closeAllConnections();
  }
});

test("the steps make the clips of a run, and several publishers get each", async () => {
  const posts = [];
  const shop = {
    target: { name: "shop", account: "mine" },
    publish(cx, post) {
      posts.push([post.clip, cx.idempotencyKey]);
      return { id: "42", status: "processing" };
    },
  };
  const publisher = [{ kind: "folder", path: join(at.path, "several") }, shop];
  const pipeline = new Pipeline({ ...SMALL, aspect: "1:1", min: 15, max: 30, publisher });
  const { plans } = await pipeline.planAll(at.talk);
  const [cx, hand] = [new Context(), (document) => JSON.parse(JSON.stringify(document))];
  const media = hand(await pipeline.fetch(at.talk));
  const transcript = hand(await pipeline.transcribe(media));
  const [candidate] = hand(await pipeline.choose(media, transcript));
  const tracks = hand(await pipeline.track(media, candidate.span));
  const plan = hand(await pipeline.plan(media, transcript, candidate, tracks));
  assert.deepEqual(plan, hand(plans[0].plan));
  await assert.rejects(pipeline.renderPost(1, plan), { code: "config", message: /Context/ });
  const post = await pipeline.renderPost(1, plan, cx);
  assert.ok(post.files.video.startsWith(cx.scratch));
  await assert.rejects(pipeline.publish(post), { code: "config", message: /publish_to/ });
  const targets = await pipeline.targets();
  assert.deepEqual(targets.map(({ name }) => name), ["folder", "shop"]);
  assert.equal((await pipeline.publishTo(targets[0], post)).target, "folder");
  const receipt = await pipeline.publishTo(targets[1], post);
  assert.deepEqual([receipt.target, receipt.account, receipt.id, receipt.status], ["shop", "mine", "42", "processing"]);
  cx.close();
  assert.ok(!existsSync(post.files.video));

  const { clips } = await pipeline.renderAll(plans);
  assert.deepEqual(clips[0].receipts.map(({ target }) => target), ["folder", "shop"]);
  assert.equal(clips[0].id, post.clip);
  assert.ok(existsSync(clips[0].path));
  assert.deepEqual(posts[1], posts[0]);
  const twice = new Pipeline({ ...SMALL, publisher: [shop, { ...shop }] });
  await assert.rejects(twice.planAll(at.talk), { code: "config", message: /two publishers/ });
  assert.throws(() => new Pipeline({ publisher: shop, publishers: [shop] }), { code: "config" });
  assert.throws(() => new Pipeline({ publisher: { kind: "pigeon" } }), { code: "config", message: /folder/ });
});

test("a clip that failed is listed with its error's report", async () => {
  const two = { score: () => [{ start: 0, end: 16, score: 90, title: "One" }, { start: 17, end: 34, score: 80, title: "Two" }] };
  const only = {
    publish(cx, { rank }) {
      if (rank === 2) throw new ClipkitError("denied", "the account is closed", { recovery: { action: "refresh_credentials" }, url: "https://me:pw@h/u" });
      return "first";
    },
  };
  const { clips, failed } = await new Pipeline({ ...SMALL, clips: 2, aspect: "1:1", scorer: two, publisher: only }).run(at.talk);
  assert.deepEqual([clips.length, clips[0].path, failed.length, failed[0].rank, failed[0].title], [1, "first", 1, 2, "Two"]);
  assert.deepEqual(failed[0].error, {
    kind: "denied", stage: "publish", message: "the account is closed", recovery: { action: "refresh_credentials" }, url: "https://h/u",
  });
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
  await assert.rejects(new Pipeline({ ...SMALL, scorer: scorer(0, 16) }).planAll(at.talk, { onEvent }), (error) => error === thrown);
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
