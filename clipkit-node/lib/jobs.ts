// Jobs that survive crashes, and the workers that do them.

import * as native from "../native";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { arriving, calling, ClipkitError } from "./errors";
import { type Kind, type Likes, METHODS } from "./kinds";
import { handleOf } from "./stages";
import { read, snake, write } from "./transfer";

/** Options of {@link Jobs.open}. Every process that opens the same jobs should give the same. */
export interface JobsOptions {
  /** When failed steps run again. Times in seconds. */
  policy?: { attempts?: number; firstWait?: number; factor?: number; longestWait?: number; jitter?: number; longestAsk?: number };
  /** The most jobs that have not ended. Default 10000. */
  mostOpen?: number;
  /** The same for one user. Default 1000. */
  mostOpenPerUser?: number;
  /** The free bytes of the disk below which jobs are refused. Default 1 GiB. */
  minFree?: number;
  /** How many ended jobs are kept. Default 100, and 50 failed ones. */
  keepDone?: number;
  keepFailed?: number;
}

/** What a job is besides its video. */
export interface JobRequest {
  /** The stages and their options. */
  config?: Partial<doc.PipelineConfig>;
  /** The publishers. Default: those of `config`. */
  publish?: doc.PublisherConfig[];
  /** Custom stages, by the names under which workers know them. */
  stages?: string[];
  /** Higher runs first. Default 0. */
  priority?: number;
  /** The earliest start: a date, or RFC 3339. */
  notBefore?: Date | string;
  /** Submitting with the key of an earlier job of the same user returns that job. */
  idempotencyKey?: string;
  /** Workers serve users in turn. */
  user?: string;
}

/** A job. */
export interface JobStatus {
  id: string;
  uri: string;
  user: string;
  priority: number;
  state: "delayed" | "waiting" | "active" | "done" | "failed" | "cancelled";
  tasks_done: number;
  tasks: number;
  created: string | null;
  ended: string | null;
  error?: doc.ErrorReport;
  manifest?: doc.Manifest;
}

/** An event of a job: one of a run, or `usage`, `failed`, `ended`. */
export type JobEvent = { number: number; at: string | null; event: string } & Record<string, unknown>;

/** A clip of a job. */
export interface JobClip {
  /** From 1. */
  rank: number;
  /** What the scorer chose. */
  candidate: doc.Candidate;
  /** Null before the clip is planned. */
  plan: doc.ClipPlan | null;
  /** Those of the targets that have the clip. */
  receipts: doc.Receipt[];
  tasks: { id: string; state: string; attempts: number; error?: doc.ErrorReport }[];
  /** The paths of the published files, if the job publishes into a folder. */
  video: string | null;
  cover: string | null;
}

/** A link with which everybody can get a clip. */
export interface ClipLink {
  url: string;
  /** When it stops working, in RFC 3339. */
  expires: string | null;
}

/** A step that failed on all its attempts. */
export interface DeadLetter {
  id: string;
  queue: string;
  user: string;
  attempts: number;
  error?: doc.ErrorReport;
}

/** Which jobs {@link Jobs.list} returns. */
export interface JobFilter {
  user?: string;
  open?: boolean;
  state?: JobStatus["state"];
  /** Only jobs that were submitted before the one with this id. */
  before?: string;
  most?: number;
}

/** Options of a {@link Worker}. Times in seconds. */
export interface WorkerOptions {
  /** The queues to serve: `fetch`, `transcribe`, `score`, `track`, `render`, `publish`. Default: all. */
  serves?: string[];
  /** The most steps of a queue at a time, in this worker. */
  limits?: Record<string, number>;
  /** The most starts of a queue in a period, over all workers. */
  rates?: Record<string, { starts: number; per: number } | null>;
  /** The most steps of one publishing target at a time, over all workers. Default 2. */
  perTarget?: number;
  /** How long a step may show no progress, by queue. */
  stall?: Record<string, number>;
  /** How long a step is held without a sign of life. Default 30. */
  lease?: number;
  /** How long running steps may go on when the worker is asked to stop. Default 8. */
  grace?: number;
  /** Stop when no job is open. */
  untilIdle?: boolean;
  /** Custom stages by name: objects with one of the stage methods. */
  stages?: Record<string, Likes[Kind]>;
}

/** Jobs in one SQLite file, which any number of processes of a machine may use at the same time, or in a Redis, for many machines. */
export class Jobs {
  /** @internal */
  readonly inner: native.Jobs;

  /** Use {@link Jobs.open}. @internal */
  constructor(inner: native.Jobs) {
    this.inner = inner;
  }

  /** Opens the jobs in a file, which is made if it does not exist. */
  static open(db: string, options: JobsOptions = {}): Promise<Jobs> {
    return answered(async () => new Jobs(await native.Jobs.open(db, JSON.stringify(snake(options)))));
  }

  /**
   * Jobs in a Redis or Valkey, as BullMQ keeps them, for workers on many machines.
   *
   * @param url `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` for TLS.
   * @param folder Where documents and rendered clips are. All workers reach it under this path.
   * @param options `prefix` is the beginning of all keys, `clipkit` by default.
   */
  static redis(url: string, folder: string, { prefix, ...options }: JobsOptions & { prefix?: string } = {}): Promise<Jobs> {
    return answered(async () => new Jobs(await native.Jobs.redis(url, folder, prefix, JSON.stringify(snake(options)))));
  }

  /** Submits a job for the video at a path or an address, and returns its id. */
  submit(uri: string, request: JobRequest = {}): Promise<string> {
    const { config, notBefore, ...rest } = request;
    const moment = notBefore instanceof Date ? notBefore.toISOString() : notBefore;
    const job = { ...(snake(rest) as object), not_before: moment, config: config ?? {}, uri };
    return answered(async () => read(await this.inner.submit(await write(job))));
  }

  /** A job; null if there is none with this id. */
  get(id: string): Promise<JobStatus | null> {
    return answered(async () => read(await this.inner.get(id)));
  }

  /** The jobs, the newest first. */
  list(filter: JobFilter = {}): Promise<JobStatus[]> {
    return answered(async () => read(await this.inner.list(JSON.stringify(filter))));
  }

  /** Cancels a job: running steps stop within a second. False if it has ended. */
  cancel(id: string): Promise<boolean> {
    return answered(async () => read(await this.inner.cancel(id)));
  }

  /** Runs the failed and cancelled steps of a job again. */
  retry(id: string): Promise<boolean> {
    return answered(async () => read(await this.inner.retry(id)));
  }

  /** Removes a job that has ended. Published clips stay. */
  remove(id: string): Promise<boolean> {
    return answered(async () => read(await this.inner.remove(id)));
  }

  /** The events of a job whose number is above `since`. */
  events(id: string, since = 0): Promise<JobEvent[]> {
    return answered(async () => read(await this.inner.events(id, since)));
  }

  /** The clips of a job in order of rank, as far as it has come. */
  clips(id: string): Promise<JobClip[]> {
    return answered(async () => read(await this.inner.clips(id)));
  }

  /**
   * Changes the plan of a clip by operations, as `edit` does. A worker then renders and publishes it again. With `dryRun`
   * nothing changes. The job must have ended.
   */
  editClip(id: string, rank: number, ops: readonly doc.EditOp[], { dryRun = false } = {}): Promise<doc.Edited> {
    return answered(async () => read(await this.inner.editClip(id, rank, await write(ops), dryRun)));
  }

  /**
   * A signed link to a clip in the object store that the job publishes to. It works for `valid` seconds, at most as long
   * as the publisher's `link`, which is the default. The environment has the store's credentials.
   */
  link(id: string, rank: number, { valid, ...options }: { valid?: number } & RunOptions = {}): Promise<ClipLink> {
    return Context.run(options, async (cx) => read(await this.inner.link(cx, id, rank, valid)));
  }

  /** The steps that failed on all their attempts, each with its error. */
  deadLetters(): Promise<DeadLetter[]> {
    return answered(async () => read(await this.inner.deadLetters()));
  }

  /** Runs a dead letter again, by its id. */
  replay(task: string): Promise<boolean> {
    return answered(async () => read(await this.inner.replay(task)));
  }

  /** Removes a dead letter, by its id. */
  discard(task: string): Promise<boolean> {
    return answered(async () => read(await this.inner.discard(task)));
  }

  /** Stops a queue: its steps wait. */
  async pause(queue: string): Promise<void> {
    await answered(() => this.inner.pause(queue));
  }

  /** Lets a paused queue go on. */
  async resume(queue: string): Promise<void> {
    await answered(() => this.inner.resume(queue));
  }
}

/** Does the steps of jobs, in this process. */
export class Worker {
  #inner: native.Worker;
  /** The handles of the user's stages, which the native module calls but does not keep alive. */
  #stages: native.Stage[] = [];

  constructor(jobs: Jobs, options: WorkerOptions = {}) {
    const { stages = {}, serves = [], ...rest } = options;
    const document = { ...(snake(rest) as object), stages: serves };
    this.#inner = calling(() => new native.Worker(jobs.inner, JSON.stringify(document)));
    for (const [name, stage] of Object.entries(stages)) {
      const kinds = (Object.keys(METHODS) as Kind[]).filter((kind) => typeof (stage as unknown as Record<string, unknown>)[METHODS[kind]] === "function");
      const [kind] = kinds;
      if (kind === undefined || kinds.length !== 1) {
        throw new ClipkitError("config", `the stage ${name} has the methods of ${kinds.length} kinds of stages, not of one`);
      }
      const handle = handleOf(kind, stage);
      this.#inner.stage(name, handle);
      this.#stages.push(handle);
    }
  }

  /** Works until the signal is aborted or, with `untilIdle`, until no job is open. When it is aborted, running steps end or are handed back. */
  run(options?: RunOptions | Context): Promise<void> {
    return Context.run(options, (cx) => this.#inner.run(cx));
  }
}

async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw arriving(error);
  }
}
