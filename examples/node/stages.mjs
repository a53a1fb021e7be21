// node stages.mjs VIDEO [OUT]: custom stages, layers around them, edited plans, a run that can be cancelled.
import { CenterTracker, FaceTracker, Folder, frames, Heuristic, MotionTracker, Pipeline, Retry, Scorer, Timeout } from "clipkit-node";

/** Ranks spans with a question first. The heuristic finds the spans. */
class Questions extends Scorer {
  rules = new Heuristic();

  /**
   * @param {import("clipkit-node").Context} cx
   * @param {import("clipkit-node").Scoring} scoring
   */
  async score(cx, scoring) {
    const found = await this.rules.score(cx, scoring);
    const asks = (/** @type {import("clipkit-node").Span} */ span) =>
      scoring.transcript.words.some(({ text, start }) => start >= span.start && start < span.end && text.endsWith("?"));
    return found.sort((a, b) => Number(asks(b.span)) - Number(asks(a.span)) || b.score.total - a.score.total);
  }
}

/** Takes the brightest spot of two frames a second for a face. Replace it by your detector. */
class Brightest extends FaceTracker {
  /**
   * @param {import("clipkit-node").Context} cx
   * @param {import("clipkit-node").Tracking} tracking
   */
  async track(cx, { media, span }) {
    const samples = [];
    for await (const { at, width, height, data } of frames(cx, media, span, { perSecond: 2, longest: 64 })) {
      const light = (/** @type {number} */ n) => data[n] + data[n + 1] + data[n + 2];
      let best = 0;
      for (let n = 0; n < data.length; n += 3) if (light(n) > light(best)) best = n;
      const [x, y] = [((best / 3) % width) / width, Math.floor(best / 3 / width) / height];
      const rect = { x: Math.max(0, x - 0.1), y: Math.max(0, y - 0.1), width: 0.2, height: 0.2 };
      samples.push({ at, rect, confidence: 1, mouth: 0 });
    }
    return { shots: [], faces: [{ id: 1, samples }], subjects: [] };
  }
}

const [video, out = "clips"] = process.argv.slice(2);
if (!video) throw new Error("give a video");
const controller = new AbortController();
process.once("SIGINT", () => controller.abort());

const pipeline = new Pipeline({
  scorer: new Questions().layer(new Timeout({ seconds: 60 })).layer(new Retry({ attempts: 2 })),
  tracker: new Brightest().or(new MotionTracker()).or(new CenterTracker()),
  publisher: new Folder(out),
  clips: 2,
  captions: "pop",
});
const { plans } = await pipeline.planAll(video, { signal: controller.signal });
for (const { rank, plan } of plans) {
  console.log(`${rank}. ${plan.title}: ${plan.reason}`);
  plan.output.crf = 24; // A plan is a plain object.
}
const manifest = await pipeline.renderAll(plans, {
  signal: controller.signal,
  onProgress: ({ stage, clip, fraction }) => process.stderr.write(`\r${stage} ${clip ?? ""} ${Math.round(fraction * 100)} %   `),
});
for (const clip of manifest.clips) console.log(`\n${clip.path}`);
