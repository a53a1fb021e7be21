// Makes a clip of a video from anywhere: node sources.mjs ADDRESS [FOLDER]
// The address is a path, the URL of a media file, an object (s3://bucket/talk.mp4) or a page that yt-dlp knows.

import { AutoSource, clip, ClipkitError, doctor, Retry } from "clipkit-node";

const [address, out = "clips"] = process.argv.slice(2);
if (!address) throw new Error("give an address");
for (const { name, status, cost } of (await doctor()).checks) if (status !== "present") console.log(`${name}: ${cost}`);
// Without options, this is the default.
const source = new AutoSource({ ytdlp: { height: 1080 }, http: { maxBytes: 10 * 2 ** 30 } }).layer(new Retry({ attempts: 3 }));
try {
  for (const { path } of await clip(address, { out, source, clips: 1 })) console.log(path);
} catch (error) {
  if (!(error instanceof ClipkitError)) throw error;
  console.error(error.message, error.recovery);
  process.exitCode = 1;
}
