"""Makes a clip of a video from anywhere: sources.py ADDRESS FOLDER

The address is a path, the URL of a media file, an object (s3://bucket/talk.mp4) or a page that
yt-dlp knows.
"""

from __future__ import annotations

import sys

import clipkit


def main(address: str, out: str) -> None:
    for check in clipkit.doctor().checks:
        if check.status != "present":
            print(f"{check.name}: {check.cost}")
    # Without options, this is the default.
    source = clipkit.AutoSource(ytdlp={"height": 1080})
    try:
        for clip in clipkit.clip(address, out=out, source=source.layer(clipkit.Retry(attempts=3)), clips=1):
            print(clip.path)
    except clipkit.DeniedError as error:
        print(error, error.recovery)


if __name__ == "__main__":
    main(*sys.argv[1:])
