// node quickstart.mjs: makes a clip of talk.mp4, which has its transcript beside it (talk.srt, talk.vtt ...).
import { clip } from "clipkit-node";

/** @type {import("clipkit-node").ScorerLike} */
const scorer = {
  async score(cx, { transcript }) {
    const start = transcript.words[0].start;
    return [{ start, end: start + 20, score: 90, title: "Opening", reason: "first words" }];
  },
};
for (const c of await clip("talk.mp4", { out: "clips", scorer }))
  console.log(c.path, c.span.start, c.span.end, c.score.total, c.title, c.warnings);
