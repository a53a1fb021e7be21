"""A thousand small runs leave nothing behind: no memory, no threads, no open files."""

import asyncio
import gc
import os
import pathlib
import sys
import threading

import pytest

import clipkit
from conftest import QUICK, First

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it looks into /proc")


def resident():
    """Memory that is ours alone, in MiB."""
    return int(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1]) / 1024


def handles():
    return len(os.listdir("/proc/self/fd"))


def threads():
    return len(os.listdir("/proc/self/task"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, desk):
    """Two seconds of picture without sound, and a few words: a run of it takes little."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "mute.mp4").symlink_to(desk / "mute.mp4")
    (folder / "mute.words.json").write_text('[["One", 0.1, 0.4], ["two.", 0.5, 0.9], ["Three", 1.0, 1.3], ["four.", 1.4, 1.9]]')
    return folder / "mute.mp4"


def test_a_thousand_runs_leak_nothing(tiny):
    quick = {**QUICK, "min": 0.5, "max": 2}
    pipeline = clipkit.Pipeline(scorer=First(1.5), **quick)

    class Fails:
        def transcribe(self, cx, media):
            raise RuntimeError("no words")

    failing = clipkit.Pipeline(transcriber=Fails(), **quick)
    heard = []

    async def some():
        for _ in range(10):
            await pipeline.plan_all(tiny, on_event=heard.append)
            heard.clear()
            with pytest.raises(RuntimeError):
                await failing.plan_all(tiny)

    def round_of_fifty():
        asyncio.run(some())
        for _ in range(20):
            pipeline.plan_all_sync(tiny)
        for _ in range(10):
            clipkit.Pipeline(scorer=First(1.5), **quick).plan_all_sync(tiny)
        gc.collect()

    # The first ones fill caches and start threads that stay.
    for _ in range(4):
        round_of_fifty()
    before = resident(), handles(), threads()
    for _ in range(20):
        round_of_fifty()
    after = resident(), handles(), threads()
    assert after[0] - before[0] < 8, f"{before[0]:.1f} MiB became {after[0]:.1f}"
    assert after[1] <= before[1] and after[2] <= before[2] + 4, (before, after)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("clipkit")] == []


def test_clips_leave_nothing_behind(tiny, tmp_path):
    pipeline = clipkit.Pipeline(
        scorer=First(1.5), renderer=clipkit.FfmpegRenderer((64, 64)), publisher=clipkit.Folder(tmp_path / "out"), **{**QUICK, "min": 0.5}
    )

    def some(count):
        for _ in range(count):
            pipeline.run_sync(tiny)
        gc.collect()

    some(10)
    before, open_before = resident(), handles()
    some(40)
    assert resident() - before < 16 and handles() <= open_before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["01-opening.jpg", "01-opening.mp4", "01-opening.plan.json", "clips.json"]
    assert not [path for path in pathlib.Path(tmp_path).iterdir() if path.name != "out"]
