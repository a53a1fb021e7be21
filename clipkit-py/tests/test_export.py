"""Exports, read back by readers that share no code with clipkit.

OpenTimelineIO with its adapters for FCP 7 XML and CMX 3600 reads timelines, pysubs2 and webvtt-py
read captions. No reader of FCPXML is at hand: its structure is checked after Apple's document type
definition of version 1.10, as far as the exporter uses it.
"""

import fractions
import io
import json
import pathlib
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import opentimelineio as otio
import pysubs2
import pytest
import webvtt

import clipkit
from conftest import draw

RATES = {"30000/1001": "01:00:00;00", "24000/1001": "01:00:00:00", "25": "00:00:00:00"}
NAME = "Größe 100% & more.mov"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


def video(folder, name, rate, tracks=1, timecode=None):
    """Eight seconds of test picture, with so many audio tracks and the time code of its first frame."""
    sounds = " ".join(f"-f lavfi -i sine=f={300 + 200 * n}:r=48000:d=8" for n in range(tracks))
    maps = " ".join(f"-map {n}" for n in range(tracks + 1))
    code = f" -timecode {timecode}" if timecode else ""
    drawn = folder / "drawn.mov"
    draw(f"-f lavfi -i testsrc2=s=160x90:r={rate}:d=8 {sounds} {maps} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -ac 2{code} {{out}}", drawn)
    path = folder / name.replace("/", "-")
    drawn.rename(path)
    return path


#: What the clip plays, in seconds of the source, and how fast.
PIECES = [(1.0, 2.5, 1.0), (5.0, 6.0, 1.0), (2.0, 5.0, 1.5), (0.5, 1.0, 1.0)]
#: When captions are shown, on the clip's timeline, and what they say.
CUES = [(0.1, 0.9, "Every clock"), (1.6, 2.4, "Tom & Ann <3"), (2.6, 4.0, "Größe zählt!"), (4.6, 4.9, "Ende.")]


def plan_of(path, pieces=PIECES, cues=CUES, track=None):
    """A plan with a crop that moves, then two halves."""
    length = sum((end - start) / speed for start, end, speed in pieces)
    moving = {"width": 0.31640625, "height": 1.0, "path": [{"at": 0.2, "x": 0.1, "y": 0.0}, {"at": 1.0, "x": 0.5, "y": 0.0}]}
    half = [{"width": 0.5, "height": 0.8, "path": [{"at": 0.0, "x": x, "y": 0.1}]} for x in (0.0, 0.5)]
    scenes = [
        {"span": {"start": 0.0, "end": 3.0}, "layout": {"kind": "fill", "crop": moving}},
        {"span": {"start": 3.0, "end": length}, "layout": {"kind": "split", "top": half[0], "bottom": half[1]}},
    ]

    def cue(start, end, text):
        words, step = text.split(), (end - start) / len(text.split())
        spans = [{"start": start + n * step, "end": start + (n + 1) * step} for n in range(len(words))]
        return {"span": {"start": start, "end": end}, "words": [{"text": word, "span": span} for word, span in zip(words, spans)]}

    source = {"media": {"uri": str(path), "id": "blake3:00"}, "width": 160, "height": 90, "duration": 8.0}
    return {
        "version": 2,
        "source": source if track is None else {**source, "audio_track": track},
        "span": {"start": 0.0, "end": 8.0},
        "pieces": [{"span": {"start": start, "end": end}, "speed": speed} for start, end, speed in pieces],
        "title": "Why clocks <lie> & more",
        "reason": "",
        "hook_line": "Clocks lie",
        "score": {"total": 80.0, "hook": 0.0, "completeness": 0.0, "density": 0.0, "emotion": 0.0},
        "shots": [],
        "faces": [],
        "scenes": scenes,
        "captions": {
            "style": clipkit.caption_style("karaoke").to_dict(),
            "safe_area": {"x": 0.06, "y": 0.14, "width": 0.8, "height": 0.5},
            "cues": [cue(*each) for each in cues],
        },
        "output": {
            "codec": "h264", "preset": "veryfast", "crf": 20, "width": 1080, "height": 1920,
            "frame_rate": {"num": 30, "den": 1}, "audio_bitrate": 128000,
        },
    }  # fmt: skip


def expected(rate, pieces=PIECES):
    """The record start, source start and duration of each piece in frames, and its speed.

    A join falls on the first frame at or after it. A piece starts with the source frame that is on
    screen at its first frame. A frame counts as due half a millisecond early.
    """
    due = fractions.Fraction(1, 2000)
    ends, time = [], fractions.Fraction(0)
    for start, end, speed in pieces:
        ends.append(time)
        time += (fractions.Fraction(end) - fractions.Fraction(start)) / fractions.Fraction(speed)
    total = round(time * rate)
    edges = [max(0, -((-(at - due) * rate) // 1)) for at in ends] + [total]
    found = []
    for (start, _, speed), at, first, last in zip(pieces, ends, edges, edges[1:]):
        source = fractions.Fraction(start) + max(0, fractions.Fraction(first) / rate - at) * fractions.Fraction(speed)
        found.append((int(first), int((source + due) * rate // 1), int(last - first), speed))
    return found


def on_frame(time):
    assert time.value == pytest.approx(round(time.value), abs=1e-3), time
    return round(time.value)


def read(plan, format, **options):
    return otio.adapters.read_from_string(clipkit.export(plan, format, **options), {"otio": "otio_json", "xmeml": "fcp_xml"}[format])


def cuts(track):
    """The record start, source start and duration of a track's clips, in frames."""
    clips = [child for child in track if isinstance(child, otio.schema.Clip)]
    return [
        (on_frame(clip.range_in_parent().start_time), on_frame(clip.source_range.start_time), on_frame(clip.source_range.duration)) for clip in clips
    ]


@pytest.mark.parametrize("rate", RATES)
def test_otio(folder, rate):
    path = video(folder, f"{rate} {NAME}", rate, tracks=2)
    timeline = read(plan_of(path, track=1), "otio", start=RATES[rate])
    exact = fractions.Fraction(rate)
    assert timeline.global_start_time.rate == pytest.approx(float(exact), abs=1e-9)
    labels = {"30000/1001": 107892, "24000/1001": 86400, "25": 0}
    assert on_frame(timeline.global_start_time) == labels[rate]
    video_tracks, audio_tracks = timeline.video_tracks(), timeline.audio_tracks()
    assert (len(video_tracks), len(audio_tracks)) == (2, 2)
    wanted = expected(exact)
    for track in [video_tracks[0], *audio_tracks]:
        assert cuts(track) == [(record, source, length) for record, source, length, _ in wanted]
        speeds = [[effect.time_scalar for effect in clip.effects if isinstance(effect, otio.schema.LinearTimeWarp)] for clip in track]
        assert speeds == [[], [], [1.5], []]
    assert on_frame(timeline.duration()) == sum(length for *_, length, _ in wanted)
    assert not any(isinstance(child, otio.schema.Gap) for child in video_tracks[0])
    assert [all(clip.enabled for clip in track) for track in audio_tracks] == [False, True]
    reference = video_tracks[0][0].media_reference
    parts = urllib.parse.urlparse(reference.target_url)
    assert (parts.scheme, urllib.request.url2pathname(parts.path)) == ("file", str(path))
    assert on_frame(reference.available_range.duration) == 8 * exact // 1 + (exact.denominator > 1)
    captions = [marker for marker in timeline.tracks.markers if marker.comment == "caption"]
    assert [marker.name for marker in captions] == [text for *_, text in CUES]
    for marker, (start, end, _) in zip(captions, CUES):
        assert abs(marker.marked_range.start_time.to_seconds() - start) <= 0.5 / exact + 1e-6
        assert abs(marker.marked_range.end_time_exclusive().to_seconds() - end) <= 0.5 / exact + 1e-6
    assert [marker.name for marker in timeline.tracks.markers if marker.comment in ("hook", "scene")] == ["Clocks lie", "Scene 1: fill", "Scene 2: split"]


@pytest.mark.parametrize("rate", RATES)
def test_xmeml(folder, rate):
    path = video(folder, f"xmeml {rate} {NAME}", rate, tracks=2)
    plan = plan_of(path, track=1)
    timeline = read(plan, "xmeml", start=RATES[rate])
    assert isinstance(timeline, otio.schema.Timeline), timeline
    exact = fractions.Fraction(rate)
    wanted = expected(exact)
    # The main picture, the second halves and the captions; two stereo tracks.
    assert (len(timeline.video_tracks()), len(timeline.audio_tracks())) == (3, 4)
    # Of a retimed clip, the in point counts frames of the retimed source.
    found = [(record, round(source / speed), length) for record, source, length, speed in wanted]
    for track in [timeline.video_tracks()[0], *timeline.audio_tracks()]:
        assert cuts(track) == found
    assert [effect.name for effect in timeline.video_tracks()[0][2].effects] == ["Time Remap", "Basic Motion", "Crop"]
    reference = timeline.video_tracks()[0][0].media_reference
    parts = urllib.parse.urlparse(reference.target_url)
    assert (parts.scheme, parts.netloc, urllib.request.url2pathname(parts.path)) == ("file", "localhost", str(path))
    captions = [child for child in timeline.video_tracks()[2] if isinstance(child, otio.schema.Clip)]
    assert [clip.name for clip in captions] == [text for *_, text in CUES]

    # What OpenTimelineIO does not keep: links, which sound is on, the start.
    root = xml.etree.ElementTree.fromstring(clipkit.export(plan, "xmeml", start=RATES[rate]))
    sequence = root.find("sequence")
    drop = ";" in RATES[rate]
    assert (sequence.findtext("timecode/string"), sequence.findtext("timecode/displayformat")) == (RATES[rate], "DF" if drop else "NDF")
    ids = {item.get("id") for item in root.iter("clipitem")}
    first = root.findall("sequence/media/video/track")[0].find("clipitem")
    links = [link.findtext("linkclipref") for link in first.findall("link")]
    assert links == ["video-1", "audio-1-1", "audio-1-2", "audio-1-3", "audio-1-4"] and set(links) <= ids
    enabled = [track.find("clipitem").findtext("enabled") for track in root.findall("sequence/media/audio/track")]
    assert enabled == ["FALSE", "FALSE", "TRUE", "TRUE"]
    channels = [track.find("clipitem").findtext("sourcetrack/trackindex") for track in root.findall("sequence/media/audio/track")]
    assert channels == ["1", "2", "3", "4"]
    assert len(first.findall("filter/effect/parameter/keyframe")) > 2, "the crop moves"


@pytest.mark.parametrize("rate", RATES)
def test_edl(folder, rate):
    path = video(folder, f"edl {rate} {NAME}", rate)
    exact = fractions.Fraction(rate)
    text = clipkit.export(plan_of(path), "edl", start=RATES[rate])
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(exact))
    wanted = expected(exact)
    # The picture, and two channels of sound.
    assert sorted(track.kind for track in timeline.tracks) == ["Audio", "Audio", "Video"]
    for track in timeline.tracks:
        assert cuts(track) == [(record, source, length) for record, source, length, _ in wanted]
    [warp] = timeline.video_tracks()[0][2].effects
    assert warp.time_scalar == pytest.approx(1.5, abs=0.002)
    assert timeline.video_tracks()[0][0].name == path.name
    assert ("FCM: DROP FRAME" in text) == (";" in RATES[rate])
    assert text.splitlines()[3].split()[-2].replace(";", ":") == RATES[rate].replace(";", ":")


def test_edl_of_a_silent_source(folder):
    path = video(folder, "silent.mov", "25", tracks=0)
    timeline = otio.adapters.read_from_string(clipkit.export(plan_of(path), "edl"), "cmx_3600", rate=25)
    assert [track.kind for track in timeline.tracks] == ["Video"]
    for format in ("otio", "xmeml"):
        assert not read(plan_of(path), format).audio_tracks()


#: A frame rate, a time code of the source's first frame, and its number at that rate. The timeline counts otherwise.
CODES = [("30000/1001", "10:00:00;00", 1078920), ("30000/1001", "10:00:00:00", 1080000), ("25", "09:59:58:12", 899962)]


@pytest.mark.parametrize("rate, code, first", CODES)
def test_time_codes_of_sources(folder, rate, code, first):
    path = video(folder, f"code {code} {NAME}".replace(":", "."), rate, timecode=code)
    exact, plan = fractions.Fraction(rate), plan_of(path)
    wanted = expected(exact)
    shifted = [(record, source + first, length) for record, source, length, _ in wanted]
    track = read(plan, "otio").video_tracks()[0]
    assert cuts(track) == shifted and on_frame(track[0].media_reference.available_range.start_time) == first

    # Positions count from the file's start, whose label the file has.
    root = xml.etree.ElementTree.fromstring(clipkit.export(plan, "xmeml"))
    label = root.find(".//file/timecode")
    assert (label.findtext("string"), label.findtext("frame"), label.findtext("displayformat")) == (code, str(first), "DF" if ";" in code else "NDF")
    assert int(root.find(".//clipitem").findtext("in")) == wanted[0][1]

    root = xml.etree.ElementTree.fromstring(clipkit.export(plan, "fcpxml"))
    assert seconds(root.find(".//asset").get("start")) * exact == first
    clips = root.findall(".//spine/asset-clip")
    assert {clip.get("tcFormat") for clip in clips} == {"DF" if ";" in code else "NDF"}
    for clip, (_, source, _, speed) in zip(clips, wanted):
        points = [(seconds(point.get("time")), seconds(point.get("value"))) for point in clip.findall("timeMap/timept")]
        shown = seconds(clip.get("start"))
        if points:
            (from_time, from_value), (to_time, to_value) = points
            assert from_value * exact == first
            shown = from_value + (shown - from_time) * (to_value - from_value) / (to_time - from_time)
        assert abs(shown * exact - first - source) < fractions.Fraction(1, 100), speed

    # An event: its number, reel, tracks, transition, and the time codes of source and record.
    events = [line.split() for line in clipkit.export(plan, "edl").splitlines() if line[:3].isdigit()]
    assert [event[-4].count(";") for event in events] == [code.count(";")] * len(wanted)
    frames = lambda text: otio.opentime.from_timecode(text, float(exact)).value  # noqa: E731
    assert [frames(event[-4]) for event in events] == [source + first for _, source, _, _ in wanted]


#: The children of each element in the order of FCPXML's definition, and the attributes that it has.
FCPXML = {
    "fcpxml": (["resources", "library"], {"version"}),
    "resources": (["format", "asset"], set()),
    "format": ([], {"id", "frameDuration", "width", "height", "colorSpace"}),
    "asset": (["media-rep"], {"id", "name", "start", "duration", "hasVideo", "format", "videoSources", "hasAudio", "audioSources", "audioChannels", "audioRate"}),
    "media-rep": ([], {"kind", "src"}),
    "library": (["event"], set()),
    "event": (["project"], {"name"}),
    "project": (["sequence"], {"name"}),
    "sequence": (["spine"], {"format", "duration", "tcStart", "tcFormat", "audioLayout", "audioRate"}),
    "spine": (["asset-clip"], set()),
    "asset-clip": (
        ["timeMap", "adjust-crop", "adjust-conform", "adjust-transform", "asset-clip", "caption", "marker", "audio-channel-source"],
        {"ref", "lane", "offset", "name", "start", "duration", "tcFormat", "srcEnable", "audioRole"},
    ),
    "timeMap": (["timept"], set()),
    "timept": ([], {"time", "value", "interp"}),
    "adjust-crop": (["trim-rect"], {"mode"}),
    "trim-rect": (["param"], {"left", "top", "right", "bottom"}),
    "adjust-conform": ([], {"type"}),
    "adjust-transform": (["param"], {"position", "scale"}),
    "param": (["keyframeAnimation", "param"], {"name", "key"}),
    "keyframeAnimation": (["keyframe"], set()),
    "keyframe": ([], {"time", "value", "curve"}),
    "caption": (["text", "text-style-def"], {"lane", "offset", "name", "duration", "role"}),
    "text": (["text-style"], {"placement"}),
    "text-style-def": (["text-style"], {"id"}),
    "text-style": ([], {"ref", "font", "fontSize", "fontColor", "backgroundColor"}),
    "marker": ([], {"start", "duration", "value"}),
    "audio-channel-source": ([], {"srcCh", "role", "active"}),
}  # fmt: skip


def seconds(text):
    number = fractions.Fraction(text.removesuffix("s")) if text.endswith("s") else None
    assert number is not None and number.denominator < 2**31, text
    return number


@pytest.mark.parametrize("rate", RATES)
def test_fcpxml(folder, rate):
    path = video(folder, f"fcpxml {rate} {NAME}", rate, tracks=2)
    root = xml.etree.ElementTree.fromstring(clipkit.export(plan_of(path, track=1), "fcpxml", start=RATES[rate]))
    ids, references = [], []
    for element in root.iter():
        children, attributes = FCPXML[element.tag]
        order = [children.index(child.tag) for child in element]
        assert order == sorted(order) or element.tag == "resources", element.tag
        assert set(element.keys()) <= attributes, element.tag
        ids += [element.get("id")] if element.get("id") else []
        references += [element.get(name) for name in ("ref", "format") if element.get(name)]
    assert len(ids) == len(set(ids)) and set(references) <= set(ids)

    exact = fractions.Fraction(rate)
    frame = lambda text: seconds(text) * exact  # noqa: E731
    sequence = root.find(".//sequence")
    start = frame(sequence.get("tcStart"))
    assert start == {"30000/1001": 107892, "24000/1001": 86400, "25": 0}[rate]
    assert sequence.get("tcFormat") == ("DF" if ";" in RATES[rate] else "NDF")
    wanted, clips = expected(exact), sequence.findall("spine/asset-clip")
    assert [(frame(clip.get("offset")) - start, frame(clip.get("duration"))) for clip in clips] == [(record, length) for record, _, length, _ in wanted]
    for clip, (_, source, _, speed) in zip(clips, wanted):
        local, points = frame(clip.get("start")), [(frame(point.get("time")), frame(point.get("value"))) for point in clip.findall("timeMap/timept")]
        assert local.denominator == 1
        if speed == 1.0:
            assert (local, points) == (source, [])
        else:
            (from_time, from_value), (to_time, to_value) = points
            shown = from_value + (local - from_time) * (to_value - from_value) / (to_time - from_time)
            assert abs(shown - source) < fractions.Fraction(1, 100)
    source = urllib.parse.urlparse(root.find(".//media-rep").get("src"))
    assert urllib.request.url2pathname(source.path) == str(path)
    # Captions are anchored to the clip in which they start, on its local timeline.
    found = []
    for clip, (record, *_) in zip(clips, wanted):
        for caption in clip.findall("caption"):
            at = record + frame(caption.get("offset")) - frame(clip.get("start"))
            found.append((at / exact, (at + frame(caption.get("duration"))) / exact, caption.findtext("text/text-style")))
    assert [text for *_, text in found] == [text for *_, text in CUES]
    for (start_at, end_at, _), (start_wanted, end_wanted, _) in zip(found, CUES):
        assert max(abs(start_at - fractions.Fraction(start_wanted)), abs(end_at - fractions.Fraction(end_wanted))) <= fractions.Fraction(1, 2) / exact + fractions.Fraction(1, 10**6)
    assert [[(source.get("srcCh"), source.get("active")) for source in clip.findall("audio-channel-source")] for clip in clips] == [
        [("1, 2", "0"), ("3, 4", "1")]
    ] * len(clips)


def test_captions(folder):
    plan = plan_of(folder / "gone.mov")
    subtitles = pysubs2.SSAFile.from_string(clipkit.export(plan, "srt"), format_="srt")
    assert [(line.start, line.end, line.plaintext) for line in subtitles] == [(round(a * 1000), round(b * 1000), text) for a, b, text in CUES]
    drawn = pysubs2.SSAFile.from_string(clipkit.export(plan, "ass"), format_="ass")
    assert drawn.info["PlayResX"] == "1080" and {line.start for line in drawn} == {round(start * 1000) for start, *_ in CUES}
    cues = list(webvtt.from_buffer(io.StringIO(clipkit.export(plan, "vtt"))))
    assert [(cue.start, cue.end) for cue in cues] == [(f"00:00:{start:06.3f}", f"00:00:{end:06.3f}") for start, end, _ in CUES]
    assert cues[2].text == "Größe zählt!"
    document = json.loads(clipkit.export(plan, "json"))
    assert [word["word"] for segment in document["segments"] for word in segment["words"]] == " ".join(text for *_, text in CUES).split()
    assert clipkit.export(plan, "txt") == "Every clock Tom & Ann <3 Größe zählt!\nEnde.\n"


def test_several_plans_relative_paths_and_errors(folder):
    path = video(folder, "two & two.mov", "25")
    plan = plan_of(path)
    out = folder / "out"
    out.mkdir()
    assert clipkit.export([plan, plan], "otio", to=out / "both.otio", relative=True, name="Both") is None
    timeline = otio.adapters.read_from_file(str(out / "both.otio"))
    assert (timeline.name, len(timeline.video_tracks()[0])) == ("Both", 8)
    url = timeline.video_tracks()[0][0].media_reference.target_url
    assert (out / urllib.parse.unquote(url)).resolve() == pathlib.Path(path).resolve()
    assert list(out.iterdir()) == [out / "both.otio"], "nothing but the file"
    with pytest.raises(clipkit.ConfigError, match="prproj"):
        clipkit.export(plan, "prproj")
    with pytest.raises(clipkit.ConfigError, match="drop frame"):
        clipkit.export(plan, "edl", start="01:00:00;00")
    with pytest.raises(clipkit.NotFoundError):
        clipkit.export(plan_of(folder / "gone.mov"), "otio", to=out / "gone.otio")
    assert not (out / "gone.otio").exists()
