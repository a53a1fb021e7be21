"""The quick start, and what comes out of it."""

import asyncio
import gc
import json
import pathlib
import subprocess
import sys

import pytest

import clipkit
from conftest import QUICK


def test_a_clip_says_where_its_files_are(talk, tmp_path, first):
    clips = clipkit.clip(talk, out=tmp_path / "out", scorer=first, **QUICK)
    (clip,) = clips
    assert clip.path == tmp_path / "out" / "01-opening.mp4" and clip.path.is_file()
    assert clip.plan_path.is_file() and clip.cover_path.is_file()
    assert clip.reason == "first words" and clip.span.duration == pytest.approx(6, abs=0.8)
    manifest = json.loads((tmp_path / "out" / "clips.json").read_text())
    assert clipkit.ManifestClip.from_dict(manifest["clips"][0]) == clip
    assert clipkit.ManifestClip.from_dict(clip.to_dict()) == clip
    assert clip.read_plan().title == "Opening"


def test_paths_may_be_paths_or_text(talk, tmp_path, first):
    for video, out in ((str(talk), str(tmp_path / "a")), (talk, pathlib.PurePath(tmp_path / "b"))):
        assert clipkit.clip(video, out, transcript=talk.with_name("talk.words.json"), scorer=first, **QUICK)


def test_every_option_is_known(talk, tmp_path):
    options = clipkit.ClipOptions()
    assert (options.clips, options.crf, options.preset) == (10, 20, "veryfast")
    # Each by its name, as it stands in a configuration.
    clipkit.Pipeline(publisher=clipkit.Folder(tmp_path), **options.to_dict())
    with pytest.raises(clipkit.ConfigError, match="crf is 60"):
        clipkit.Pipeline(crf=60)
    with pytest.raises(clipkit.ConfigError, match="clipz"):
        clipkit.Pipeline(clipz=3)
    with pytest.raises(ValueError):
        clipkit.Pipeline(min=50, max=10)


def test_a_configuration_describes_what_is_not_given(talk, tmp_path, first):
    config = {"tracker": {"kind": "center"}, "publishers": [{"kind": "folder", "path": str(tmp_path)}], "options": {"captions": None, "min": 5}}
    for given in (config, json.dumps(config), clipkit.PipelineConfig.from_dict(config)):
        manifest = clipkit.Pipeline(config=given, scorer=first, preset="ultrafast").run_sync(talk)
        assert [clip.path for clip in manifest] == [tmp_path / "01-opening.mp4"]
        assert manifest.clips[0].read_plan().captions is None
    with pytest.raises(clipkit.ConfigError, match="oracle"):
        clipkit.Pipeline(scorer="oracle")


def test_plans_are_changed_and_rendered_again(talk, tmp_path, first):
    pipeline = clipkit.Pipeline(scorer=first, publisher=clipkit.Folder(tmp_path), **QUICK)
    planned = pipeline.plan_all_sync(talk)
    (ranked,) = planned.plans
    assert not list(tmp_path.iterdir())
    # By operations, which leave the plan itself as it is.
    start = ranked.plan.span.start
    words = [{"text": f"word{n}", "start": start + n, "end": start + n + 0.5} for n in (1, 2, 3)]
    plain = {**ranked.plan.to_dict(), "captions": None}
    edited = clipkit.edit(plain, [{"op": "delete_words", "words": {"quote": "word2"}}], transcript={"words": words})
    after = edited.changes.after
    assert (after.words, after.joins, len(edited.plan.to_dict()["pieces"])) == (2, 1, 2)
    assert "pieces" not in plain and isinstance(edited.plan, clipkit.ClipPlan)
    with pytest.raises(clipkit.InvalidInputError, match="explode"):
        clipkit.edit(ranked.plan, [{"op": "explode"}])
    # As objects.
    ranked.plan.title = "Another name"
    ranked.plan.output.crf = 33
    ranked.plan.scenes[0].layout = clipkit.FitLayout(clipkit.Pane(clipkit.Crop(1.0, 1.0, [clipkit.CropKey(0, 0, 0)]), clipkit.Rect(0, 0.3, 1, 0.3)))
    (clip,) = pipeline.render_all_sync(planned).clips
    assert clip.path.name == "01-another-name.mp4" and clip.read_plan() == ranked.plan
    # As a dict, read from the file beside the clip.
    plan = json.loads(clip.plan_path.read_text())
    plan["title"] = "Third"
    (clip,) = pipeline.render_all_sync([plan]).clips
    assert clip.path.name == "01-third.mp4"
    # From a file, as an object.
    plan = clipkit.ClipPlan.load(clip.plan_path)
    plan.output.crf = 99
    with pytest.raises(clipkit.InvalidPlanError, match="crf is 99") as caught:
        pipeline.render_all_sync(plan)
    assert caught.value.recovery == "give_up"
    plan.save(tmp_path / "mine.json")
    assert clipkit.ClipPlan.load(tmp_path / "mine.json") == plan


def test_what_is_newer_than_this_version_survives():
    plan = {"kind": "spiral", "turns": 3}
    scene = clipkit.Scene.from_dict({"span": {"start": 0, "end": 1}, "layout": plan, "mood": "calm"})
    assert scene.layout.turns == 3 and scene.mood == "calm"
    assert scene.to_dict() == {"span": {"start": 0, "end": 1}, "layout": plan, "mood": "calm"}


def test_a_notebook_shows_the_video_and_the_plan(talk, tmp_path, first):
    manifest = clipkit.Pipeline(scorer=first, publisher=clipkit.Folder(tmp_path), **QUICK).run_sync(talk)
    shown = manifest.clips[0]._repr_mimebundle_()
    assert "Opening" in shown["text/plain"]
    assert "data:video/mp4;base64," in shown["text/html"] and "data:image/png;base64," in shown["text/html"]
    assert "image/png" in manifest.clips[0].read_plan()._repr_mimebundle_()
    assert "<video" in manifest._repr_mimebundle_()["text/html"]
    manifest.clips[0].path.unlink()
    assert "is gone" in manifest.clips[0]._repr_mimebundle_()["text/html"]


def test_the_command_is_there(talk, tmp_path):
    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "clipkit", *map(str, arguments)], capture_output=True, text=True, timeout=120)

    probed = run("probe", talk, "--json")
    assert probed.returncode == 0 and json.loads(probed.stdout)["video"]["width"] == 320, probed.stderr
    assert run("clip").returncode == 2
    assert run("probe", tmp_path / "none.mp4").returncode == 3
    assert run("--version").stdout.split()[-1] == clipkit.__version__


def test_a_clip_goes_to_every_publisher(talk, tmp_path, first):
    seen = []

    class Site:
        target = {"name": "site", "account": "me"}

        def publish(self, cx, post):
            # The key names the publication: the same in every run.
            seen.append((cx.idempotency_key, post.clip, pathlib.Path(post.files.video).is_file()))
            return clipkit.Receipt("site", "7", account="me", url="https://example.org/7", status="processing")

    class Refuses:
        target = "elsewhere"

        def publish(self, cx, post):
            raise clipkit.DeniedError("who are you?", recovery=clipkit.Recovery("refresh_credentials"))

    pipeline = clipkit.Pipeline(scorer=first, publisher=[{"kind": "folder", "path": tmp_path}, Site(), Refuses()], **QUICK)
    assert [(target.name, target.account) for target in pipeline.targets()][1:] == [("site", "me"), ("elsewhere", None)]
    (clip,) = pipeline.run_sync(talk)
    assert clip.path.is_file() and [receipt.target for receipt in clip.receipts] == ["folder", "site"]
    (refused,) = clip.unpublished
    assert refused.target == "elsewhere" and refused.error.recovery == "refresh_credentials"
    with pytest.raises(clipkit.DeniedError, match="who are you"):
        raise clipkit.ClipkitError.from_report(refused.error)
    # A pipeline with several targets publishes a post to one of them by name.
    cx = clipkit.Context()
    post = pipeline.render_post_sync(2, clip.read_plan(), context=cx)
    with pytest.raises(clipkit.ConfigError, match="several targets"):
        pipeline.publish_sync(post, context=cx)
    assert pipeline.publish_to_sync({"name": "site", "account": "me"}, post, context=cx).url == "https://example.org/7"
    assert seen[0] == seen[1] and seen[0][0] and seen[0][1] == clip.id and seen[0][2]
    with pytest.raises(clipkit.ConfigError, match="elsewhere"):
        clipkit.Pipeline(publisher=[Refuses(), Refuses()], **QUICK)


def test_a_step_keeps_its_files_in_the_callers_context(talk, tmp_path, first):
    pipeline = clipkit.Pipeline(scorer=first, publisher=clipkit.Folder(tmp_path / "out"), **QUICK)

    async def steps():
        media = await pipeline.fetch(talk)
        transcript = await pipeline.transcribe(media)
        (candidate,) = await pipeline.choose(media, transcript)
        tracks = await pipeline.track(media, candidate.span)
        plan = await pipeline.plan(media, transcript, candidate, tracks)
        with pytest.raises(TypeError, match="context"):
            pipeline.render(plan)
        cx = clipkit.Context(scratch_in=tmp_path).for_clip(1)
        assert cx.locate(plan.source.media) == talk and cx.clip == 1
        clip = await pipeline.render(plan, context=cx)
        post = await pipeline.render_post(1, plan, context=cx)
        receipt = await pipeline.publish(post)
        assert pathlib.Path(clip.video).is_file() and pathlib.Path(post.files.video).is_file()
        return plan, post, receipt

    plan, post, receipt = asyncio.run(steps())
    assert (tmp_path / "out" / receipt.files.video).is_file() and receipt.status == "published"
    gc.collect()
    assert not pathlib.Path(post.files.video).exists()
    assert plan == pipeline.plan_all_sync(talk).plans[0].plan


def test_a_clip_that_is_not_made_is_listed_with_its_error(talk, tmp_path):
    class Two:
        def score(self, cx, scoring):
            return [clipkit.Candidate(0, 8, score=90, title="One"), clipkit.Candidate(10, 18, score=80, title="Two")]

    class Picky:
        async def render(self, cx, plan):
            if plan.title == "Two":
                raise clipkit.EncodeError("not this one", advice="try another")
            return await clipkit.FfmpegRenderer().render(cx, plan)

    manifest = clipkit.Pipeline(scorer=Two(), renderer=Picky(), publisher=clipkit.Folder(tmp_path), **QUICK).run_sync(talk)
    (failed,) = manifest.failed
    assert len(manifest) == 1 and (failed.rank, failed.title, failed.error.kind, failed.error.stage) == (2, "Two", "encode", "render")
    assert failed.error.advice == "try another" and failed.error.recovery == clipkit.Recovery()
