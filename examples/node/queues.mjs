// node queues.mjs VIDEO ...: clips as jobs in BullMQ queues on Redis.
//
// Each step of a pipeline is a job in a queue of its own. A job carries the documents that its step needs, so a crash loses at most the step that
// was running, and a clip that cannot be published is not rendered again.
//
//     redis-server --port 6379 &
//     node queues.mjs talk.mp4
import { constants, copyFile, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

import { DelayedError, Queue, QueueEvents, UnrecoverableError, Worker } from "bullmq";
import { Captions, ClipkitError, Context, Folder, Pipeline } from "clipkit-node";

/**
 * @typedef {import("clipkit-node").Media} Media
 * @typedef {import("clipkit-node").Transcript} Transcript
 * @typedef {import("clipkit-node").Candidate} Candidate
 * @typedef {import("clipkit-node").ClipPlan} ClipPlan
 * @typedef {import("clipkit-node").Post} Post
 * @typedef {{ uri: string }} Fetch
 * @typedef {{ media: Media }} Transcribe
 * @typedef {{ media: Media, transcript: Transcript }} Choose
 * @typedef {{ media: Media, transcript: Transcript, candidate: Candidate, rank: number }} Plan
 * @typedef {{ plan: ClipPlan, rank: number }} Render
 * @typedef {{ post: Post, files: string }} Publish
 */

/** How many jobs of each queue run at a time. One render uses all cores; the other steps mostly wait. */
const CONCURRENCY = { fetch: 4, transcribe: 2, choose: 2, plan: 1, render: 1, publish: 4 };
/** Options of every job. */
const JOB = { attempts: 3, backoff: { type: "exponential", delay: 1000 }, removeOnComplete: 100 };
/** The steps that have a stand-in: another way to choose, track or transcribe, a clip without captions. */
const DEGRADABLE = ["transcribe", "choose", "plan", "render"];

/**
 * A job that was removed while it ran has no progress. Any other failure to report progress is printed: the job itself goes on.
 *
 * @param {Error} error
 */
function reportUnlessRemoved(error) {
  if (!/^Missing key for job/.test(error.message)) console.error(`progress was not reported: ${error.message}`);
}

/**
 * Starts a worker for each queue. `close` stops them: running jobs end within a second, and the next process that starts takes them up again.
 *
 * @param {{
 *   connection: { host?: string, port: number },
 *   out: string,
 *   work?: string,
 *   options?: import("clipkit-node").PipelineOptions,
 * }} settings `out`: the folder for clips. `work`: the folder for rendered files that are not published yet.
 */
export function start({ connection, out, work = `${out}.work`, options = {} }) {
  const names = /** @type {(keyof typeof CONCURRENCY)[]} */ (Object.keys(CONCURRENCY));
  const queues = Object.fromEntries(names.map((name) => [name, new Queue(name, { connection, defaultJobOptions: JOB })]));
  const stages = { transcriber: new Captions(), ...(options.publishers ? {} : { publisher: new Folder(out) }), ...options };
  const strict = new Pipeline({ ...stages, degrade: { transcriber: "never", scorer: "never", tracker: "never", captions: "never" } });
  const degrading = new Pipeline({ ...stages, degrade: {} });
  const stop = new AbortController();

  /** @type {{ [name: string]: (pipeline: Pipeline, data: any, cx: Context) => Promise<unknown> }} */
  const steps = {
    async fetch(pipeline, /** @type {Fetch} */ { uri }, cx) {
      const media = await pipeline.fetch(uri, cx);
      await queues.transcribe.add("video", { media });
    },
    async transcribe(pipeline, /** @type {Transcribe} */ { media }, cx) {
      const transcript = await pipeline.transcribe(media, cx);
      await queues.choose.add("video", { media, transcript });
    },
    async choose(pipeline, /** @type {Choose} */ { media, transcript }, cx) {
      const candidates = await pipeline.choose(media, transcript, cx);
      await queues.plan.addBulk(
        candidates.map((candidate, n) => ({
          name: "clip",
          data: { media, transcript, candidate, rank: n + 1 },
          // A queue ignores a job whose id it has: the same clip of the same video is one job.
          opts: { jobId: `${media.id.replace(":", "-")}-${n + 1}` },
        })),
      );
      return candidates.length;
    },
    async plan(pipeline, /** @type {Plan} */ { media, transcript, candidate, rank }, cx) {
      const tracks = await pipeline.track(media, candidate.span, cx);
      const plan = await pipeline.plan(media, transcript, candidate, tracks, cx);
      await queues.render.add("clip", { plan, rank }, { jobId: `${media.id.replace(":", "-")}-${rank}` });
    },
    async render(pipeline, /** @type {Render} */ { plan, rank }, cx) {
      const post = await pipeline.renderPost(rank, plan, cx);
      // The scratch space of `cx` ends with this job; the publish job needs the files.
      const files = join(work, post.clip);
      await mkdir(files, { recursive: true });
      for (const [name, file] of Object.entries(post.files)) {
        if (!file) continue;
        const kept = join(files, `${name}-${basename(file)}`);
        await copyFile(file, kept, constants.COPYFILE_FICLONE);
        post.files[/** @type {keyof Post["files"]} */ (name)] = kept;
      }
      await queues.publish.add("clip", { post, files }, { jobId: post.clip });
    },
    async publish(pipeline, /** @type {Publish} */ { post, files }, cx) {
      const receipts = [];
      // After a failed attempt, a target that has the clip already returns its receipt again.
      for (const target of await pipeline.targets()) receipts.push(await pipeline.publishTo(target, post, cx));
      await rm(files, { recursive: true, force: true });
      return receipts;
    },
  };

  const workers = names.map(
    (name) =>
      new Worker(
        name,
        async (job, token, signal) => {
          const stopped = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
          const cx = new Context({
            signal: stopped,
            scratch: work,
            onProgress: ({ fraction }) => void job.updateProgress(fraction * 100).catch(reportUnlessRemoved),
          });
          try {
            if (job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) return await steps[name](degrading, job.data, cx);
            try {
              return await steps[name](strict, job.data, cx);
            } catch (error) {
              // Without another attempt, this one is the last.
              if (isRetried(error) || !DEGRADABLE.includes(name)) throw error;
              return await steps[name](degrading, job.data, cx);
            }
          } catch (error) {
            throw await jobError(error, job, token);
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
    add: (uri) => queues.fetch.add("video", { uri }),
    async close() {
      stop.abort();
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all(names.map((name) => queues[name].close()));
    },
  };
}

/**
 * Whether another attempt may succeed. The exception of a stage of the user's does not say so: it is tried again.
 *
 * @param {unknown} error
 */
function isRetried(error) {
  return !(error instanceof ClipkitError) || error.code === "cancelled" || ["retry", "wait_until"].includes(error.recovery.action);
}

/**
 * The error that makes BullMQ do what `recovery` says: try again, wait, or give up.
 *
 * @param {unknown} error
 * @param {import("bullmq").Job} job
 * @param {string} [token]
 */
async function jobError(error, job, token) {
  if (!(error instanceof ClipkitError)) return error;
  const { action, after, until } = error.recovery;
  const wait = action === "wait_until" ? (until ?? 0) * 1000 - Date.now() : action === "retry" && after ? after * 1000 : 0;
  if (wait > 0) {
    await job.moveToDelayed(Date.now() + wait, token);
    return new DelayedError(error.message);
  }
  return isRetried(error) ? error : new UnrecoverableError(error.message);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const connection = { host: process.env.REDIS_HOST ?? "127.0.0.1", port: Number(process.env.REDIS_PORT ?? 6379) };
  const service = start({ connection, out: "clips" });
  process.once("SIGINT", () => void service.close());
  const published = new QueueEvents("publish", { connection });
  published.on("completed", ({ returnvalue }) => console.log(returnvalue));
  for (const video of process.argv.slice(2)) await service.add(video);
}
