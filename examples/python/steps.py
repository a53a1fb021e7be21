"""The steps of a run as jobs that exchange JSON files: steps.py VIDEO FOLDER

Each job reads documents, takes one step and writes a document, so a queue can run the jobs in
different processes and repeat one that failed. A failed publication does not render again.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import sys
from typing import Any

import clipkit

#: How often a job is tried. The last attempt may use stand-ins.
ATTEMPTS = 3


class Jobs:
    """Documents in a folder, and the jobs that write them."""

    def __init__(self, folder: pathlib.Path, out: str) -> None:
        self.folder = folder
        self.out = out

    def pipeline(self, last_attempt: bool) -> clipkit.Pipeline:
        degrade = clipkit.Degrade.all("built_in" if last_attempt else "never")
        return clipkit.Pipeline(publisher=clipkit.Folder(self.out), clips=2, preset="superfast", degrade=degrade)

    def read(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))

    def write(self, name: str, document: clipkit.Data | list[clipkit.Candidate]) -> None:
        plain = document.to_dict() if isinstance(document, clipkit.Data) else [candidate.to_dict() for candidate in document]
        (self.folder / f"{name}.json").write_text(json.dumps(plain), encoding="utf-8")

    def fetch(self, pipeline: clipkit.Pipeline, video: str) -> None:
        self.write("media", pipeline.fetch_sync(video))

    def transcribe(self, pipeline: clipkit.Pipeline) -> None:
        self.write("transcript", pipeline.transcribe_sync(self.read("media")))

    def choose(self, pipeline: clipkit.Pipeline) -> None:
        self.write("candidates", pipeline.choose_sync(self.read("media"), self.read("transcript")))

    def plan(self, pipeline: clipkit.Pipeline, rank: int) -> None:
        media, candidate = self.read("media"), self.read("candidates")[rank - 1]
        tracks = pipeline.track_sync(media, candidate["span"])
        self.write(f"plan-{rank}", pipeline.plan_sync(media, self.read("transcript"), candidate, tracks))

    def render(self, pipeline: clipkit.Pipeline, rank: int) -> None:
        # The rendered files are removed with the context, so they are moved to a folder that stays.
        cx = clipkit.Context(scratch_in=self.folder)
        post = pipeline.render_post_sync(rank, self.read(f"plan-{rank}"), context=cx.for_clip(rank))
        for name, file in post.files.to_dict().items():
            post.files[name] = shutil.move(file, self.folder / f"{rank}-{pathlib.Path(file).name}")
        self.write(f"post-{rank}", post)

    def publish(self, pipeline: clipkit.Pipeline, rank: int) -> None:
        self.write(f"receipt-{rank}", pipeline.publish_sync(self.read(f"post-{rank}")))

    def work(self, name: str, *arguments: Any) -> None:
        """Runs a job as a queue would: retries where the error says so, then a last attempt."""
        attempt = 1
        while True:
            last = attempt == ATTEMPTS
            try:
                getattr(self, name)(self.pipeline(last), *arguments)
                return
            except clipkit.ClipkitError as error:
                if last:
                    raise
                attempt = attempt + 1 if error.recovery == "retry" else ATTEMPTS


def main() -> None:
    video, out = sys.argv[1:]
    folder = pathlib.Path(f"{out}.jobs")
    folder.mkdir(parents=True, exist_ok=True)
    jobs = Jobs(folder, out)
    jobs.work("fetch", video)
    jobs.work("transcribe")
    jobs.work("choose")
    for rank in range(1, len(jobs.read("candidates")) + 1):
        for job in ("plan", "render", "publish"):
            jobs.work(job, rank)
        receipt = clipkit.Receipt.from_dict(jobs.read(f"receipt-{rank}"))
        print(receipt.id, receipt.status)


if __name__ == "__main__":
    main()
