// What was made.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type * as doc from "./documents";

/** A clip that was made: an entry of the manifest, which also knows where its files are. */
export class Clip {
  #folder: string | null;

  /** @internal */
  constructor(made: doc.ManifestClip, folder: string | null) {
    Object.assign(this, made);
    this.#folder = folder;
  }

  #place(file: string): string {
    return this.#folder === null || file.includes("://") ? file : join(this.#folder, file);
  }

  /** The clip's file; its address, where a publisher of yours put it elsewhere. */
  get path(): string {
    return this.#place(this.file);
  }

  /** The file of its plan, where there is one. */
  get planPath(): string | null {
    return this.plan == null ? null : this.#place(this.plan);
  }

  /** The file of its cover, where there is one. */
  get coverPath(): string | null {
    return this.cover == null ? null : this.#place(this.cover);
  }

  /** Its plan, to be changed and rendered again. */
  async readPlan(): Promise<doc.ClipPlan> {
    if (this.planPath === null) throw new Error(`the plan of ${this.file} was not published`);
    return JSON.parse(await readFile(this.planPath, "utf8")) as doc.ClipPlan;
  }
}

export interface Clip extends doc.ManifestClip {}

/** What a run made: the content of `clips.json`. */
export type Manifest = Omit<doc.Manifest, "clips"> & { clips: Clip[] };

/** Tells the clips of a manifest the folder that their names are relative to. */
export function placed(manifest: doc.Manifest, folder: string | null): Manifest {
  return { ...manifest, clips: manifest.clips.map((made) => new Clip(made, folder)) };
}
