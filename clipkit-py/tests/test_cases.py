"""The cases that every language runs. clipkit/tests/cases/README.md describes them."""

import json
import math
import shutil

import pytest

import clipkit
from conftest import CASES

TABLE = json.loads(CASES.read_text())


def with_desk(value, desk):
    return json.loads(json.dumps(value).replace("{desk}", str(desk)))


def answer(case, events):
    config, call = case["config"], case["call"]
    if call == "probe":
        if "source" in config:
            return clipkit.Pipeline(config={**config, "tracker": {"kind": "center"}}).fetch_sync(case["input"])
        return clipkit.probe(case["input"])
    if call == "transcribe":
        return clipkit.transcribe(case["input"], config.get("transcriber", "auto"))
    if call == "score":
        options = {**clipkit.ClipOptions().to_dict(), **config.get("options", {})}
        asked = {"max_clips": options["clips"], "min": options["min"], "max": options["max"]}
        return clipkit.score(case["transcript"], config.get("scorer", "auto"), **asked)
    if call == "track":
        return clipkit.track(case["input"], case["span"], config.get("tracker", "auto"))
    if call == "frames":
        frames = list(clipkit.frames(case["input"], case["span"], **case.get("frames", {})))
        assert all(clipkit.to_numpy(frame).nbytes == 3 * frame.width * frame.height for frame in frames)
        return [{"at": frame.at, "width": frame.width, "height": frame.height} for frame in frames]
    if call == "given":
        scorer = Given(case.get("fails", 0))
        planned = clipkit.Pipeline(config=config, scorer=scorer).plan_all_sync(case["input"], on_event=events.append)
        return {"calls": scorer.calls, "planned": planned}
    pipeline = clipkit.Pipeline(config=config)
    if call == "steps":
        return steps(pipeline, case["input"])
    if call == "whole":
        return pipeline.plan_whole_sync(case["input"], case["picture"], on_event=events.append)
    if call == "run":
        return pipeline.run_sync(case["input"], on_event=events.append)
    planned = pipeline.plan_all_sync(case["input"], on_event=events.append)
    if call == "plan":
        return planned
    if call == "render":
        plans = [{"rank": ranked.rank, "plan": merged(ranked.plan.to_dict(), case["edit"])} for ranked in planned.plans]
        return pipeline.render_all_sync(plans, on_event=events.append)
    if call == "preview":
        draft = case["desk"] / "draft.mp4"
        clipkit.preview(planned.plans[0].plan, draft)
        return clipkit.probe(draft)
    assert call == "sheet", call
    sheet = case["desk"] / "sheet.png"
    clipkit.contact_sheet(planned.plans[0].plan, sheet)
    return {"bytes": sheet.stat().st_size}


class Given:
    """A scorer whose first calls fail."""

    def __init__(self, fails):
        self.fails, self.calls = fails, 0

    def score(self, cx, scoring):
        self.calls += 1
        if self.calls <= self.fails:
            raise clipkit.NetworkError("busy", recovery=clipkit.Recovery.retry())
        return [clipkit.Candidate(0, 16, score=50, title="Given")]


def steps(pipeline, input):
    """Every step, each with a document that went through JSON."""

    def sent(document):
        return json.loads(json.dumps(clipkit._data.plain(document)))

    cx = clipkit.Context()
    media = sent(pipeline.fetch_sync(input))
    transcript = sent(pipeline.transcribe_sync(media))
    candidates = sent(pipeline.choose_sync(media, transcript))
    tracks = sent(pipeline.track_sync(media, candidates[0]["span"]))
    plan = sent(pipeline.plan_sync(media, transcript, candidates[0], tracks))
    rendered = pipeline.render_sync(plan, context=cx)
    post = sent(pipeline.render_post_sync(1, plan, context=cx))
    targets = pipeline.targets()
    receipt = pipeline.publish_sync(post)
    again = pipeline.publish_to_sync(targets[0], post)
    named = ("media", "transcript", "candidates", "tracks", "plan", "rendered", "post", "targets", "receipt", "again")
    return dict(zip(named, (media, transcript, candidates, tracks, plan, rendered, post, targets, receipt, again)))


def merged(value, change):
    if isinstance(value, dict) and isinstance(change, dict):
        return {**value, **{name: merged(value.get(name), item) for name, item in change.items()}}
    return change


def unmet(expected, found, at=""):
    """What of an expectation does not hold, and where."""
    complaint = [f"{at}: expected {json.dumps(expected)}, found {json.dumps(found)[:200]}"]
    if isinstance(expected, dict) and any(name.startswith("$") for name in expected):
        wrong = []
        for test, wanted in expected.items():
            if test == "$contains":
                holds = isinstance(found, str) and wanted in found
            elif test == "$type":
                kinds = {"string": str, "number": (int, float), "array": list}
                holds = isinstance(found, kinds[wanted]) and not isinstance(found, bool)
            elif test == "$length":
                holds = isinstance(found, list) and len(found) == wanted
            else:
                assert test == "$first", test
                wrong += unmet(wanted, found[0] if found else None, f"{at}[0]")
                holds = True
            wrong += [] if holds else complaint
        return wrong
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return complaint
        return [line for name, wanted in expected.items() for line in unmet(wanted, found.get(name), f"{at}.{name}")]
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return complaint
        return [line for n, (wanted, item) in enumerate(zip(expected, found)) for line in unmet(wanted, item, f"{at}[{n}]")]
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return [] if isinstance(found, (int, float)) and math.isclose(expected, found, abs_tol=1e-6) else complaint
    return [] if expected == found else complaint


def noted(events):
    names = []
    for event in events:
        name = " ".join(filter(None, [event.event, getattr(event, "stage", None)]))
        if name not in names:
            names.append(name)
    return names


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_case(case, desk):
    shutil.rmtree(desk / "out", ignore_errors=True)
    case, events = {**with_desk(case, desk), "desk": desk}, []
    try:
        found = json.loads(json.dumps(clipkit._data.plain(answer(case, events))))
        assert "error" not in case, f"it worked: {found}"
        assert not unmet(case.get("expect"), found)
    except clipkit.ClipkitError as error:
        if "error" not in case:
            raise
        told = {"kind": error.kind, "stage": error.stage, "recovery": error.recovery.to_dict(), "message": str(error)}
        assert not unmet(case["error"], told)
    if "events" in case:
        heard = iter(noted(events))
        assert all(any(name == event for name in heard) for event in case["events"]), noted(events)
