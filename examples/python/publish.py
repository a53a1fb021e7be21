"""Makes clips and publishes them: publish.py VIDEO FOLDER

Set S3_URL (s3://bucket/prefix), WEBHOOK_URL, YOUTUBE_ACCOUNT, TIKTOK_ACCOUNT or INSTAGRAM_ACCOUNT for more
than the folder. Credentials come from the environment or `clipkit login`.
"""

from __future__ import annotations

import os
import sys

import clipkit


def main(video: str, out: str) -> None:
    publishers: list[object] = [clipkit.Folder(out)]
    if url := os.environ.get("S3_URL"):
        publishers.append(clipkit.ObjectStorePublisher(url=url, cache_control="public, max-age=86400", link=24 * 3600))
    if url := os.environ.get("WEBHOOK_URL"):
        publishers.append(clipkit.Webhook(url=url))
    if account := os.environ.get("YOUTUBE_ACCOUNT"):
        publishers.append(clipkit.YouTube(account=account, schedule={"zone": "Europe/Berlin"}))
    if account := os.environ.get("TIKTOK_ACCOUNT"):
        publishers.append(clipkit.TikTok(account=account, inbox=True))  # What an app without audit can do.
    if account := os.environ.get("INSTAGRAM_ACCOUNT"):
        publishers.append(clipkit.Instagram(account=account))
    for clip in clipkit.Pipeline(publisher=publishers, clips=1).run_sync(video).clips:
        for receipt in clip.receipts:
            print(receipt.target, receipt.status, receipt.url or receipt.id)
        for refused in clip.unpublished or []:
            print(refused.target, refused.error.message, file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
