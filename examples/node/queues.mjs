// node queues.mjs VIDEO ...: the usual stack of queues on Redis, without a second process beside it. Each step has a queue and a concurrency of
// its own; what a step found travels to the next one in its job, so a crash loses at most the step that was running.
//
//     redis-server --port 6379 &
//     node queues.mjs talk.mp4
import { pathToFileURL } from "node:url";

import { DelayedError, Queue, QueueEvents, UnrecoverableError, Worker } from "bullmq";
import { Captions, ClipkitError, Context, FfmpegRenderer, FileSource, Folder, Pipeline } from "clipkit-node";

/**
 * @typedef {import("clipkit-node").Media} Media
 * @typedef {import("clipkit-node").Transcript} Transcript
 * @typedef {import("clipkit-node").RankedPlan} RankedPlan
 * @typedef {{ uri: string }} Download
 * @typedef {{ media: Media }} Transcribe
 * @typedef {{ media: Media, transcript: Transcript }} Score
 * @typedef {{ plan: RankedPlan }} Encode
 */

/** What a step may do at a time: encoding fills the machine, the others mostly wait. */
const CONCURRENCY = { download: 4, transcribe: 2, score: 2, encode: 1 };
/** Another attempt where an error says that it may help. */
const JOB = { attempts: 3, backoff: { type: "exponential", delay: 1000 }, removeOnComplete: 100 };

/**
 * Starts the four workers. `close` ends them; jobs that run are stopped within a second and taken up again by the next who starts.
 *
 * @param {{ connection: { host?: string, port: number }, out: string, options?: import("clipkit-node").ClipOptions }} settings
 */
export function start({ connection, out, options = {} }) {
  const names = /** @type {(keyof typeof CONCURRENCY)[]} */ (Object.keys(CONCURRENCY));
  const queues = Object.fromEntries(names.map((name) => [name, new Queue(name, { connection, defaultJobOptions: JOB })]));
  const source = new FileSource();
  const transcriber = new Captions();
  const renderer = new FfmpegRenderer();
  const folder = new Folder(out);
  const stop = new AbortController();

  /** @type {{ [name: string]: (cx: Context, data: any) => Promise<unknown> }} */
  const steps = {
    async download(cx, /** @type {Download} */ { uri }) {
      const media = await source.fetch(cx, uri);
      await queues.transcribe.add("video", { media });
    },
    async transcribe(cx, /** @type {Transcribe} */ { media }) {
      const transcript = await transcriber.transcribe(cx, media);
      await queues.score.add("video", { media, transcript });
    },
    async score(cx, /** @type {Score} */ { media, transcript }) {
      const known = { source: { fetch: () => media }, transcriber: { transcribe: () => transcript } };
      const { plans } = await new Pipeline({ ...known, ...options }).plan(media.path, cx);
      // The same plan twice is one job.
      await queues.encode.addBulk(plans.map((plan) => ({ name: "clip", data: { plan }, opts: { jobId: `${media.id.replace(":", "-")}-${plan.rank}` } })));
      return plans.length;
    },
    async encode(cx, /** @type {Encode} */ { plan: { rank, plan } }) {
      const clip = await renderer.render(cx, plan);
      return folder.publish(cx, { rank, clip, plan });
    },
  };

  const workers = names.map(
    (name) =>
      new Worker(
        name,
        async (job, token, signal) => {
          const stopped = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
          const cx = new Context({ signal: stopped, scratch: out, onProgress: ({ fraction }) => void job.updateProgress(fraction * 100) });
          try {
            return await steps[name](cx, job.data);
          } catch (error) {
            throw await heed(error, job, token);
          } finally {
            cx.close();
          }
        },
        { connection, concurrency: CONCURRENCY[name] },
      ),
  );

  return {
    queues,
    /** @param {string} uri */
    add: (uri) => queues.download.add("video", { uri }),
    async close() {
      stop.abort();
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all(names.map((name) => queues[name].close()));
    },
  };
}

/**
 * What an error means for its job: `recovery` says it, so nothing is read out of messages.
 *
 * @param {unknown} error
 * @param {import("bullmq").Job} job
 * @param {string} [token]
 */
async function heed(error, job, token) {
  if (!(error instanceof ClipkitError)) return error;
  const { action, after, until } = error.recovery;
  const wait = action === "wait_until" ? (until ?? 0) * 1000 - Date.now() : action === "retry" && after ? after * 1000 : 0;
  if (wait > 0) {
    await job.moveToDelayed(Date.now() + wait, token);
    return new DelayedError(error.message);
  }
  return action === "retry" || error.code === "cancelled" ? error : new UnrecoverableError(error.message);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const connection = { host: process.env.REDIS_HOST ?? "127.0.0.1", port: Number(process.env.REDIS_PORT ?? 6379) };
  const service = start({ connection, out: "clips" });
  process.once("SIGINT", () => void service.close());
  const encoded = new QueueEvents("encode", { connection });
  encoded.on("completed", ({ returnvalue }) => console.log(returnvalue));
  for (const video of process.argv.slice(2)) await service.add(video);
}
