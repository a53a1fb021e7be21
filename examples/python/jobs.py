"""Jobs that survive crashes: ``python jobs.py talk.mp4 clips``. Kill it and start it again: it goes on where it was."""

import asyncio
import sys

import clipkit


async def main(video: str, out: str) -> None:
    jobs = await clipkit.Jobs.open("jobs.db")
    # The same key again is the same job.
    id = await jobs.submit(video, publish=[{"kind": "folder", "path": out}], idempotency_key=video)
    worker = asyncio.create_task(clipkit.Worker(jobs, until_idle=True).run())
    seen = 0
    while not worker.done():
        for event in await jobs.events(id, seen):
            seen = event["number"]
            if event["event"] in ("clip", "warning", "failed", "ended"):
                print(event["event"], event.get("file") or event.get("message") or event.get("state") or event.get("task"))
        await asyncio.sleep(0.2)
    await worker
    job = await jobs.get(id)
    print(job["state"] if job else "removed")
    for clip in ((job or {}).get("manifest") or {}).get("clips", []):
        print(clip["file"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "clips"))
