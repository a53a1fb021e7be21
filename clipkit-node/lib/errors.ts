// Conversion of errors between Rust and JavaScript.

import * as native from "../native";
import type { ErrorKind, ErrorReport, Recovery as RecoveryDocument, Stage } from "./documents";

/** What to do next about an error. */
export interface Recovery extends RecoveryDocument {
  /** `retry`: the same call may succeed later. `give_up`: it will fail again. */
  action: "retry" | "refresh_credentials" | "reencode" | "wait_until" | "give_up";
  /** With `retry`: how long the other side asked to wait, in seconds. */
  after?: number | null;
  /** With `wait_until`: the moment, in seconds since 1970. */
  until?: number | null;
}

/** What is known of an error besides its code and message. */
export interface ErrorDetails {
  stage?: Stage | null;
  recovery?: Recovery;
  path?: string | null;
  at?: number | null;
  url?: string | null;
  advice?: string | null;
  cause?: unknown;
}

/** The report of each error that came from the native module. */
const reports = new WeakMap<ClipkitError, ErrorReport>();

/**
 * The error class of this package. What a stage of yours throws is not wrapped: the call rejects with the same object.
 *
 * A stage of yours may throw one to state the kind of error (`code`) and whether to retry (`recovery`); layers such as `Retry` read it.
 */
export class ClipkitError extends Error {
  override readonly name = "ClipkitError";
  /** The kind of error, to branch on. */
  readonly code: ErrorKind;
  /** The stage that failed. */
  readonly stage: Stage | null;
  /** What to do next. */
  readonly recovery: Recovery;
  /** The file concerned. */
  readonly path: string | null;
  /** The time in that file, in seconds. */
  readonly at: number | null;
  /** The address concerned, without user, password and query. */
  readonly url: string | null;
  /** What the user can do. The message of an error of clipkit's own ends with it. */
  readonly advice: string | null;

  constructor(code: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause == null ? undefined : { cause: details.cause });
    this.code = code;
    this.stage = details.stage ?? null;
    this.recovery = details.recovery ?? { action: "give_up" };
    this.path = details.path ?? null;
    this.at = details.at ?? null;
    this.url = details.url ?? null;
    this.advice = details.advice ?? null;
  }

  /** The error as a document, as it stands in manifests: for a queue or a log. The cause is not part of it. */
  report(): ErrorReport {
    const { code, stage, message, advice, recovery, path, at, url } = this;
    return reports.get(this) ?? { kind: code, stage, message, advice, recovery, path, at, url };
  }
}

/** An error as `error.rs` describes it. */
interface Exception {
  thrown?: number;
  /** The error as one line. */
  message: string;
  report: ErrorReport;
  cause?: Exception | { message: string } | null;
}

/** The values that stages threw, by the ids under which native errors refer to them. */
const thrown = new Map<number, unknown>();
let lastId = 0;

/** The native counterpart of `thrown`: it lists the ids that were released. */
export const hostErrors = new native.HostErrors();

/** Keeps a thrown value and describes it for the native module. */
export function departing(error: unknown): string {
  for (const id of hostErrors.released()) thrown.delete(id);
  lastId = (lastId + 1) % 0x1_0000_0000;
  thrown.set(lastId, error);
  const message = error instanceof Error ? String(error) : `a stage threw ${String(error)}`;
  return JSON.stringify({ id: lastId, message, report: error instanceof ClipkitError ? error.report() : reportOf(error, message) });
}

/** The report of an error of another class: a stage that throws one broke its contract. */
function reportOf(error: unknown, message: string): ErrorReport {
  const { recovery } = (error ?? {}) as { recovery?: unknown };
  return { kind: "contract", message, ...(isRecovery(recovery) && { recovery }) };
}

function isRecovery(value: unknown): value is Recovery {
  return typeof value === "object" && value !== null && typeof (value as Recovery).action === "string";
}

/** Converts an exception of the native module: to the value that a stage threw, or to a `ClipkitError`. Others are returned unchanged. */
export function arriving(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith("{")) return error;
  try {
    return decoded(JSON.parse(error.message) as Exception);
  } catch {
    return error;
  }
}

function decoded(exception: Exception): unknown {
  if (exception.thrown !== undefined && thrown.has(exception.thrown)) return thrown.get(exception.thrown);
  const { message, report, cause } = exception;
  const { kind, stage, recovery, path, at, url, advice } = report;
  const error = new ClipkitError(kind, message, {
    stage,
    recovery: recovery as Recovery,
    path,
    at,
    url,
    advice,
    cause: cause && ("report" in cause ? decoded(cause) : new Error(cause.message)),
  });
  reports.set(error, report);
  return error;
}

/** Calls the native module and converts its exceptions. */
export function calling<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw arriving(error);
  }
}
