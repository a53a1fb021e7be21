"""What Python costs: the same clips by the command and by the package, in turns: python.py VIDEO [ROUNDS]

Both are of the same build: `cargo build --profile P -p clipkit --features cli` and `maturin develop --profile P`. The command's time is the run's
own (`clips.json`), the package's is measured around `run_sync`, pipeline and all, with a listener that hears every event.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import clipkit


def by_command(binary: str, video: str, out: pathlib.Path) -> float:
    options = ["--clips", "2", "--jobs", "1", "--scorer", "heuristic", "--tracker", "motion", "--preset", "superfast", "--quiet", "--no-cache"]
    subprocess.run([binary, "clip", video, "--out", str(out), *options], check=True)
    return float(json.loads((out / "clips.json").read_text())["timings"]["total"])


def by_package(video: str, out: pathlib.Path) -> float:
    events: list[clipkit.Event] = []
    begun = time.perf_counter()
    pipeline = clipkit.Pipeline(
        scorer="heuristic", tracker="motion", publisher=clipkit.Folder(out), clips=2, jobs=1, preset="superfast", config={"layers": {}}
    )
    made = pipeline.run_sync(video, on_event=events.append)
    took = time.perf_counter() - begun
    assert made.clips and events
    return took


def main() -> None:
    video, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    binary = os.environ.get("CLIPKIT", "target/release/clipkit")
    command, package = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            command.append(by_command(binary, video, pathlib.Path(folder, f"c{number}")))
            package.append(by_package(video, pathlib.Path(folder, f"p{number}")))
            print(f"command {command[-1]:.2f} s, package {package[-1]:.2f} s", flush=True)
    ratios = [b / a for a, b in zip(command, package)]
    print(f"package / command: median {statistics.median(ratios):.3f}, of the fastest {min(package) / min(command):.3f}")


if __name__ == "__main__":
    main()
