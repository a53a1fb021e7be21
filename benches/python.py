"""What Python costs: the same clips by the crate's own command and by the package, in turns, in one process: python.py VIDEO [ROUNDS]

The command's code calls the crate from Rust; it is in the package, so both are of one build (for figures, `maturin develop --release`). The
package's time is that of building a pipeline with a Python scorer's answer to be converted and a listener that hears every event.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import time

import clipkit
from clipkit import _clipkit


class Chosen:
    """Answers what the heuristic does, from Python."""

    async def score(self, cx: clipkit.Context, scoring: clipkit.Scoring) -> list[clipkit.Candidate]:
        return await clipkit.Heuristic().score(cx, scoring)


def by_command(video: str, out: pathlib.Path) -> None:
    options = "--clips 2 --jobs 1 --scorer heuristic --transcriber captions --tracker motion --preset superfast --quiet --no-cache"
    if _clipkit.run_command(["clipkit", "clip", video, "--out", str(out), *options.split()]):
        sys.exit("the command failed")


def by_package(video: str, out: pathlib.Path) -> None:
    events: list[clipkit.Event] = []
    pipeline = clipkit.Pipeline(
        transcriber="captions", scorer=Chosen(), tracker="motion", publisher=clipkit.Folder(out), clips=2, jobs=1, preset="superfast"
    )
    made = pipeline.run_sync(video, on_event=events.append)
    assert made.clips and events


def main() -> None:
    video, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    wall: dict[str, list[float]] = {"command": [], "package": []}
    cpu: dict[str, list[float]] = {"command": [], "package": []}
    with tempfile.TemporaryDirectory() as folder:
        # The first one of each warms the caches of the file system and the fonts.
        for number in range(rounds + 1):
            for name, work in (("command", by_command), ("package", by_package)):
                begun = time.perf_counter(), time.process_time()
                work(video, pathlib.Path(folder, f"{name}{number}"))
                took = time.perf_counter() - begun[0], time.process_time() - begun[1]
                if number:
                    wall[name].append(took[0])
                    cpu[name].append(took[1])
                    print(f"{name}: wall {took[0]:.2f} s, processor {took[1]:.2f} s", flush=True)
    for what, times in (("wall", wall), ("processor", cpu)):
        print(f"{what}: package / command, of the fastest: {min(times['package']) / min(times['command']):.3f}")


if __name__ == "__main__":
    main()
