// The table of capabilities that every language runs. clipkit/tests/cases/README.md describes its format.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ClipkitError, contactSheet, Context, FaceTracker, frames, Pipeline, preview, probe, Scorer, Source, Transcriber } from "clipkit-node";

import { run } from "./support.mjs";

const desk = realpathSync(mkdtempSync(join(tmpdir(), "clipkit-cases-")));
const text = readFileSync(new URL("../../clipkit/tests/cases/cases.json", import.meta.url), "utf8");
const table = JSON.parse(text.replaceAll("{desk}", desk));

before(async () => {
  for (const [name, args] of Object.entries(table.fixtures.videos)) {
    await run("ffmpeg", ["-v", "error", ...args.replace("{out}", join(desk, name)).split(" ")]);
  }
  for (const [name, content] of Object.entries(table.fixtures.texts)) writeFileSync(join(desk, name), JSON.stringify(content));
});
after(() => rmSync(desk, { recursive: true, force: true }));

const calls = {
  async probe({ config, input }, cx) {
    return (await Source.fromConfig(config.source ?? { kind: "auto" })).fetch(cx, input);
  },
  async transcribe({ config, input }, cx) {
    const media = await calls.probe({ config, input }, cx);
    return (await Transcriber.fromConfig(config.transcriber)).transcribe(cx, media);
  },
  async score({ config, transcript }, cx) {
    const { clips, min, max } = config.options ?? {};
    return (await Scorer.fromConfig(config.scorer)).score(cx, { transcript, options: { max_clips: clips, min, max } });
  },
  async track({ config, input, span }, cx) {
    return (await FaceTracker.fromConfig(config.tracker)).track(cx, { media: await calls.probe({ config, input }, cx), span });
  },
  async frames({ config, input, span, frames: options }, cx) {
    const seen = [];
    for await (const { at, width, height, data } of frames(cx, await calls.probe({ config, input }, cx), span, options)) {
      assert.equal(data.length, 3 * width * height);
      seen.push({ at, width, height });
    }
    return seen;
  },
  plan: ({ config, input }, cx) => new Pipeline(config).planAll(input, cx),
  whole: ({ config, input, picture }, cx) => new Pipeline(config).planWhole(input, picture, cx),
  run: ({ config, input }, cx) => new Pipeline(config).run(input, cx),
  async render({ config, input, edit }, cx) {
    const pipeline = new Pipeline(config);
    const { plans } = await pipeline.planAll(input, cx);
    return pipeline.renderAll(plans.map(({ rank, plan }) => ({ rank, plan: merged(plan, edit) })), cx);
  },
  async steps({ config, input }, cx) {
    const pipeline = new Pipeline(config);
    const media = await pipeline.fetch(input, cx);
    const transcript = await pipeline.transcribe(media, cx);
    const candidates = await pipeline.choose(media, transcript, cx);
    const tracks = await pipeline.track(media, candidates[0].span, cx);
    const plan = await pipeline.plan(media, transcript, candidates[0], tracks, cx);
    const rendered = await pipeline.render(plan, cx);
    const post = await pipeline.renderPost(1, plan, cx);
    const targets = await pipeline.targets();
    const receipt = await pipeline.publish(post, cx);
    const again = await pipeline.publishTo(targets[0], post, cx);
    return { media, transcript, candidates, tracks, plan, rendered, post, targets, receipt, again };
  },
  async given({ config, input, fails = 0 }, cx) {
    let calls = 0;
    const scorer = {
      score() {
        if (calls++ < fails) throw new ClipkitError("network", "busy", { recovery: { action: "retry" } });
        return [{ start: 0, end: 16, score: 50, title: "Given" }];
      },
    };
    const planned = await new Pipeline({ ...config, scorer }).planAll(input, cx);
    return { calls, planned };
  },
  async preview({ config, input }, cx) {
    const draft = join(desk, "draft.mp4");
    const { plans } = await new Pipeline(config).planAll(input, cx);
    await preview(plans[0].plan, draft, cx);
    return probe(draft);
  },
  async sheet({ config, input }, cx) {
    const sheet = join(desk, "sheet.png");
    const { plans } = await new Pipeline(config).planAll(input, cx);
    await contactSheet(plans[0].plan, sheet, cx);
    return { bytes: statSync(sheet).size };
  },
};

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Objects merge, other values are replaced. */
function merged(value, change) {
  if (!isObject(value) || !isObject(change)) return change;
  return { ...value, ...Object.fromEntries(Object.entries(change).map(([name, change]) => [name, merged(value[name], change)])) };
}

const tests = {
  $contains: (found, wanted) => typeof found === "string" && found.includes(wanted),
  $type: (found, wanted) => (Array.isArray(found) ? "array" : typeof found) === wanted,
  $length: (found, wanted) => Array.isArray(found) && found.length === wanted,
  $first: (found, wanted, at) => (check(wanted, found?.[0] ?? null, `${at}[0]`), true),
};

/** Throws where an expectation does not hold. */
function check(expected, found, at) {
  const complaint = `${at}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)?.slice(0, 200)}`;
  if (isObject(expected) && Object.keys(expected).some((name) => name.startsWith("$"))) {
    for (const [name, wanted] of Object.entries(expected)) assert.ok(tests[name](found, wanted, at), complaint);
  } else if (isObject(expected)) {
    assert.ok(isObject(found), complaint);
    for (const [name, wanted] of Object.entries(expected)) check(wanted, found[name] ?? null, `${at}.${name}`);
  } else if (Array.isArray(expected)) {
    assert.equal(found?.length, expected.length, complaint);
    expected.forEach((wanted, n) => check(wanted, found[n], `${at}[${n}]`));
  } else if (typeof expected === "number") {
    assert.ok(Math.abs(expected - found) <= 1e-6, complaint);
  } else {
    assert.equal(found, expected, complaint);
  }
}

assert.ok(table.cases.length > 20);
for (const entry of table.cases) {
  test(entry.name, async () => {
    rmSync(join(desk, "out"), { recursive: true, force: true });
    const heard = new Set();
    const cx = new Context({ onEvent: ({ event, stage }) => heard.add(stage ? `${event} ${stage}` : event) });
    const answer = (async () => calls[entry.call](entry, cx))();
    if (entry.error) {
      const { code, stage, recovery, message } = await answer.then((found) => assert.fail(JSON.stringify(found)), (error) => error);
      check(entry.error, { kind: code, stage, recovery, message }, "error");
    } else {
      check(entry.expect, JSON.parse(JSON.stringify(await answer)), "answer");
    }
    const order = [...heard];
    let at = 0;
    for (const event of entry.events ?? []) {
      const found = order.indexOf(event, at);
      assert.ok(found >= at, `${event} is not among the events, or not in its place: ${order}`);
      at = found + 1;
    }
  });
}
