// What users write type-checks, and mistakes do not. Checked by `npm run check`.
import { Captions, clip, ClipkitError, Context, Folder, Heuristic, Pipeline, Retry, Scorer, type ClipPlan, type Manifest, type Post, type Receipt, type ScorerLike } from "clipkit-node";

const scorer: ScorerLike = {
  async score(cx, { transcript, options }) {
    cx.progress(0.5);
    const first: string | undefined = transcript.words[0]?.text;
    return [{ start: 0, end: options?.max ?? 20, score: 90, title: first }];
  },
};

export async function main(): Promise<void> {
  const controller = new AbortController();
  for (const c of await clip("talk.mp4", { out: "clips", scorer, clips: 3, maxCost: 0.5, captions: "pop", signal: controller.signal })) {
    const total: number = c.score.total;
    const where: string = c.path;
    console.log(total, where, c.span.start, c.warnings[0]?.message);
  }
  const pipeline = new Pipeline({ scorer: new Heuristic().layer(new Retry({ attempts: 2 })), transcriber: new Captions(), publisher: new Folder("clips"), atOnce: { publish: 1 } });
  const manifest: Manifest = await pipeline.run("talk.mp4", new Context({ onProgress: ({ fraction }) => console.log(fraction) }));
  const plan: ClipPlan = await manifest.clips[0]!.readPlan();
  plan.scenes = plan.scenes.filter(({ layout }) => layout.kind === "fill");
  await pipeline.renderAll([plan]);
  const cx = new Context();
  const media = await pipeline.fetch("talk.mp4", cx);
  const transcript = await pipeline.transcribe(media);
  const [candidate] = await pipeline.choose(media, transcript, { signal: controller.signal });
  const tracks = await pipeline.track(media, candidate!.span);
  const post: Post = await pipeline.renderPost(1, await pipeline.plan(media, transcript, candidate!, tracks), cx);
  post.tags = ["talk"];
  const [target] = await pipeline.targets();
  const receipt: Receipt = await pipeline.publishTo(target!, post);
  console.log(receipt.status === "processing", receipt.url, manifest.failed?.[0]?.error.recovery?.action);
  new Pipeline({ publisher: [new Folder("clips"), { target: "mine", publish: () => "id" }], degrade: { scorer: "never" } });
  for await (const event of pipeline.events("talk.mp4")) {
    if (event.event === "waiting") console.log(event.seconds);
    if (event.event === "manifest") console.log(event.clips[0]?.path);
  }
  try {
    await Scorer.from(scorer).score(null, { transcript: { words: [] } });
  } catch (error) {
    if (error instanceof ClipkitError && error.code === "denied" && error.recovery.action === "retry") console.log(error.recovery.after);
  }
  // @ts-expect-error: there is no such option.
  await clip("talk.mp4", { clip: 3 });
  // @ts-expect-error: a scorer scores.
  new Pipeline({ scorer: { track: () => ({}) } });
  // @ts-expect-error: a rendered clip needs a context that owns its files.
  await pipeline.render(plan);
  // @ts-expect-error: there is no such code.
  new ClipkitError("oops", "message");
  // @ts-expect-error: a source cannot stand in for a scorer.
  new Heuristic().or({ fetch: async () => "x" });
}
