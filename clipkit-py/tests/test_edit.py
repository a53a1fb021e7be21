"""One edit from beginning to end: the same plan, byte for byte, from Python and on the command line."""

import json
import subprocess
import sys
import wave

import opentimelineio as otio
import pytest

import clipkit
from conftest import draw
from test_export import cuts, expected, on_frame

SAID = ["Every clock is wrong.", "Concrete drinks water like a sponge.", "And that is why bridges fail in winter."]
#: The pause after each sentence, in seconds.
PAUSE = 2.0

#: Tightened, one word corrected, a phrase deleted, the hook moved to the front, a logo and music in.
OPS = [
    {"op": "tighten", "level": "normal"},
    {"op": "correct_caption", "words": {"quote": "concrete"}, "text": "Béton"},
    {"op": "delete_words", "words": {"quote": "like a"}},
    {"op": "hook_first", "words": {"quote": "bridges fail in winter"}},
    {"op": "punch_in", "at": "joins"},
]
BRAND = {
    "accent": "#ff5a36",
    "overlays": [{"content": {"kind": "image", "file": "logo.png"}, "place": {"anchor": "top_right", "width": 0.14}}],
    "sound": [{"file": "music.wav", "gain": -16, "loop": True, "fade_out": 1, "duck": 9}],
}


@pytest.fixture(scope="module")
def podcast(tmp_path_factory):
    """A talk with two pauses, spoken by a machine, and what a brand needs, in one folder."""
    folder = tmp_path_factory.mktemp("podcast")
    words, at, inputs, filters = [], 0.0, "", ""
    for n, text in enumerate(SAID):
        path = folder / f"{n}.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-w", str(path), text], check=True)
        with wave.open(str(path)) as spoken:
            length = spoken.getnframes() / spoken.getframerate()
        each = length / len(text.split())
        words += [[word, at + k * each, at + (k + 1) * each] for k, word in enumerate(text.split())]
        at += length + PAUSE
        inputs += f"-i {path} "
        filters += f"[{n}]apad=pad_dur={PAUSE}[s{n}];"
    joined = "".join(f"[s{n}]" for n in range(len(SAID)))
    draw(
        f"{inputs}-f lavfi -i testsrc2=s=320x180:r=25:d={at} -filter_complex {filters}{joined}concat=n={len(SAID)}:v=0:a=1[s] "
        f"-map {len(SAID)} -map [s] -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest {{out}}",
        folder / "talk.mp4",
    )
    (folder / "talk.words.json").write_text(json.dumps(words))
    draw("-f lavfi -i color=c=red:s=64x64:d=1 -frames:v 1 {out}", folder / "logo.png")
    draw("-f lavfi -i sine=f=220:d=3 {out}", folder / "music.wav")
    (folder / "brand.json").write_text(json.dumps(BRAND))
    (folder / "ops.json").write_text(json.dumps(OPS))
    return folder


def command(folder, *arguments):
    run = subprocess.run([sys.executable, "-m", "clipkit", *arguments], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_an_edit_from_beginning_to_end(podcast, tmp_path):
    source = str(podcast / "talk.mp4")
    pipeline = clipkit.Pipeline(tracker="center", captions="pop", preset="ultrafast", publisher=clipkit.Folder(tmp_path / "python"))
    media = pipeline.fetch_sync(source)
    transcript, speech = pipeline.transcribe_sync(media), pipeline.listen_sync(media)
    plan = pipeline.plan_whole_sync(source)

    # Python.
    brand = {"op": "brand", "brand": {**BRAND, "sound": [{**BRAND["sound"][0], "file": str(podcast / "music.wav")}]}}
    brand["brand"]["overlays"] = [{**BRAND["overlays"][0], "content": {"kind": "image", "file": str(podcast / "logo.png")}}]
    edited = clipkit.edit(plan, [*OPS, brand], transcript=transcript, speech=speech)
    before, after = edited.changes.before, edited.changes.after
    assert before.duration - after.duration > 2 * PAUSE - 1.5, edited.changes
    assert (before.words, after.words, after.joins) == (18, 16, len(edited.plan.pieces) - 1)
    texts = [word.text for cue in edited.plan.captions.cues for word in cue.words]
    assert [text.strip(".").lower() for text in texts[:4]] == ["bridges", "fail", "in", "winter"] and "Béton" in texts, texts
    assert not edited.plan.zooms, "nobody is in the picture"
    edited.plan.save(tmp_path / "python.plan.json")
    (made,) = pipeline.render_all_sync([edited.plan]).clips

    # The command line, on the same documents.
    plan.save(tmp_path / "plan.json")
    (tmp_path / "transcript.json").write_text(json.dumps(transcript.to_dict()))
    (tmp_path / "speech.json").write_text(json.dumps(speech if isinstance(speech, dict) else speech.to_dict()))
    documents = ["--transcript", str(tmp_path / "transcript.json"), "--speech", str(tmp_path / "speech.json")]
    edit = ["edit", str(tmp_path / "plan.json"), "--script", "ops.json", "--brand", str(podcast / "brand.json"), *documents]
    assert json.loads(command(podcast, *edit, "--dry-run"))["after"]["words"] == 16
    command(podcast, *edit, "-o", str(tmp_path / "command.plan.json"))
    assert (tmp_path / "command.plan.json").read_bytes() == (tmp_path / "python.plan.json").read_bytes()
    assert (tmp_path / "command.plan.json").read_bytes() == made.plan_path.read_bytes()
    command(podcast, "render", str(tmp_path / "command.plan.json"), "--out", str(tmp_path / "command"))
    assert (tmp_path / "command" / made.plan).read_bytes() == made.plan_path.read_bytes()
    assert (tmp_path / "command" / made.file).stat().st_size == made.path.stat().st_size

    # The cut is the same, to the frame, in two independent readers.
    pieces = [(piece.span.start, piece.span.end, piece.speed or 1.0) for piece in edited.plan.pieces]
    wanted = [(record, start, length) for record, start, length, _ in expected(25, pieces)]
    for format, adapter in [("otio", "otio_json"), ("xmeml", "fcp_xml")]:
        timeline = otio.adapters.read_from_string(clipkit.export(edited.plan, format), adapter)
        assert cuts(timeline.video_tracks()[0]) == wanted, format
        assert all(cuts(track) == wanted for track in timeline.audio_tracks())
        assert on_frame(timeline.video_tracks()[0].duration()) == round(after.duration * 25)
