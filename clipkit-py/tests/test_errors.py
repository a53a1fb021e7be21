"""What goes wrong, and what is told of it."""

import asyncio
import copy
import logging
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

import clipkit
from conftest import QUICK, First


class Mine(Exception):
    pass


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    missing = tmp_path / "none.mp4"
    with pytest.raises(FileNotFoundError) as caught:
        clipkit.clip(missing, tmp_path / "out", **QUICK)
    error = caught.value
    assert isinstance(error, clipkit.ClipkitError) and isinstance(error, clipkit.NotFoundError)
    assert (error.kind, error.stage, error.recovery.action, error.path) == ("not_found", "source", "give_up", missing)
    assert error.filename == str(missing) and str(missing) in str(error)
    assert not (tmp_path / "out").exists()


def test_errors_say_what_to_do(talk, tmp_path):
    (tmp_path / "no.mp4").write_text("this is no video")
    with pytest.raises(clipkit.InvalidInputError) as caught:
        clipkit.probe(tmp_path / "no.mp4")
    assert caught.value.stage == "source"
    (tmp_path / "talk.mp4").symlink_to(talk)
    with pytest.raises(clipkit.NoTranscriptError) as caught:
        clipkit.clip(tmp_path / "talk.mp4", tmp_path / "out", transcriber="captions", **QUICK)
    assert caught.value.stage == "transcribe" and caught.value.advice in str(caught.value)


def test_nothing_found_says_why(talk, tmp_path):
    with pytest.raises(clipkit.NothingFoundError, match="shorter clips") as caught:
        clipkit.clip(talk, tmp_path, **{**QUICK, "min": 100, "max": 200})
    assert caught.value.advice and caught.value.path == talk


def test_errors_can_be_copied_and_pickled():
    error = clipkit.RateLimitedError("busy", stage="score", recovery=clipkit.Recovery.retry(after=2))
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is clipkit.RateLimitedError and str(twin) == "busy"
        assert (twin.kind, twin.stage, twin.recovery) == ("rate_limited", "score", clipkit.Recovery("retry", after=2))


@pytest.mark.parametrize("asynchronous", [True, False])
def test_an_exception_comes_back_as_itself(talk, tmp_path, asynchronous):
    raised = []

    def fail():
        raised.append(Mine("no words today"))
        raise raised[-1]

    class Transcriber:
        if asynchronous:

            async def transcribe(self, cx, media):
                await asyncio.sleep(0)
                fail()

        else:

            def transcribe(self, cx, media):
                fail()

    pipeline = clipkit.Pipeline(transcriber=Transcriber(), publisher=clipkit.Folder(tmp_path), **QUICK)
    with pytest.raises(Mine) as caught:
        pipeline.run_sync(talk)
    assert caught.value is raised[-1]
    assert "in fail" in "".join(traceback.format_exception(Mine, caught.value, caught.value.__traceback__))
    with pytest.raises(Mine) as caught:
        asyncio.run(pipeline.run(talk))
    assert caught.value is raised[-1]
    # The same through layers and beside another that fails, too.
    layered = clipkit.stage(Transcriber()).layer(clipkit.Retry(2, first=0.01), clipkit.Timeout(10), clipkit.Concurrency(1))
    with pytest.raises(Mine) as caught:
        layered.transcribe_sync(None, clipkit.probe(talk))
    assert caught.value is raised[-1]


def test_the_exception_of_a_scorer_is_the_runs(talk, tmp_path, caplog):
    class Broken:
        def score(self, cx, scoring):
            self.raised = KeyError("words")
            raise self.raised

    broken = Broken()
    given = {"publisher": clipkit.Folder(tmp_path), "clips": 1, **QUICK}
    for scorer in (broken, clipkit.stage(broken).layer(clipkit.Retry(2))):
        with pytest.raises(KeyError) as caught:
            clipkit.Pipeline(scorer=scorer, **given).run_sync(talk)
        assert caught.value is broken.raised
    with pytest.raises(KeyError) as caught:
        asyncio.run(clipkit.Pipeline(scorer=broken, **given).choose(clipkit.probe(talk), clipkit.transcribe(talk)))
    assert caught.value is broken.raised
    # A stand-in is asked for. The traceback is in the log then.
    for stands_in in ({"scorer": clipkit.stage(broken).or_(clipkit.Heuristic())}, {"scorer": broken, "degrade": clipkit.Degrade.all("always")}):
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="clipkit"):
            manifest = clipkit.Pipeline(**stands_in, **given).run_sync(talk)
        assert len(manifest) == 1
        assert any("KeyError" in warning.message for warning in manifest.warnings)
        (record,) = [record for record in caplog.records if record.exc_info]
        assert record.name == "clipkit" and record.exc_info[1] is broken.raised
    assert manifest.warnings[0].kind == "stand_in"


def test_the_exception_of_a_tracker_is_the_runs(talk, tmp_path):
    class Broken:
        def track(self, cx, tracking):
            raise Mine("no faces today")

    with pytest.raises(Mine, match="no faces"):
        clipkit.Pipeline(scorer=First(), publisher=clipkit.Folder(tmp_path), **{**QUICK, "tracker": Broken()}).run_sync(talk)


def test_errors_are_documents():
    error = clipkit.RateLimitedError("busy", stage="score", advice="wait", recovery=clipkit.Recovery.retry(after=2), path="talk.mp4")
    report = error.report()
    assert isinstance(report, clipkit.ErrorReport) and report.recovery.after == 2
    assert report.to_dict() == {
        "kind": "rate_limited",
        "stage": "score",
        "message": "busy",
        "advice": "wait",
        "recovery": {"action": "retry", "after": 2},
        "path": "talk.mp4",
    }
    for document in (report, report.to_dict()):
        back = clipkit.ClipkitError.from_report(document)
        assert type(back) is clipkit.RateLimitedError and back.report() == report
        assert "talk.mp4" in str(back) and "wait" in str(back)


def test_the_log_goes_to_logging(talk, caplog):
    def level(level):
        caplog.clear()
        with caplog.at_level(level, logger="clipkit"):
            clipkit.Pipeline(**QUICK).plan_all_sync(talk)
        return [(record.name, record.levelname) for record in caplog.records]

    class Warns:
        def track(self, cx, tracking):
            cx.warn("nobody looked")
            return {"shots": [], "faces": []}

    assert level(logging.CRITICAL) == []
    caplog.clear()
    clipkit.Pipeline(**{**QUICK, "tracker": Warns(), "clips": 1}).plan_all_sync(talk)
    assert [(r.name, r.levelname) for r in caplog.records] == [("clipkit", "WARNING")] and "nobody looked" in caplog.text


def test_a_listener_that_raises_ends_the_run(talk, tmp_path):
    def listener(event):
        if event.event == "planned":
            raise Mine("enough")

    pipeline = clipkit.Pipeline(publisher=clipkit.Folder(tmp_path / "out"), **QUICK)
    with pytest.raises(Mine):
        pipeline.run_sync(talk, on_event=listener)
    with pytest.raises(Mine):
        asyncio.run(pipeline.run(talk, on_event=listener))
    assert not (tmp_path / "out").exists()


def leftovers(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def slow(long_talk, out):
    """A run whose encode takes many seconds."""
    return clipkit.Pipeline(
        scorer=First(50.0), publisher=clipkit.Folder(out), tracker="center", captions="none", min=5, max=60, preset="medium"
    )


def test_cancelling_the_task_stops_the_encode_within_a_second(long_talk, tmp_path):
    async def main():
        encoding = asyncio.Event()

        def listen(event):
            if event.event == "progress" and event.stage == "render":
                encoding.set()

        task = asyncio.create_task(slow(long_talk, tmp_path / "out").run(long_talk, on_event=listen))
        await encoding.wait()
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - begun

    took = asyncio.run(main())
    # The machine is shared: a little more than the second that it has.
    assert took < 1.5 and leftovers(tmp_path / "out") == []


def test_leaving_the_events_stops_the_run(long_talk, tmp_path):
    async def main():
        seen = []
        events = slow(long_talk, tmp_path / "out").events(long_talk)
        async for event in events:
            seen.append(event.event)
            if event.event == "progress" and event.stage == "render":
                break
        begun = time.monotonic()
        await events.aclose()
        return seen, time.monotonic() - begun

    seen, took = asyncio.run(main())
    assert "planned" in seen and took < 1.5 and leftovers(tmp_path / "out") == []


def test_a_context_cancels_from_another_thread(long_talk, tmp_path):
    cx = clipkit.Context()
    threading.Timer(1.0, cx.cancel).start()
    with pytest.raises(clipkit.Cancelled):
        slow(long_talk, tmp_path / "out").run_sync(long_talk, context=cx)
    assert leftovers(tmp_path / "out") == []


def test_a_context_limits_inputs(talk):
    cx = clipkit.Context(limits={"like": "strict", "media_streams": 1})
    with pytest.raises(clipkit.TooLargeError, match="media_streams") as caught:
        clipkit.Pipeline(scorer=First(), **QUICK).plan_all_sync(talk, context=cx)
    assert caught.value.kind == "too_large"
    with pytest.raises(clipkit.ConfigError):
        clipkit.Context(limits="loose")
    clipkit.Pipeline(scorer=First(), **QUICK).plan_all_sync(talk, context=clipkit.Context(limits="strict"))


def test_a_context_hears_for_itself(talk):
    heard = []
    cx = clipkit.Context(heard.append)
    pipeline = clipkit.Pipeline(scorer=First(), **QUICK)
    pipeline.plan_all_sync(talk, context=cx)
    assert isinstance(heard[0], clipkit.StartedEvent) and cx.warnings() == []
    with pytest.raises(clipkit.ConfigError, match="on_event"):
        pipeline.plan_all_sync(talk, context=cx, on_event=print)


def test_ctrl_c_stops_the_encode_within_a_second(long_talk, tmp_path):
    program = f"""
        import signal, sys, time, clipkit
        # Where the tests run in the background, Ctrl-C is ignored from the start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_errors import slow
        from pathlib import Path

        def listen(event):
            if event.event == "progress" and event.stage == "render":
                print("encoding", flush=True)

        try:
            slow(Path({str(long_talk)!r}), Path({str(tmp_path / "out")!r})).run_sync({str(long_talk)!r}, on_event=listen)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "encoding\n"
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert out.splitlines()[-1] == "interrupted" and process.returncode == 0
    assert time.monotonic() - begun < 2 and leftovers(tmp_path / "out") == []


def test_the_end_of_the_process_leaves_nothing_half_made(long_talk, tmp_path):
    program = f"""
        import sys, threading, clipkit
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_errors import slow
        from pathlib import Path
        encoding = threading.Event()

        def listen(event):
            if event.event == "progress" and event.stage == "render":
                encoding.set()

        run = lambda: slow(Path({str(long_talk)!r}), Path({str(tmp_path / "out")!r})).run_sync({str(long_talk)!r}, on_event=listen)
        threading.Thread(target=run, daemon=True).start()
        encoding.wait()
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert leftovers(tmp_path / "out") == []


@pytest.mark.skipif("CLIPKIT_MODELS" not in os.environ, reason="needs CLIPKIT_MODELS")
def test_a_process_may_end_while_a_model_is_opened(talk, tmp_path):
    program = f"""
        import clipkit
        try:
            clipkit.clip({str(talk)!r}, out={str(tmp_path / "out")!r}, tracker="center", min=50, max=60)
        except clipkit.NothingFoundError:
            print("nothing")
    """
    for _ in range(8):
        ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stdout, "onnxruntime" in ended.stderr) == (0, "nothing\n", False), ended


def test_a_thread_pool_shares_one_pipeline(talk, tmp_path):
    pipeline = clipkit.Pipeline(scorer=First(), **QUICK)
    with ThreadPoolExecutor(4) as pool:
        planned = list(pool.map(lambda _: pipeline.plan_all_sync(talk), range(8)))
    assert len({plan.plans[0].plan.span.end for plan in planned}) == 1


def plan_in_a_process(video):
    return clipkit.Pipeline(scorer=First(), **QUICK).plan_all_sync(video).plans[0].plan.title


def test_spawned_processes_work(talk):
    clipkit.probe(talk)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(plan_in_a_process, [str(talk)] * 2) == ["Opening"] * 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_after_use_is_refused_in_words(talk):
    program = """
        import os, sys, clipkit
        if sys.argv[2] == "before":
            clipkit.probe(sys.argv[1])
        child = os.fork()
        if child == 0:
            try:
                clipkit.probe(sys.argv[1])
                print("works", flush=True)
            except clipkit.ConfigError as error:
                print(error, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(clipkit.probe(sys.argv[1]).duration, flush=True)
    """

    def run(when):
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), str(talk), when]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.splitlines()

    assert "spawn" in run("before")[0]
    # Nothing was started yet, so a fork has all that it needs.
    assert run("after")[0] == "works"


def test_progress_is_told_as_asked(talk, tmp_path, capfd, first):
    told = []
    pipeline = clipkit.Pipeline(scorer=first, publisher=clipkit.Folder(tmp_path), **QUICK)
    pipeline.run_sync(talk, progress=lambda done, doing: told.append((done, doing)))
    parts = [done for done, _ in told]
    assert parts == sorted(parts) and parts[-1] == pytest.approx(1) and any("render clip 1 of 1" in doing for _, doing in told)
    pipeline.run_sync(talk, progress=True)
    assert capfd.readouterr().err


def test_events_end_with_the_manifest(talk, tmp_path, first):
    async def main():
        pipeline = clipkit.Pipeline(scorer=first, publisher=clipkit.Folder(tmp_path), **QUICK)
        return [event async for event in pipeline.events(talk)]

    events = asyncio.run(main())
    names = [event.event for event in events]
    assert names[0] == "started" and names[-1] == "manifest" and isinstance(events[-1], clipkit.Manifest)
    (made,) = [event for event in events if isinstance(event, clipkit.ClipEvent)]
    assert made.title == "Opening" and made.file == events[-1].clips[0].file
