// Jobs that survive crashes: node jobs.mjs talk.mp4 clips. Kill it and start it again: it goes on where it was.
import { Jobs, Worker } from "clipkit-node";

const [video = "talk.mp4", out = "clips"] = process.argv.slice(2);
const jobs = await Jobs.open("jobs.db");
// The same key again is the same job.
const id = await jobs.submit(video, { publish: [{ kind: "folder", path: out }], idempotencyKey: video });
await new Worker(jobs, { untilIdle: true }).run();
for (const event of await jobs.events(id)) {
  if (event.event === "warning" || event.event === "failed") console.error(event);
}
const job = await jobs.get(id);
console.log(job?.state, job?.manifest?.clips.map((clip) => clip.file) ?? []);
