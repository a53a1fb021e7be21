"""Shows the events and the progress of a run, and stops it after a deadline: progress.py VIDEO
FOLDER
"""

from __future__ import annotations

import asyncio
import logging
import sys

import clipkit


async def main(video: str, out: str) -> None:
    logging.basicConfig(level=logging.INFO)
    pipeline = clipkit.Pipeline(renderer=clipkit.FfmpegRenderer.vertical(540, 960), publisher=clipkit.Folder(out), clips=2)
    async for event in pipeline.events(video):
        if isinstance(event, clipkit.ProgressEvent):
            print(f"{event.stage} {event.clip or ''}: {event.fraction:.0%}")
        elif isinstance(event, clipkit.WaitingEvent):
            print(f"{event.stage} waits {event.seconds:.0f} s: {event.reason}")
        elif isinstance(event, clipkit.ClipEvent):
            print(f"made {event.file}")
        elif isinstance(event, clipkit.Manifest):
            print(f"{len(event)} clips in {event.timings.total:.0f} s")
    # The same with a progress bar and a deadline: cancelling stops the encode within a second.
    try:
        await asyncio.wait_for(pipeline.run(video, progress=True), timeout=600)
    except asyncio.TimeoutError:
        print("it took too long")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
