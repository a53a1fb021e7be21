// Clips of a manifest.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type * as doc from "./documents";

/** A clip of a manifest, with the paths of its files. */
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

  /** The path of the clip's file, or its address where it is not on this machine. */
  get path(): string {
    return this.#place(this.file);
  }

  /** The path of its plan. Null where the plan was not published. */
  get planPath(): string | null {
    return this.plan == null ? null : this.#place(this.plan);
  }

  /** The path of its cover. Null where the cover was not published. */
  get coverPath(): string | null {
    return this.cover == null ? null : this.#place(this.cover);
  }

  /** Reads its plan, to change it and render it again. */
  async readPlan(): Promise<doc.ClipPlan> {
    if (this.planPath === null) throw new Error(`the plan of ${this.file} was not published`);
    return JSON.parse(await readFile(this.planPath, "utf8")) as doc.ClipPlan;
  }
}

export interface Clip extends doc.ManifestClip {}

/** What a run made: the content of `clips.json`. */
export type Manifest = Omit<doc.Manifest, "clips"> & { clips: Clip[] };

/** A manifest whose clips know the folder that their names are relative to. */
export function placed(manifest: doc.Manifest, folder: string | null): Manifest {
  return { ...manifest, clips: manifest.clips.map((made) => new Clip(made, folder)) };
}
