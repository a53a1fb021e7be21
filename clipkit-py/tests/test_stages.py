"""Stages: built in and alone, objects of the user's, layers around either."""

import asyncio
import contextvars
import os
import pathlib
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import clipkit
from conftest import QUICK, First, draw


def scoring(talk):
    return clipkit.Scoring(clipkit.Captions().transcribe_sync(None, clipkit.probe(talk)))


def test_every_stage_can_be_used_alone(talk, tmp_path):
    async def all_of_them():
        cx = clipkit.Context()
        media = await clipkit.FileSource().fetch(cx, talk)
        transcript = await clipkit.Captions().transcribe(cx, media)
        candidates = await clipkit.Heuristic().score(cx, clipkit.Scoring(transcript, media, clipkit.ScoreOptions(min=5, max=20)))
        tracks = await clipkit.MotionTracker().track(cx, clipkit.Tracking(media, candidates[0].span))
        planned = await clipkit.Pipeline(publisher=clipkit.Folder(tmp_path), clips=1, **QUICK).plan_all(talk)
        plan = planned.plans[0].plan
        clip = await clipkit.FfmpegRenderer().render(cx, plan)
        receipt = await clipkit.Folder(tmp_path).publish(cx, clipkit.Post("c1", plan.title, clipkit.PostFiles(clip.video)))
        return media, transcript, candidates, tracks, receipt

    media, transcript, candidates, tracks, receipt = asyncio.run(all_of_them())
    assert (media.video.width, media.video.height) == (320, 180) and media.duration == pytest.approx(36, abs=0.1)
    assert transcript.words[0].text == "Why" and candidates[0].score.total > 0
    assert isinstance(candidates[0], clipkit.Candidate) and isinstance(tracks.shots[0].span, clipkit.Span)
    assert (tmp_path / receipt.files.video).is_file()


def test_every_stage_has_a_synchronous_twin(talk, tmp_path):
    cx = clipkit.Context(scratch_in=tmp_path)
    media = clipkit.FileSource().fetch_sync(cx, talk)
    transcript = clipkit.Captions(talk.with_name("talk.words.json")).transcribe_sync(cx, media)
    assert clipkit.Heuristic().score_sync(cx, {"transcript": transcript, "options": {"min": 5, "max": 20, "max_clips": 1}})
    assert clipkit.CenterTracker().track_sync(cx, clipkit.Tracking(media, clipkit.Span(0, 5))).faces == []
    plan = clipkit.Pipeline(clips=1, **QUICK).plan_all_sync(talk).plans[0].plan
    clip = clipkit.FfmpegRenderer(threads=1).render_sync(cx, plan)
    assert clip.video.startswith(str(tmp_path))
    post = {"clip": "c1", "title": plan.title, "files": {"video": clip.video, "cover": clip.cover}}
    receipt = clipkit.Folder(tmp_path / "out").publish_sync(cx, post)
    assert receipt.target == "folder" and receipt.files.video.endswith(".mp4") and receipt.files.cover.endswith(".jpg")


def test_stages_can_be_asked_by_name(talk):
    assert clipkit.transcribe(talk, "captions").words[0].text == "Why"
    assert clipkit.track(talk, {"start": 0, "end": 2}, "center").shots == []
    assert clipkit.score(clipkit.transcribe(talk), "heuristic", min=5, max=20, max_clips=2)

    async def in_a_loop():
        # A synchronous twin works inside a running loop too, as in a notebook.
        return clipkit.transcribe(talk), await clipkit.transcribe_async(talk), await clipkit.track_async(talk, tracker="motion")

    twin, words, tracks = asyncio.run(in_a_loop())
    assert twin == words and tracks.shots


def test_a_synchronous_method_is_a_stage_too(talk, tmp_path):
    seen = {}

    class Slow:
        def score(self, cx, scoring):
            seen.update(thread=threading.current_thread(), stage=cx.stage, scratch=cx.scratch, media=scoring.media.path)
            cx.progress(0.5)
            cx.warn("only the beginning was looked at")
            # A plain dict is as good as an object.
            return [{"start": 1.0, "end": 8.0, "score": 50, "title": "Plain"}]

    events = []
    manifest = clipkit.Pipeline(scorer=Slow(), publisher=clipkit.Folder(tmp_path), **QUICK).run_sync(talk, on_event=events.append)
    assert manifest.clips[0].title == "Plain" and seen["stage"] == "score" and seen["media"] == str(talk)
    assert seen["thread"] is not threading.main_thread()
    assert [warning.message for warning in manifest.warnings] == ["only the beginning was looked at"]
    assert any(event.event == "progress" and event.stage == "score" and event.fraction == 0.5 for event in events)


def test_an_asynchronous_stage_runs_in_the_callers_loop(talk, tmp_path):
    request = contextvars.ContextVar("request")
    seen = []

    class Here:
        async def score(self, cx, scoring):
            await asyncio.sleep(0)
            seen.append((asyncio.get_running_loop(), request.get()))
            # Another stage, asked under the same context.
            return await clipkit.Heuristic().score(cx, scoring)

        def track(self, cx, tracking):
            seen.append((None, request.get()))
            return {"shots": [], "faces": []}

    async def main():
        request.set("r1")
        here = Here()
        options = {**QUICK, "tracker": here}
        await clipkit.Pipeline(scorer=here, publisher=clipkit.Folder(tmp_path), clips=1, **options).plan_all(talk)
        return asyncio.get_running_loop()

    loop = asyncio.run(main())
    assert seen == [(loop, "r1"), (None, "r1")]


def test_all_six_stages_can_be_python(talk, tmp_path):
    calls = []

    class Everything:
        size = (160, 284)
        staging = tmp_path

        async def fetch(self, cx, uri):
            calls.append("fetch")
            assert uri == "talk://1"
            return await clipkit.FileSource().fetch(cx, talk)

        def transcribe(self, cx, media):
            calls.append("transcribe")
            return clipkit.Transcript([clipkit.Word(f"w{n}.", n, n + 0.5) for n in range(30)], language="en", origin="made up")

        async def score(self, cx, scoring):
            calls.append("score")
            return [clipkit.Candidate(clipkit.Span(1, 8), score=clipkit.Score(80, hook=7), title="One", hook_line="Look")]

        def track(self, cx, tracking):
            calls.append("track")
            face = clipkit.FaceTrack(1, [clipkit.FaceSample(tracking.span.start, clipkit.Rect(0.6, 0.2, 0.1, 0.2), 0.9, 0.0)])
            return clipkit.Tracks([clipkit.Shot(tracking.span)], [face])

        async def render(self, cx, plan):
            calls.append("render")
            assert (plan.output.width, plan.output.height) == self.size
            return await clipkit.FfmpegRenderer().render(cx, plan)

        def publish(self, cx, post):
            calls.append("publish")
            return clipkit.Receipt("example", str(post.rank), url=f"https://example.org/{post.rank}")

        def conclude(self, cx, manifest):
            calls.append("conclude")
            assert manifest.clips[0].hook_line == "Look"

    it = Everything()
    pipeline = clipkit.Pipeline(source=it, transcriber=it, scorer=it, tracker=it, renderer=it, publisher=it, captions="none", min=5, preset="ultrafast")
    (clip,) = pipeline.run_sync("talk://1").clips
    assert calls == ["fetch", "transcribe", "score", "track", "render", "publish", "conclude"]
    assert clip.path == "https://example.org/1" and clip.score.hook == 7


def test_what_is_no_stage_is_refused():
    with pytest.raises(clipkit.ConfigError, match="has none"):
        clipkit.Pipeline(scorer=object())
    with pytest.raises(clipkit.ConfigError, match="'score' is needed here"):
        clipkit.Pipeline(scorer=clipkit.CenterTracker())
    with pytest.raises(clipkit.ConfigError, match="no stage"):
        clipkit.stage(3)


def test_an_answer_outside_the_contract_is_said(talk):
    class Wrong:
        def score(self, cx, scoring):
            return [{"start": 1}]

    with pytest.raises(clipkit.ContractError, match="not a list of Candidates"):
        clipkit.stage(Wrong()).score_sync(None, scoring(talk))


class Flaky:
    """Fails so often, then answers."""

    fingerprint = "flaky 1"

    def __init__(self, failures, error=ConnectionError):
        self.calls, self.failures, self.error = 0, failures, error
        self.at_once = self.most = 0

    async def score(self, cx, scoring):
        self.calls += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        if self.calls <= self.failures:
            raise self.error("busy")
        return [clipkit.Candidate(1, 9, score=10)]


def test_retry_counts_attempts(talk):
    asked = scoring(talk)
    flaky = Flaky(2)
    assert clipkit.stage(flaky).layer(clipkit.Retry(3, first=0.01)).score_sync(None, asked)[0].span.start == 1
    assert flaky.calls == 3
    flaky = Flaky(5)
    with pytest.raises(ConnectionError, match="busy"):
        clipkit.stage(flaky).layer(clipkit.Retry.times(2), {"retry": {"attempts": 1}}).layer(clipkit.Retry(1)).score_sync(None, asked)
    # Other exceptions are not retried, unless their recovery says so.
    flaky = Flaky(5, ValueError)
    with pytest.raises(ValueError):
        clipkit.stage(flaky).layer(clipkit.Retry(3, first=0.01)).score_sync(None, asked)
    assert flaky.calls == 1
    flaky = Flaky(1, lambda message: clipkit.RateLimitedError(message, recovery=clipkit.Recovery.retry(after=0.01)))
    assert clipkit.stage(flaky).layer(clipkit.Retry(3)).score_sync(None, asked) and flaky.calls == 2


def test_a_cache_asks_once(talk, tmp_path):
    asked, flaky = scoring(talk), Flaky(0)
    asked.media = clipkit.probe(talk)
    cached = clipkit.stage(flaky).layer(clipkit.Cache(store=str(tmp_path)))
    first, second = cached.score_sync(None, asked), cached.score_sync(None, asked)
    assert first == second and flaky.calls == 1

    class Nameless:
        def score(self, cx, scoring):
            return []

    with pytest.raises(clipkit.ConfigError, match="fingerprint"):
        clipkit.stage(Nameless()).layer(clipkit.Cache(store=str(tmp_path)))


def test_concurrency_timeout_and_rate(talk):
    asked, flaky = scoring(talk), Flaky(0)
    one = clipkit.stage(flaky).layer(clipkit.Concurrency(1))

    async def at_once(stage, times):
        return await asyncio.gather(*(stage.score(None, asked) for _ in range(times)), return_exceptions=True)

    asyncio.run(at_once(one, 4))
    assert (flaky.calls, flaky.most) == (4, 1)

    class Hangs:
        cancelled = 0

        async def score(self, cx, scoring):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

    hangs, begun = Hangs(), time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        clipkit.stage(hangs).layer(clipkit.Timeout(0.2)).score_sync(None, asked)
    assert caught.value.kind == "timed_out" and hangs.cancelled == 1 and time.monotonic() - begun < 5
    limited = clipkit.stage(Flaky(0)).layer(clipkit.RateLimit(per_minute=1), clipkit.Timeout(0.3))
    answers = asyncio.run(at_once(limited, 2))
    assert sorted(type(answer).__name__ for answer in answers) == ["TimedOutError", "list"]


def test_another_takes_over(talk):
    asked = scoring(talk)
    asked.options = clipkit.ScoreOptions(min=5, max=20)
    cx = clipkit.Context()
    answer = (clipkit.stage(Flaky(9)) | clipkit.Heuristic()).score_sync(cx, asked)
    assert answer and "busy" in cx.warnings()[0].message
    assert clipkit.OpenAiScorer(server={"base_url": "http://127.0.0.1:9/v1", "layers": []}, api_key="k").or_(First()).score_sync(None, asked)
    with pytest.raises(clipkit.ConfigError):
        clipkit.Heuristic().or_(clipkit.CenterTracker())


def test_frames_are_numpy_arrays_without_a_copy(tmp_path):
    numpy = pytest.importorskip("numpy")
    draw(
        "-f lavfi -i color=red:s=320x180:r=25:d=2 -f lavfi -i color=blue:s=320x180:r=25:d=2 "
        "-filter_complex [0][1]concat=n=2,format=yuv420p -c:v libx264 -preset ultrafast {out}",
        tmp_path / "cut.mp4",
    )
    frames = list(clipkit.frames(tmp_path / "cut.mp4", {"start": 1, "end": 3}, per_second=5, longest=160))
    assert len(frames) == 10 and frames[0].at == pytest.approx(1)
    red, blue = (clipkit.to_numpy(frame) for frame in (frames[0], frames[-1]))
    assert red.shape == (90, 160, 3) and red.dtype == numpy.uint8 and not red.flags.writeable
    assert red[:, :, 0].min() > 200 and blue[:, :, 2].min() > 200 and red[:, :, 2].max() < 60
    assert not red.flags.owndata and red.base is frames[0]
    crop = numpy.asarray(frames[0].crop({"x": 0.5, "y": 0.5, "width": 0.25, "height": 0.5}))
    assert crop.shape == (45, 40, 3) and numpy.shares_memory(crop, red)
    assert crop.ctypes.data == red[45:, 80:].ctypes.data
    del frames
    # The memory stays while somebody looks at it.
    assert red[:, :, 0].min() > 200


def test_models_and_styles(tmp_path):
    store = clipkit.ModelStore(tmp_path)
    assert {model.id for model in store.all()} >= {store.DEFAULT_FACE_DETECTOR, "silero-vad"}
    with pytest.raises(clipkit.ClipkitError):
        store.resolve_sync(str(tmp_path / "none.onnx"))
    style = clipkit.caption_style("pop")
    style.max_words = 2
    assert clipkit.caption_style(style).to_dict() == style.to_dict()
    assert clipkit.caption_style({"like": "box", "highlight": "#ff0000"}).highlight == "#ff0000"
    with pytest.raises(clipkit.ConfigError, match="comic"):
        clipkit.caption_style("comic")


def test_the_onnx_runtime_is_the_one_of_the_package(tmp_path):
    program = """
        import sys, pathlib, clipkit
        assert "onnxruntime" not in sys.modules
        pathlib.Path("no.onnx").write_bytes(b"this is no model")
        try:
            clipkit.OnnxTracker("no.onnx")
        except clipkit.InvalidInputError as error:
            print(error)
        loaded = {line.split()[-1] for line in open("/proc/self/maps") if "libonnxruntime" in line}
        assert "onnxruntime" not in sys.modules
        import onnxruntime
        assert all(str(pathlib.Path(onnxruntime.__file__).resolve().parent / "capi") in library for library in loaded), loaded
        print(len(loaded))
    """
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DYLIB_PATH"}
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "not a usable ONNX model" in run.stdout and run.stdout.split()[-1] == "1"


@pytest.mark.skipif("CLIPKIT_TESTDATA" not in os.environ, reason="needs CLIPKIT_TESTDATA")
def test_faces_are_found_by_a_real_model():
    model = clipkit.ModelStore().resolve_sync(clipkit.ModelStore.DEFAULT_FACE_DETECTOR)
    video = pathlib.Path(os.environ["CLIPKIT_TESTDATA"]) / "media" / "androidx" / "mp4_sample.mp4"
    tracks = clipkit.track(video, tracker=clipkit.OnnxTracker(model, samples_per_second=10))
    assert len(tracks.faces) == 1 and tracks.faces[0].samples[0].confidence > 0.7
    assert clipkit.track(video, tracker={"kind": "onnx", "model": str(model)}).faces


def test_what_a_stage_awaits_is_cancelled_with_the_run(talk):
    cancelled = []

    class Hangs:
        async def score(self, cx, scoring):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(cx.cancelled)
                raise

    async def main():
        task = asyncio.create_task(clipkit.Pipeline(scorer=Hangs(), **QUICK).plan_all(talk))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    begun = time.monotonic()
    asyncio.run(main())
    assert cancelled == [True] and time.monotonic() - begun < 5
