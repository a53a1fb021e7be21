// Makes clips and publishes them: node publish.mjs VIDEO [FOLDER]
// Set S3_URL (s3://bucket/prefix), WEBHOOK_URL, YOUTUBE_ACCOUNT, TIKTOK_ACCOUNT or INSTAGRAM_ACCOUNT for more than the folder.
// Credentials come from the environment or `clipkit login`.

import { Folder, Instagram, ObjectStorePublisher, Pipeline, TikTok, Webhook, YouTube } from "clipkit-node";

const [video, out = "clips"] = process.argv.slice(2);
if (!video) throw new Error("give a video");
const { S3_URL, WEBHOOK_URL, YOUTUBE_ACCOUNT, TIKTOK_ACCOUNT, INSTAGRAM_ACCOUNT } = process.env;
/** @type {(Folder | ObjectStorePublisher | Webhook | YouTube | TikTok | Instagram)[]} */
const publisher = [new Folder(out)];
if (S3_URL) publisher.push(new ObjectStorePublisher({ url: S3_URL, cacheControl: "public, max-age=86400", link: 24 * 3600 }));
if (WEBHOOK_URL) publisher.push(new Webhook({ url: WEBHOOK_URL }));
if (YOUTUBE_ACCOUNT) publisher.push(new YouTube({ account: YOUTUBE_ACCOUNT, schedule: { zone: "Europe/Berlin" } }));
// What an app without audit can do.
if (TIKTOK_ACCOUNT) publisher.push(new TikTok({ account: TIKTOK_ACCOUNT, inbox: true }));
if (INSTAGRAM_ACCOUNT) publisher.push(new Instagram({ account: INSTAGRAM_ACCOUNT }));
const { clips } = await new Pipeline({ publisher, clips: 1 }).run(video);
for (const { receipts = [], unpublished = [] } of clips) {
  for (const { target, status, url, id } of receipts) console.log(target, status, url ?? id);
  for (const { target, error } of unpublished) console.error(target, error.message);
}
