"""The crate's public data. Written by generate.py from clipkit/schema/clipkit.schema.json: do not edit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Literal, Optional, Tuple, TypedDict, Union

from ._data import Data, Loader, Unknown, by_name, many, tagged

if TYPE_CHECKING:
    import os

    from ._made import Candidate, ClipPlan, Manifest, ManifestClip, Score, Span


def _made(name: str) -> Loader:
    """Makes an object of a class by its name: of the one made by hand, where there is one."""

    def make(value: Any) -> Any:
        from . import _made as by_hand

        return getattr(by_hand, name).from_dict(value)

    return make


def _named(name: str) -> Loader:
    """Makes an object of any class by its name."""
    return lambda value: LOADERS[name](value)


#: How the word being said is shown.
Animation = Literal["none", "karaoke", "pop", "box"]

#: The shape of the output.
Aspect = Literal["9:16", "1:1", "4:5", "16:9"]

#: A preset's name (``none`` for no captions), or a style: what it leaves out is as in the preset that its ``like`` names, else as in karaoke.
CaptionStyleGiven = Union[str, Dict[str, Any]]

#: A file's identity: a hash of its bytes, so that a copy or a new name stays the same media.
ContentId = str

#: Where a cue stands: a fraction of the output's height from its top. Kept inside the platform's safe area.
CuePlace = Dict[str, Any]

#: What went wrong, as a class a program can act on.
ErrorKind = Literal["not_found", "invalid_input", "no_transcript", "nothing_found", "invalid_plan", "config", "cancelled", "io", "decode", "encode", "captions", "unavailable", "network", "rate_limited", "denied", "timed_out", "contract"]

#: What kind of video it is, which decides what counts in a clip.  | genre | hook | completeness | density | emotion | best length | |---|---|---|---|---|---| | none given | 30 | 34 | 20 | 16 | 32 s | | ``podcast`` | 32 | 30 | 14 | 24 | 38 s | | ``lecture`` | 24 | 42 | 26 | 8 | 45 s | | ``gaming`` | 28 | 20 | 10 | 42 | 24 s | | ``news`` | 34 | 36 | 26 | 4 | 28 s |  The numbers are parts in a hundred of ``Score.total``. They are choices of taste, set by hand, not learned.
Genre = Literal["podcast", "lecture", "gaming", "news"]

#: A half of a split picture.
Half = Literal["top", "bottom"]

#: The two transfer functions of high dynamic range video (ITU-R BT.2100).
Hdr = Literal["pq", "hlg"]

#: How the picture is to be arranged in the output.
LayoutChoice = Literal["auto", "fill", "split", "fit", "pip"]

#: Where clips go: it decides which part of the picture the interface leaves free.
Platform = Literal["shorts", "tiktok", "reels", "generic"]

#: A colour as #rrggbb
Rgb = str

#: What kind of picture a shot shows.
ShotContent = Literal["camera", "screen"]

#: The stages of the pipeline, in order.
Stage = Literal["source", "transcribe", "score", "track", "plan", "render", "publish"]

#: Seconds
Timestamp = float

#: x264's speed presets, fastest first.
X264Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]


@dataclass
class Warning(Data):
    """Something that went less well than asked, and what was done instead."""

    stage: Stage
    """The stage that degraded."""
    message: str
    """One line for a person: what happened, what was done instead, how to avoid it."""
    clip: Optional[int] = None
    """The clip concerned, counted from 1 in order of rank; none where the whole run is."""
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class AudioStream(Data):
    """A sound stream."""

    index: int
    """The stream's number in the file."""
    codec: str
    """The codec's short name (``aac``)."""
    sample_rate: int
    """Samples per second."""
    channels: int
    """Number of channels."""
    language: Optional[str] = None
    """The language the file names, if it does."""
    _optional: ClassVar[frozenset[str]] = frozenset(['language'])


@dataclass
class _Cache(Data):
    """Does the same work once: answers are kept, and found again by what they were made from.

    - The key is a hash of the stage's kind, the video's content (never its name), the rest of the input (span, transcript, options), the stage's
      fingerprint (``Transcriber.fingerprint`` and its kin, or ``about``) and this crate's version.
      Nothing of it is written in the clear.
    - An answer is kept for 7 days. An old or damaged one is as good as none, and losing one costs time and nothing else; a store that cannot be
      used leaves a warning.
    - Callers of the same work at the same time share one computation, if their caches are clones, or are in the same place and process (ten jobs,
      each with a pipeline of its own from one document). One that is cancelled leaves the others alone; the work stops when nobody waits for
      it any more.
    - Failures are not kept, nor is what a ``Fallback`` stepped down to. Warnings are kept with the answer and said each time.
    - Several processes may share a store: an entry appears when it is whole.

    Transcribers, scorers and trackers can be cached. Sources, renderers and publishers answer with files, or change the world: a cache around
    one does not compile, and in JSON it is refused.

    It belongs outside all other layers: what is kept needs no place, no rate and no second attempt. In JSON,
    ``{"cache": {"store": "s3://bucket/clipkit", "keep": 604800}}``; without a ``store``, the user's cache folder.
    """

    about: Optional[str] = None
    keep: float = 604800.0
    store: Optional[str] = None
    _optional: ClassVar[frozenset[str]] = frozenset(['about', 'store'])


@dataclass
class _Candidate(Data):
    """A span that could become a clip, with what speaks for it.

    In JSON, ``{"start": 12.5, "end": 40, "score": 90}`` is read, too: the span's ends beside the rest, a score by its total, no title.
    """

    span: Span
    """Where it is, on the source's timeline."""
    score: Score
    """How good it is."""
    title: str
    """A short title."""
    reason: str
    """Why it was chosen, in a sentence."""
    hook_line: Optional[str] = None
    """A line that makes people stay, to be shown over the first seconds. None where nobody wrote one."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'score': _named("Score"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['hook_line'])


@dataclass
class CaptionStyle(Data):
    """How captions look. Plain data: copy a preset, change what you like.

    Sizes are fractions of the output's height, so a style looks the same at every resolution.
    """

    name: str
    """The style's name, for people."""
    font: str
    """The font's family name, as fontconfig knows it."""
    bold: bool
    """Whether to take the family's bold weight."""
    size: float
    """The font's size: a fraction of the output's height."""
    color: Rgb
    """Colour of the words."""
    highlight: Rgb
    """Colour of the word being said (and, in ``box``, of its plate)."""
    outline: Rgb
    """Colour of the outline."""
    outline_width: float
    """Width of the outline: a fraction of the font's size."""
    shadow: float
    """Distance of the shadow: a fraction of the font's size."""
    uppercase: bool
    """Whether words are set in capitals."""
    max_words: int
    """The most words shown at once."""
    position: float
    """Height of the captions' bottom edge: a fraction of the output's height from its top. Kept inside the platform's safe area."""
    avoid_faces: bool
    """Whether captions that would hide the mouth of who is shown move to the nearest place that does not. One place for the whole clip."""
    animation: Animation
    """How the word being said is shown."""
    emphasis: Optional[Emphasis] = None
    """How keywords stand out; none where they do not."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'emphasis': _named("Emphasis"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['emphasis'])


@dataclass
class CaptionTrack(Data):
    """Captions burned into the picture."""

    style: CaptionStyle
    """How they look."""
    safe_area: Rect
    """The part of the output that the platform's interface leaves free; captions stay inside."""
    cues: List[Cue]
    """What is shown when, in order, without overlaps."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'style': _named("CaptionStyle"),
        'safe_area': _named("Rect"),
        'cues': many(_named("Cue")),
    }


@dataclass
class Clip(Data):
    """A rendered clip, still in scratch space: a publisher takes it from there."""

    video: str
    """The MP4 file."""
    cover: str
    """The cover picture, a JPEG of the output's size."""
    duration: Timestamp
    """How long it plays."""
    frames: int
    """Number of frames."""


@dataclass
class ClipOptions(Data):
    """What clips a ``Pipeline`` makes, and how many."""

    about: List[str] = field(default_factory=list)
    """What clips should be about; empty for anything. A word, or a few that belong together."""
    aspect: Aspect = '9:16'
    """The shape of the picture, where the renderer was not set up for a size of its own. Default 9:16."""
    at_once: Dict[str, int] = field(default_factory=dict)
    """How many of them may be in one stage at a time, where that is fewer: ``{"publish": 1}`` hands over one by one. Default: no limit but ``jobs``."""
    avoid: List[str] = field(default_factory=list)
    """What clips should not be about."""
    captions: Optional[CaptionStyleGiven] = field(default_factory=lambda: {'animation': 'karaoke', 'avoid_faces': True, 'bold': False, 'color': '#ffffff', 'font': 'Lato Black', 'highlight': '#ffd60a', 'max_words': 5, 'name': 'karaoke', 'outline': '#000000', 'outline_width': 0.09, 'position': 0.645, 'shadow': 0.03, 'size': 0.048, 'uppercase': False})  # noqa: E501
    """How captions look; none for clips without. In JSON a preset's name, a style as ``CaptionStyle.from_json`` reads it, or null.
    Default karaoke.
    """
    clips: int = 10
    """The most clips. Default 10."""
    crf: int = 20
    """x264's constant rate factor, 0 to 51: lower is better and larger; 6 less doubles the size. Default 20."""
    genre: Optional[Genre] = None
    """What kind of video this is: it decides what counts in a clip. Default: a bit of everything."""
    hook: Optional[HookStyle] = None
    """How the clip's title is shown over its first seconds; none, the default, for clips without. In JSON ``{}`` is the usual look."""
    jobs: Optional[int] = None
    """How many clips are worked on side by side. Default: half the processor cores, since decoder, filters and encoder of one
    clip keep about two busy. More is not faster, and each takes about 300 MB for a 1080p source.
    """
    layout: LayoutChoice = 'auto'
    """How the picture is arranged: one window, two, or all of the picture. Default ``auto``: what suits each shot. Another choice holds for
    every shot; where it cannot be (two halves of one person), a warning says so.
    """
    loudness: Optional[Loudness] = field(default_factory=lambda: _named("Loudness")({'integrated': -14.0, 'true_peak': -1.0}))
    """How loud the sound is made; none leaves it as it is. Default -14 LUFS, peaks up to -1 dBTP."""
    max: float = 60.0
    """The longest clip; in JSON, seconds. Default 60 s."""
    max_cost: Optional[float] = None
    """The most that a run may cost, in US dollars, by the prices known or given: stages that ask paid models stop before they pass it.
    Default: no limit.
    """
    min: float = 15.0
    """The shortest clip; in JSON, seconds. Default 15 s."""
    platform: Platform = 'generic'
    """Where the clips go: it decides which part of the picture captions may use. Default: the part that is free everywhere."""
    preset: X264Preset = 'veryfast'
    """x264's speed preset. Default ``veryfast``; ``medium`` takes three times as long for files about as large that look a little better."""
    snap: bool = True
    """Whether a span's ends are moved, by up to 0.4 s, to where no word is cut. Default true; false cuts exactly where the scorer says."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'hook': _named("HookStyle"),
        'loudness': _named("Loudness"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['genre', 'hook', 'jobs', 'max_cost'])


@dataclass
class _ClipPlan(Data):
    """Everything a renderer needs to make one clip, and nothing it has to decide.

    Written beside each clip as JSON, stable within a ``version``, meant to be edited and rendered again. All
    times but ``span`` are on the clip's timeline (seconds from its first frame); all places are fractions of the displayed
    source picture (upright, square pixels) or, for captions, of the output.
    """

    version: int
    """The version of this document: ``ClipPlan.VERSION``."""
    source: PlanSource
    """The file to cut from."""
    span: Span
    """Which stretch of the source, in seconds of the source."""
    title: str
    """The clip's title; its file is named after it."""
    reason: str
    """Why this span was chosen."""
    score: Score
    """How good it is as a clip."""
    shots: List[Shot]
    """The camera shots. They explain the scenes; the renderer does not read them."""
    faces: List[FaceTrack]
    """The faces that were seen, on the clip's timeline. They explain the crop; the renderer does not read them."""
    scenes: List[Scene]
    """How the picture is framed: scenes in order, without gaps, from 0 to the clip's end. The crop jumps only where one ends."""
    output: Output
    """The file to make."""
    captions: Optional[CaptionTrack] = None
    """The captions; none for a clip without."""
    hook: Optional[Hook] = None
    """A title over the first seconds; none for a clip without."""
    hook_line: Optional[str] = None
    """A line to show over the first seconds; none where nobody wrote one. ``hook`` draws it, where it is asked for."""
    subjects: Optional[List[SubjectTrack]] = None
    """What else drew the eye, on the clip's timeline. It explains the crop; the renderer does not read it."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'source': _named("PlanSource"),
        'span': _named("Span"),
        'score': _named("Score"),
        'shots': many(_named("Shot")),
        'faces': many(_named("FaceTrack")),
        'scenes': many(_named("Scene")),
        'output': _named("Output"),
        'captions': _named("CaptionTrack"),
        'hook': _named("Hook"),
        'subjects': many(_named("SubjectTrack")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['captions', 'hook', 'hook_line', 'subjects'])


@dataclass
class Color(Data):
    """How numbers mean colours, in FFmpeg's names (``bt709``, ``smpte2084``); ``unknown`` where the file does not say."""

    primaries: str
    """Which red, green and blue."""
    transfer: str
    """From code value to light."""
    matrix: str
    """From RGB to luma and chroma."""
    range: str
    """``tv`` (16 to 235) or ``pc`` (0 to 255)."""
    hdr: Optional[Hdr] = None
    """Set for high dynamic range."""
    _optional: ClassVar[frozenset[str]] = frozenset(['hdr'])


@dataclass
class _Concurrency(Data):
    """Lets only so many calls run at a time; the others wait in order of arrival. Default 1.

    Clones share the places, and so do all runs that share the stage: a model that needs all of the memory, an account that takes two requests
    at once. What one run may do at once is rather ``ClipOptions.at_once``.

    It belongs inside ``Retry``: no place is held while a retry waits. In JSON, ``{"concurrency": {"at_once": 2}}``.
    """

    at_once: int = 1


@dataclass
class Crop(Data):
    """A window on the source, of one size, that may move."""

    width: float
    """The window's width, as a fraction of the picture's."""
    height: float
    """The window's height, as a fraction of the picture's."""
    path: List[CropKey]
    """Where its top left corner is, in order of time. Between two keys it moves evenly; before the first and after the last it stands."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'path': many(_named("CropKey")),
    }


@dataclass
class CropKey(Data):
    """Where a crop window is at one moment."""

    at: Timestamp
    """When, on the clip's timeline."""
    x: float
    """Left edge, as a fraction of the picture's width."""
    y: float
    """Top edge, as a fraction of the picture's height."""


@dataclass
class Cue(Data):
    """Words shown together."""

    span: Span
    """When they are shown, on the clip's timeline."""
    words: List[CueWord]
    """The words, in order. Their text is shown as it stands; nothing in it is interpreted."""
    place: Optional[CuePlace] = None
    """Where they stand, where that is not the style's position."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'words': many(_named("CueWord")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['place'])


@dataclass
class CueWord(Data):
    """A word of a cue."""

    text: str
    """As shown."""
    span: Span
    """When it is said, on the clip's timeline."""
    emphasized: Optional[bool] = None
    """Whether it is a keyword, shown as the style's ``emphasis`` says."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['emphasized'])


@dataclass
class Emphasis(Data):
    """How keywords stand out from the words around them."""

    color: Rgb
    """Their colour. In ``karaoke`` they take it as they are said, in the others they have it from the start."""
    scale: float = 1.0
    """Their size, next to the other words': 0.5 to 2. Default 1."""
    words: Optional[List[str]] = None
    """The keywords, whatever their case. None, the default, chooses them from what is said: numbers, names, and long words that
    are seldom said; at most one in a cue.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['words'])


@dataclass
class StartedEvent(Data):
    """A stage began, for the run or for one clip."""

    stage: Stage
    """The stage."""
    clip: Optional[int] = None
    """The clip, from 1 in order of rank."""
    event: str = 'started'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class ProgressEvent(Data):
    """A stage got further."""

    stage: Stage
    """The stage."""
    fraction: float
    """The part done, 0 to 1."""
    clip: Optional[int] = None
    """The clip, from 1 in order of rank."""
    event: str = 'progress'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class FinishedEvent(Data):
    """A stage ended well."""

    stage: Stage
    """The stage."""
    clip: Optional[int] = None
    """The clip, from 1 in order of rank."""
    event: str = 'finished'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class PlannedEvent(Data):
    """The number of clips is known."""

    clips: int
    """How many clips will be made."""
    event: str = 'planned'


@dataclass
class WaitingEvent(Data):
    """A stage waits: for a place, for its next attempt."""

    stage: Stage
    """The stage."""
    seconds: float
    """For how long."""
    reason: str
    """Why, in one line for a person."""
    clip: Optional[int] = None
    """The clip, from 1 in order of rank."""
    event: str = 'waiting'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class WarningEvent(Data):
    """Something went less well than asked."""

    stage: Stage
    """The stage that degraded."""
    message: str
    """One line for a person: what happened, what was done instead, how to avoid it."""
    clip: Optional[int] = None
    """The clip concerned, counted from 1 in order of rank; none where the whole run is."""
    event: str = 'warning'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class ClipEvent(Data):
    """A clip is in its place."""

    file: str
    """The clip, relative to the output folder, or its address."""
    span: Span
    """Where it comes from, in seconds of the source."""
    score: Score
    """How good it is."""
    title: str
    """Its title."""
    reason: str
    """Why it was chosen."""
    warnings: List[Warning]
    """What went less well than asked."""
    cover: Optional[str] = None
    """Its cover, likewise."""
    hook_line: Optional[str] = None
    """A line that makes people stay, for whoever posts the clip; none where nobody wrote one."""
    plan: Optional[str] = None
    """Its plan, likewise."""
    event: str = 'clip'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'score': _named("Score"),
        'warnings': many(_named("Warning")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['cover', 'hook_line', 'plan'])


#: Something that happened in a run, for progress bars and logs.
Event = Union[StartedEvent, ProgressEvent, FinishedEvent, PlannedEvent, WaitingEvent, WarningEvent, ClipEvent, Unknown]
_event: Loader = tagged('event', lambda: {'started': StartedEvent, 'progress': ProgressEvent, 'finished': FinishedEvent, 'planned': PlannedEvent, 'waiting': WaitingEvent, 'warning': WarningEvent, 'clip': ClipEvent})


@dataclass
class FaceSample(Data):
    """A face in one frame."""

    at: Timestamp
    """The frame's time on the source's timeline."""
    rect: Rect
    """The face's box, in the displayed picture."""
    confidence: float
    """How sure the detector is, 0 to 1."""
    mouth: float
    """How much the mouth region changed since the sample before, 0 (still) upwards; a talking mouth is well above a closed one."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'rect': _named("Rect"),
    }


@dataclass
class FaceTrack(Data):
    """One face through one shot."""

    id: int
    """Its number, unique in its ``Tracks``."""
    samples: List[FaceSample]
    """Where the face was, in order of time. Never empty."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'samples': many(_named("FaceSample")),
    }


@dataclass
class FrameOptions(Data):
    """Which pictures ``Frames`` returns, and their size."""

    longest: Optional[int] = None
    """The longer side of the pictures in pixels; smaller videos are not enlarged. ``None``, the
    default, keeps the video's size. Small pictures are faster to convert, and most face
    detectors have an input of 320 or 640 pixels.
    """
    per_second: Optional[float] = None
    """The maximum number of pictures per second; those between are decoded and dropped. ``None``,
    the default, returns every frame.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['longest', 'per_second'])


@dataclass
class FrameRate(Data):
    """Frames per second as a fraction."""

    num: int
    """Frames ..."""
    den: int
    """... in this many seconds."""


@dataclass
class Hook(Data):
    """A title laid over the clip's first seconds, so that who scrolls past knows what it is about."""

    text: str
    """What it says. Shown as it stands; nothing in it is interpreted."""
    span: Span
    """When it is shown, on the clip's timeline."""
    area: Rect
    """The part of the output that it may take: it stands in the middle of it, and shrinks until it fits."""
    style: HookStyle
    """How it looks."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'area': _named("Rect"),
        'style': _named("HookStyle"),
    }


@dataclass
class HookStyle(Data):
    """How a ``Hook`` looks. In JSON, what is left out is as in ``HookStyle.default``."""

    bold: bool = False
    """Whether to take the family's bold weight. Default no: Lato Black is heavy already."""
    color: Rgb = '#0c0c10'
    """Colour of the words. Default black."""
    font: str = 'Lato Black'
    """The font's family name, as fontconfig knows it. Default Lato Black."""
    plate: Optional[Rgb] = '#ffffff'
    """Colour of the plate behind the lines; none, in JSON ``null``, for words with a black outline. Default white."""
    secs: float = 3.0
    """How long it is shown, in seconds. Default 3."""
    size: float = 0.036
    """The font's largest size: a fraction of the output's height. Default 0.036."""


@dataclass
class FillLayout(Data):
    """One window of the source fills the output."""

    crop: Crop
    """The window."""
    kind: str = 'fill'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'crop': _named("Crop"),
    }


@dataclass
class SplitLayout(Data):
    """Two windows, one above the other, half of the output each."""

    top: Crop
    """What the upper half shows."""
    bottom: Crop
    """What the lower half shows."""
    speaking: Optional[List[Speaking]] = None
    """Whose half is marked, in order of time; before the first entry none is."""
    kind: str = 'split'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'top': _named("Crop"),
        'bottom': _named("Crop"),
        'speaking': many(_named("Speaking")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['speaking'])


@dataclass
class FitLayout(Data):
    """A window of the source, normally all of it, over a blurred copy of itself that fills the output."""

    pane: Pane
    """The window and where it is shown."""
    kind: str = 'fit'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'pane': _named("Pane"),
    }


@dataclass
class PipLayout(Data):
    """A window of the source and a smaller one laid over it (a camera's picture over a screencast), before a blurred copy of the first
    where the two leave the output free.
    """

    screen: Pane
    """The larger window and where it is shown."""
    inset: Pane
    """The smaller window and where it is shown, in front."""
    kind: str = 'pip'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'screen': _named("Pane"),
        'inset': _named("Pane"),
    }


#: How the picture is arranged.
Layout = Union[FillLayout, SplitLayout, FitLayout, PipLayout, Unknown]
_layout: Loader = tagged('kind', lambda: {'fill': FillLayout, 'split': SplitLayout, 'fit': FitLayout, 'pip': PipLayout})


@dataclass
class Loudness(Data):
    """How loud a clip is, by ITU-R BS.1770 and EBU R 128.

    The whole clip is raised or lowered by one amount; only peaks that would pass the limit are held down. It is raised by at most 20 dB,
    and a clip below -50 LUFS, in which nothing is meant to be heard, is left as it is.
    """

    integrated: float
    """Integrated loudness in LUFS, -40 to -5."""
    true_peak: float
    """The highest true peak in dBTP, -9 to 0, in the finished file."""


@dataclass
class _Manifest(Data):
    """What a run made: the content of ``clips.json``."""

    version: int
    """The version of this document: ``Manifest.VERSION``."""
    source: PlanSource
    """The input."""
    clips: List[ManifestClip]
    """The clips, best first."""
    warnings: List[Warning]
    """What went less well than asked in the run as a whole, and clips that failed."""
    timings: Timing
    """Where the time went."""
    usage: Optional[List[Usage]] = None
    """What was asked of paid models, and what it cost: one entry for each stage and model. Empty where nothing was asked of any."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'source': _named("PlanSource"),
        'clips': many(_named("ManifestClip")),
        'warnings': many(_named("Warning")),
        'timings': _named("Timing"),
        'usage': many(_named("Usage")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['usage'])


@dataclass
class _ManifestClip(Data):
    """One clip of a ``Manifest``."""

    file: str
    """The clip, relative to the output folder, or its address."""
    span: Span
    """Where it comes from, in seconds of the source."""
    score: Score
    """How good it is."""
    title: str
    """Its title."""
    reason: str
    """Why it was chosen."""
    warnings: List[Warning]
    """What went less well than asked."""
    cover: Optional[str] = None
    """Its cover, likewise."""
    hook_line: Optional[str] = None
    """A line that makes people stay, for whoever posts the clip; none where nobody wrote one."""
    plan: Optional[str] = None
    """Its plan, likewise."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'score': _named("Score"),
        'warnings': many(_named("Warning")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['cover', 'hook_line', 'plan'])


@dataclass
class Media(Data):
    """A media file on this machine and what is in it."""

    path: str
    """Where the file is."""
    id: ContentId
    """What the file is."""
    container: str
    """The container's short name, as FFmpeg gives it (``mov,mp4,m4a,3gp,3g2,mj2``)."""
    duration: Timestamp
    """How long the longest of sound and picture plays, measured where the container does not say or cannot be believed."""
    audio: List[AudioStream]
    """Sound streams, in file order."""
    subtitles: List[SubtitleStream]
    """Subtitle streams, in file order."""
    video: Optional[VideoStream] = None
    """The picture that a player would show; none in a sound file."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'audio': many(_named("AudioStream")),
        'subtitles': many(_named("SubtitleStream")),
        'video': _named("VideoStream"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['video'])


@dataclass
class OnnxTrackerOptions(Data):
    """Options of an ``OnnxTracker``."""

    confidence: Optional[float] = None
    """The detector's confidence threshold, 0 to 1. ``None``, the default, uses the threshold of the
    model's authors (UltraFace 0.7, YuNet 0.6). A lower one finds more faces and more false
    ones. Each track must also reach a peak confidence, at two thirds of the way from the
    threshold to 1.
    """
    library: Optional[str] = None
    """The ONNX Runtime library to load. ``None``, the default, loads the one that
    ``set_library`` or ``ORT_DYLIB_PATH`` names, or else the system's. A
    process uses one library: the option has no effect once a model is open.
    """
    samples_per_second: float = 5.0
    """Detections per second, 1 to 30; default 5. More follow fast motion better, and cost one
    inference each, or a third of one while faces stay or move evenly. Cuts are exact to the
    frame in any case.
    """
    threads: int = 1
    """Threads of one inference; default 1, which takes the least CPU time with models this small.
    0 starts one per core.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['confidence', 'library'])


@dataclass
class OpenAiServer(Data):
    """A server that speaks OpenAI's API: OpenAI itself, Groq, speaches, Ollama, vLLM, LM Studio and others.

    What is not set comes from the environment: ``OPENAI_BASE_URL``, ``OPENAI_API_KEY``, ``OPENAI_ORG_ID``. The key is never written anywhere: not to
    JSON, logs, errors or manifests.

    A long video takes many requests, and what a server limits is requests. So its limits are layers here, around each of them, and not around
    the stage that makes them: one upload of twenty that fails is sent again alone, and a rate counts every upload.
    """

    base_url: Optional[str] = None
    """The address below which the API's paths lie, such as ``http://localhost:8000/v1``."""
    layers: List[Dict[str, Any]] = field(default_factory=lambda: [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}])  # noqa: E501
    """What goes around each request, the first next to it. Default: a ``Retry``, which is all that ever tries a request again; none, and each is
    sent once. Clones of a server count together: give one to the transcriber and to the scorer, and its rate holds for both; what is read
    from JSON counts by itself. A cache has no place here, but around the stage.
    """
    organization: Optional[str] = None
    """The organisation to charge."""
    _optional: ClassVar[frozenset[str]] = frozenset(['base_url', 'organization'])


@dataclass
class OpenAiTranscriberOptions(Data):
    """Transcribes by a Whisper-style API: OpenAI's, or any server that speaks it.

    The sound is taken out as mono M4A (about 6 kB a second), cut at pauses into stretches of some ten minutes that overlap, sent a few at a
    time, and the words are put together again. Stretches that nobody speaks in are not sent.

    ``whisper-1`` and its kin answer with word times. Where a model answers with sentences alone, words share a sentence's time by their length;
    where it gives no times at all (``gpt-4o-transcribe`` and its kin), it is sent a few seconds at a time, from pause to pause, and words are put
    where the voice is. A warning says so either way.

    Each request is made inside the server's layers (``OpenAiServer.layers``): one that fails is sent again alone, not all of the video.
    """

    language: Optional[str] = None
    """The language as ISO 639-1 (``en``), where known. Default: the server finds out."""
    model: str = 'whisper-1'
    """The model. Default ``whisper-1``, the one of OpenAI's with word times."""
    prompt: Optional[str] = None
    """Names and terms to spell as given here, or a sentence in the style to write in. ``whisper-1`` heeds the last 224 tokens."""
    server: OpenAiServer = field(default_factory=lambda: _named("OpenAiServer")({'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}))  # noqa: E501
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int = 600
    """How long the answer to one stretch may take, in seconds; then it is sent again, as the server's layers say. Default 600."""
    uploads: int = 3
    """How many stretches are sent at once. Default 3."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'server': _named("OpenAiServer"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['language', 'prompt'])


@dataclass
class Orientation(Data):
    """How a stored picture is turned for display: mirrored left to right first if ``mirrored``, then turned clockwise."""

    clockwise: int
    """Clockwise degrees: 0, 90, 180 or 270."""
    mirrored: bool
    """Whether left and right change places before the turn."""


@dataclass
class Output(Data):
    """The file to make: H.264 and AAC in an MP4, with everything that is needed to repeat the encode by hand."""

    codec: str
    """The picture's codec: ``h264`` (x264, High profile, yuv420p, BT.709)."""
    preset: X264Preset
    """x264's speed preset."""
    crf: int
    """x264's constant rate factor, 0 to 51: lower is better and larger."""
    width: int
    """Columns; even."""
    height: int
    """Rows; even."""
    frame_rate: FrameRate
    """Frames per second, constant."""
    audio_bitrate: int
    """Bits of sound a second (AAC, 48 kHz, stereo)."""
    loudness: Optional[Loudness] = None
    """How loud the sound is made; none leaves it as it is in the source."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'frame_rate': _named("FrameRate"),
        'loudness': _named("Loudness"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['loudness'])


@dataclass
class Pane(Data):
    """A window of the source and the part of the output that it fills."""

    crop: Crop
    """The window."""
    place: Rect
    """Where it is shown: fractions of the output."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'crop': _named("Crop"),
        'place': _named("Rect"),
    }


@dataclass
class PipelineConfig(Data):
    """Which stage does what, and what is asked of them. Everything has a default; unknown fields are refused."""

    layers: Dict[str, List[Dict[str, Any]]] = field(default_factory=dict)
    """What goes around each stage, the first of a list next to it: ``{"transcribe": [{"retry": {}}, {"cache": {}}]}``. The order matters: see
    ``StageExt``. By default, what a model or an API answers is cached in the user's cache folder, and nothing else has layers; a list takes
    the default's place, so ``{"track": []}`` looks at every span anew.

    What steps in for a stage stands outside its layers: captions before an API, the heuristic after one, the crop in the middle. What a server
    limits stands around its requests, by default a retry: ``OpenAiServer.layers``.
    """
    options: ClipOptions = field(default_factory=lambda: _named("ClipOptions")({'about': [], 'aspect': '9:16', 'at_once': {}, 'avoid': [], 'captions': {'animation': 'karaoke', 'avoid_faces': True, 'bold': False, 'color': '#ffffff', 'font': 'Lato Black', 'highlight': '#ffd60a', 'max_words': 5, 'name': 'karaoke', 'outline': '#000000', 'outline_width': 0.09, 'position': 0.645, 'shadow': 0.03, 'size': 0.048, 'uppercase': False}, 'clips': 10, 'crf': 20, 'genre': None, 'hook': None, 'jobs': None, 'layout': 'auto', 'loudness': {'integrated': -14.0, 'true_peak': -1.0}, 'max': 60.0, 'max_cost': None, 'min': 15.0, 'platform': 'generic', 'preset': 'veryfast', 'snap': True}))  # noqa: E501
    """What clips are made, and how many."""
    publisher: PublisherConfig = field(default_factory=lambda: _named("PublisherConfig")({'keep_others': False, 'kind': 'folder', 'path': 'clips'}))  # noqa: E501
    """Where clips go. Default: the folder ``clips``."""
    renderer: RendererConfig = field(default_factory=lambda: _named("RendererConfig")({'kind': 'ffmpeg'}))
    """How plans become files. Default ``ffmpeg``."""
    scorer: ScorerConfig = field(default_factory=lambda: _named("ScorerConfig")({'kind': 'auto'}))
    """How spans are chosen. Default ``auto``."""
    source: SourceConfig = field(default_factory=lambda: _named("SourceConfig")({'kind': 'file'}))
    """Where videos come from. Default ``file``."""
    tracker: TrackerConfig = field(default_factory=lambda: _named("TrackerConfig")({'kind': 'auto', 'model': None}))
    """How faces and shots are found. Default ``auto``."""
    transcriber: TranscriberConfig = field(default_factory=lambda: _named("TranscriberConfig")({'kind': 'auto', 'model': None, 'openai': {'language': None, 'model': 'whisper-1', 'prompt': None, 'server': {'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}, 'timeout_secs': 600, 'uploads': 3}}))  # noqa: E501
    """How words and their times are found. Default ``auto``."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'options': _named("ClipOptions"),
        'publisher': _named("PublisherConfig"),
        'renderer': _named("RendererConfig"),
        'scorer': _named("ScorerConfig"),
        'source': _named("SourceConfig"),
        'tracker': _named("TrackerConfig"),
        'transcriber': _named("TranscriberConfig"),
    }


@dataclass
class PlanSource(Data):
    """The file a plan cuts from."""

    path: str
    """Where it was when the plan was made. A relative path is looked up from the working folder."""
    id: ContentId
    """What it was, so that another file of the same name is noticed."""
    width: int
    """Columns of the picture as displayed."""
    height: int
    """Rows of the picture as displayed."""
    duration: Timestamp
    """How long it plays."""


@dataclass
class Planned(Data):
    """What ``Pipeline.plan`` answers: the clips that would be made."""

    media: Media
    """The input."""
    plans: List[RankedPlan]
    """One plan a clip, best first. A rank is missing where a plan could not be made."""
    warnings: List[Warning]
    """What went less well than asked; a clip's rank stands in ``Warning.clip``."""
    usage: List[Usage]
    """What was asked of paid models, and what it cost."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'media': _named("Media"),
        'plans': many(_named("RankedPlan")),
        'warnings': many(_named("Warning")),
        'usage': many(_named("Usage")),
    }


@dataclass
class Post(Data):
    """A clip and what goes with it, for a ``Publisher``."""

    rank: int
    """Its place in the ranking, from 1."""
    clip: Clip
    """The files."""
    plan: ClipPlan
    """What was rendered; title, reason and score stand here."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'clip': _named("Clip"),
        'plan': _named("ClipPlan"),
    }


@dataclass
class Price(Data):
    """What a language model costs, in US dollars for a million tokens."""

    input: float
    """For tokens that it reads."""
    output: float
    """For tokens that it writes, thoughts included."""


@dataclass
class FolderPublisherConfig(Data):
    """A folder on this machine: ``Folder``."""

    path: str
    """The folder, made if it is missing."""
    keep_others: bool = False
    """Whether an existing manifest keeps its other clips: ``Folder.keep_others``. Default no."""
    kind: str = 'folder'


#: Where clips go.
PublisherConfig = Union[FolderPublisherConfig, Unknown]
_publisher_config: Loader = tagged('kind', lambda: {'folder': FolderPublisherConfig})


@dataclass
class RankedPlan(Data):
    """A plan and its place in the ranking, which numbers its files."""

    rank: int
    """The place, from 1."""
    plan: ClipPlan
    """The plan."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'plan': _named("ClipPlan"),
    }


@dataclass
class _RateLimit(Data):
    """Lets only so many calls begin in any minute, and in any day. Callers wait in order of arrival, and are told for how long
    (``Event.Waiting``); where the day's calls are used up the error says when there are more (``Recovery.WaitUntil``).

    It counts over the last 60 s and 24 h, not over the clock's minutes and days: that is never more than a server allows, and at times less.
    Clones count together, so stages that share an account get clones of one limit. It counts what this process does, since it started.

    It belongs inside ``Retry``, so that each attempt counts. In JSON, ``{"rate_limit": {"per_minute": 5, "per_day": 100}}``;
    ``{"rate_limit": {}}`` is the default, 5 a minute, and ``"per_minute": null`` counts days alone.
    """

    per_day: Optional[int] = None
    per_minute: Optional[int] = 5
    _optional: ClassVar[frozenset[str]] = frozenset(['per_day'])


@dataclass
class Receipt(Data):
    """Where a publisher put a clip."""

    file: str
    """The clip's place: a path relative to the publisher's folder, or an address."""
    cover: Optional[str] = None
    """The cover's place, where it was published too."""
    plan: Optional[str] = None
    """The plan's place, where it was published too."""
    _optional: ClassVar[frozenset[str]] = frozenset(['cover', 'plan'])


@dataclass
class Rect(Data):
    """A box in the picture as a viewer sees it (upright, square pixels): fractions of its width and height, from the top left."""

    x: float
    """Left edge, 0 to 1."""
    y: float
    """Top edge, 0 to 1."""
    width: float
    """Width, 0 to 1."""
    height: float
    """Height, 0 to 1."""


@dataclass
class FfmpegRendererConfig(Data):
    """The FFmpeg libraries: ``FfmpegRenderer``. The size comes from ``ClipOptions.aspect``."""

    kind: str = 'ffmpeg'


#: How plans become files.
RendererConfig = Union[FfmpegRendererConfig, Unknown]
_renderer_config: Loader = tagged('kind', lambda: {'ffmpeg': FfmpegRendererConfig})


@dataclass
class _Retry(Data):
    """Calls again what failed, where the error's ``Recovery`` says that this may help. Each wait is told (``Event.Waiting``).

    The wait grows from attempt to attempt, with up to half as much again at random, so that many callers do not come back together. Where
    the other side says how long to wait (``Retry-After``), that is how long. Three attempts with the defaults take 15 to 22 s of waiting.
    Wrong settings, unusable input and cancelled work are never tried again.

    Attempts do not multiply: what a retry further inside has tried counts, so of two around the same work the one with more attempts decides.
    Stages that ask a server have one around each request (``OpenAiServer.layers``), where one request that fails
    is made again alone; one around such a stage is for a fallback or a server that is down for longer.

    It belongs outside ``RateLimit`` and ``Timeout``, so that they hold for each attempt: see
    ``StageExt``. In JSON, ``{"retry": {"attempts": 3, "first": 5, "factor": 2, "longest": 600}}``.
    """

    attempts: int = 3
    factor: float = 2.0
    first: float = 5.0
    longest: float = 600.0


@dataclass
class Scene(Data):
    """A stretch of the clip with one layout."""

    span: Span
    """Where it is, on the clip's timeline."""
    layout: Layout
    """How the picture is arranged."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'layout': _named("Layout"),
    }


@dataclass
class _Score(Data):
    """How good a span is as a clip."""

    total: float
    """The whole: 0 to 100. Clips are ranked by it."""
    hook: float
    """How strongly the first sentence catches: 0 to 10."""
    completeness: float
    """How well it stands without what was said around it: 0 to 10."""
    density: float
    """How much is said in its time: 0 to 10."""
    emotion: float
    """How much feeling is in it: 0 to 10."""


@dataclass
class ScoreOptions(Data):
    """How many clips, how long, and what about."""

    about: List[str] = field(default_factory=list)
    """What clips should be about; empty for anything. A word, or a few that belong together ("machine learning")."""
    avoid: List[str] = field(default_factory=list)
    """What clips should not be about."""
    genre: Optional[Genre] = None
    """What kind of video this is: it decides what counts in a clip. Default: a bit of everything."""
    max: float = 60.0
    """The longest clip; in JSON, seconds. Default 60 s."""
    max_clips: int = 10
    """The most clips wanted. Default 10."""
    min: float = 15.0
    """The shortest clip; in JSON, seconds. Default 15 s."""
    _optional: ClassVar[frozenset[str]] = frozenset(['genre'])


@dataclass
class AutoScorerConfig(Data):
    """A language model where a key or a server is set, and the heuristic where it fails; else the heuristic."""

    kind: str = 'auto'


@dataclass
class HeuristicScorerConfig(Data):
    """Rules over the words: ``Heuristic``."""

    kind: str = 'heuristic'


@dataclass
class OpenaiScorerConfig(Data):
    """A language model behind an API, and the heuristic where it fails: ``OpenAiScorer``."""

    model: str = 'gpt-4o-mini'
    """The model. Default ``gpt-4o-mini``."""
    price: Optional[Price] = None
    """What the model costs. Default: what is known of OpenAI's own models."""
    requests: int = 3
    """How many requests run at once. Default 3."""
    rerank: bool = True
    """Whether the best spans are compared with each other after they were scored: up to twelve requests more. Default yes."""
    server: OpenAiServer = field(default_factory=lambda: _named("OpenAiServer")({'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}))  # noqa: E501
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int = 120
    """How long one answer may take, in seconds; then the request is made again, as the server's layers say. Default 120."""
    kind: str = 'openai'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'price': _named("Price"),
        'server': _named("OpenAiServer"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['price'])


#: How spans are chosen.
ScorerConfig = Union[AutoScorerConfig, HeuristicScorerConfig, OpenaiScorerConfig, Unknown]
_scorer_config: Loader = tagged('kind', lambda: {'auto': AutoScorerConfig, 'heuristic': HeuristicScorerConfig, 'openai': OpenaiScorerConfig})


@dataclass
class Scoring(Data):
    """What a ``Scorer`` is given."""

    transcript: Transcript
    """What is said in it."""
    media: Optional[Media] = None
    """The video; none where only its transcript is at hand."""
    options: ScoreOptions = field(default_factory=lambda: _named("ScoreOptions")({'about': [], 'avoid': [], 'genre': None, 'max': 60.0, 'max_clips': 10, 'min': 15.0}))  # noqa: E501
    """What is asked for."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'transcript': _named("Transcript"),
        'media': _named("Media"),
        'options': _named("ScoreOptions"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['media'])


@dataclass
class Shot(Data):
    """A stretch between two camera cuts. ``start`` is the time of the shot's first frame."""

    span: Span
    """Where it is. In ``Tracks`` on the source's timeline, in a plan on the clip's."""
    content: ShotContent = 'camera'
    """What kind of picture it shows."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }


@dataclass
class FileSourceConfig(Data):
    """Files on this machine: ``FileSource``."""

    kind: str = 'file'


#: Where videos come from.
SourceConfig = Union[FileSourceConfig, Unknown]
_source_config: Loader = tagged('kind', lambda: {'file': FileSourceConfig})


@dataclass
class _Span(Data):
    """A stretch of a timeline: from ``start`` up to but not including ``end``."""

    start: Timestamp
    end: Timestamp


@dataclass
class Speaking(Data):
    """From when on which half of a split picture speaks."""

    from_: Timestamp
    """When, on the clip's timeline."""
    half: Optional[Half] = None
    """Which half; none where nobody, or somebody else, speaks."""
    _names: ClassVar[Dict[str, str]] = {'from_': 'from'}
    _optional: ClassVar[frozenset[str]] = frozenset(['half'])


@dataclass
class SubjectSample(Data):
    """Where a subject is in one frame."""

    at: Timestamp
    """The frame's time; in ``Tracks`` on the source's timeline, in a plan on the clip's."""
    rect: Rect
    """The box around it, in the displayed picture."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'rect': _named("Rect"),
    }


@dataclass
class SubjectTrack(Data):
    """Something that draws the eye through one shot, other than a face."""

    samples: List[SubjectSample]
    """Where it was, in order of time. Never empty."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'samples': many(_named("SubjectSample")),
    }


@dataclass
class SubtitleStream(Data):
    """A subtitle stream."""

    index: int
    """The stream's number in the file."""
    codec: str
    """The codec's short name (``subrip``, ``webvtt``, ``ass``, ``mov_text``, ``hdmv_pgs_subtitle``)."""
    language: Optional[str] = None
    """The language the file names, if it does."""
    _optional: ClassVar[frozenset[str]] = frozenset(['language'])


@dataclass
class _Timeout(Data):
    """Gives a call so long. What takes longer is cancelled, and the error (``ErrorKind.TimedOut``) may be retried. Default 10 minutes.

    The work is asked to stop by its context, as when a caller cancels, and gets a moment to tidy up; then it is abandoned. Work that is done
    in that moment is not thrown away.

    It belongs next to the stage, inside ``Retry`` and ``RateLimit``: outside, their waits use the time up. The time
    is for a whole call, a long video's as well as a short one's, so be generous. In JSON, ``{"timeout": {"seconds": 600}}``.
    """

    seconds: float = 600.0


@dataclass
class Timing(Data):
    """Where a run's time went, in seconds. A stage's time is the sum over clips, so with clips side by side it can exceed the total."""

    total: float
    """From start to end."""


@dataclass
class AutoTrackerConfig(Data):
    """A model as for ``onnx``; where it or the library it needs cannot be had, a warning and what ``motion`` does."""

    model: Optional[str] = None
    """A model's name or the path of its file; none is the default face detector."""
    kind: str = 'auto'
    _optional: ClassVar[frozenset[str]] = frozenset(['model'])


@dataclass
class OnnxTrackerConfig(Data):
    """A model, downloaded if it is missing: ``OnnxTracker``. That it cannot be had is an error."""

    model: Optional[str] = None
    """A model's name or the path of its file; none is the default face detector."""
    kind: str = 'onnx'
    _optional: ClassVar[frozenset[str]] = frozenset(['model'])


@dataclass
class MotionTrackerConfig(Data):
    """What moves is followed, without any model: ``MotionTracker``, and the crop in the middle where it fails."""

    kind: str = 'motion'


@dataclass
class CenterTrackerConfig(Data):
    """No looking, and the crop in the middle: ``CenterTracker``."""

    kind: str = 'center'


#: How faces and shots are found.
TrackerConfig = Union[AutoTrackerConfig, OnnxTrackerConfig, MotionTrackerConfig, CenterTrackerConfig, Unknown]
_tracker_config: Loader = tagged('kind', lambda: {'auto': AutoTrackerConfig, 'onnx': OnnxTrackerConfig, 'motion': MotionTrackerConfig, 'center': CenterTrackerConfig})


@dataclass
class Tracking(Data):
    """The input of a ``FaceTracker``."""

    media: Media
    """The video."""
    span: Span
    """The span to analyse, on the source's timeline."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'media': _named("Media"),
        'span': _named("Span"),
    }


@dataclass
class Tracks(Data):
    """What a tracker saw in a span."""

    shots: List[Shot]
    """The camera shots, in order, without gaps: they cover the span. Empty where the tracker did not look."""
    faces: List[FaceTrack]
    """One track a person and shot. Empty where no face was seen."""
    subjects: List[SubjectTrack] = field(default_factory=list)
    """What else draws the eye: something that moves, say. At most one at a time. A shot with faces is framed by them alone."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'shots': many(_named("Shot")),
        'faces': many(_named("FaceTrack")),
        'subjects': many(_named("SubjectTrack")),
    }


@dataclass
class AutoTranscriberConfig(Data):
    """Captions beside the video or inside it; else the API, where a key or a server is set; else a speech model on this machine, where one
    is found, which also steps in, with a warning, where the API fails; else an error that lists the ways.
    """

    model: Optional[str] = None
    """The local model's folder; none is ``speech`` in the folder of ``CLIPKIT_MODELS``, else in the cache, else
    ``Model.DEFAULT_SPEECH`` where it was downloaded.
    """
    openai: OpenAiTranscriberOptions = field(default_factory=lambda: _named("OpenAiTranscriberOptions")({'language': None, 'model': 'whisper-1', 'prompt': None, 'server': {'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}, 'timeout_secs': 600, 'uploads': 3}))  # noqa: E501
    """How the API is asked, if it comes to that."""
    kind: str = 'auto'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'openai': _named("OpenAiTranscriberOptions"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['model'])


@dataclass
class CaptionsTranscriberConfig(Data):
    """A transcript that exists already: ``Captions``."""

    file: Optional[str] = None
    """The transcript; none looks beside the video and inside it."""
    kind: str = 'captions'
    _optional: ClassVar[frozenset[str]] = frozenset(['file'])


@dataclass
class OpenaiTranscriberConfig(Data):
    """A Whisper-style API: ``OpenAiTranscriber``."""

    language: Optional[str] = None
    """The language as ISO 639-1 (``en``), where known. Default: the server finds out."""
    model: str = 'whisper-1'
    """The model. Default ``whisper-1``, the one of OpenAI's with word times."""
    prompt: Optional[str] = None
    """Names and terms to spell as given here, or a sentence in the style to write in. ``whisper-1`` heeds the last 224 tokens."""
    server: OpenAiServer = field(default_factory=lambda: _named("OpenAiServer")({'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}))  # noqa: E501
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int = 600
    """How long the answer to one stretch may take, in seconds; then it is sent again, as the server's layers say. Default 600."""
    uploads: int = 3
    """How many stretches are sent at once. Default 3."""
    kind: str = 'openai'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'server': _named("OpenAiServer"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['language', 'prompt'])


@dataclass
class LocalTranscriberConfig(Data):
    """A speech model on this machine: ``LocalTranscriber``."""

    language: Optional[str] = None
    """The language that is spoken, as ISO 639-1 (``en``), for what comes after: such models find it out or know but one, and do not say it."""
    model: Optional[str] = None
    """The model's folder, or the name of a known one, which is downloaded if it is missing. None is the folder that ``auto`` would take, else
    ``Model.DEFAULT_SPEECH``.
    """
    kind: str = 'local'
    _optional: ClassVar[frozenset[str]] = frozenset(['language', 'model'])


#: How words and their times are found.
TranscriberConfig = Union[AutoTranscriberConfig, CaptionsTranscriberConfig, OpenaiTranscriberConfig, LocalTranscriberConfig, Unknown]
_transcriber_config: Loader = tagged('kind', lambda: {'auto': AutoTranscriberConfig, 'captions': CaptionsTranscriberConfig, 'openai': OpenaiTranscriberConfig, 'local': LocalTranscriberConfig})


@dataclass
class Transcript(Data):
    """What was said, word by word.

    Words stand in order of ``start``; a word ends at or after its start, and normally before the next one starts.
    """

    words: List[Word]
    """The words."""
    language: Optional[str] = None
    """BCP 47 tag (``en``), where known."""
    origin: str = ''
    """Where the words come from, for people: a file's name, a model's name."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'words': many(_named("Word")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['language'])


@dataclass
class Usage(Data):
    """What a stage asked of one paid model, and what that cost. Stages report it with ``Context.spend``."""

    audio_seconds: float = 0.0
    """Sound that was listened to, in seconds."""
    completion_tokens: int = 0
    """Tokens that were written."""
    cost_usd: Optional[float] = None
    """What it cost in US dollars, by the price given, else by those of OpenAI's own models as third parties quoted them in June 2026; none where
    there is no price. It is no invoice.
    """
    estimated: bool = False
    """Whether some of the tokens are estimated, since the server did not count them. Estimates are rather too high than too low."""
    model: str = ''
    """The model's name, as the server was asked for it."""
    prompt_tokens: int = 0
    """Tokens that were read."""
    requests: int = 0
    """How many requests were answered, or may have been."""
    stage: Optional[Stage] = None
    """The stage that asked; set by ``Context.spend`` where it is none."""
    _optional: ClassVar[frozenset[str]] = frozenset(['cost_usd', 'stage'])


@dataclass
class VideoStream(Data):
    """A picture stream."""

    index: int
    """The stream's number in the file."""
    codec: str
    """The codec's short name (``h264``)."""
    width: int
    """Stored columns, before orientation and pixel shape."""
    height: int
    """Stored rows, before orientation and pixel shape."""
    orientation: Orientation
    """How the stored picture is to be turned for display."""
    pixel_aspect: float
    """Width of a pixel divided by its height, in the stored picture."""
    frame_rate: FrameRate
    """Frames per second: the average over the file."""
    variable_rate: bool
    """Whether frames last differently long."""
    pixel_format: str
    """FFmpeg's name of the pixel format (``yuv420p10le``)."""
    bit_depth: int
    """Bits of one component."""
    color: Color
    """How numbers mean colours."""
    start: Timestamp
    """When the first frame shows, on the source's timeline."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'orientation': _named("Orientation"),
        'frame_rate': _named("FrameRate"),
        'color': _named("Color"),
    }


@dataclass
class Word(Data):
    """One spoken word, with the punctuation that is written with it."""

    text: str
    """As written: ``world.``"""
    start: Timestamp
    """When its sound starts."""
    end: Timestamp
    """When its sound ends."""
    speaker: Optional[str] = None
    """Who says it, where known."""
    _optional: ClassVar[frozenset[str]] = frozenset(['speaker'])


class OptionsDict(TypedDict, total=False):
    """The fields of ``ClipOptions``, as keywords."""

    about: List[str]
    """What clips should be about; empty for anything. A word, or a few that belong together."""
    aspect: Aspect
    """The shape of the picture, where the renderer was not set up for a size of its own. Default 9:16."""
    at_once: Dict[str, int]
    """How many of them may be in one stage at a time, where that is fewer: ``{"publish": 1}`` hands over one by one. Default: no limit but ``jobs``."""
    avoid: List[str]
    """What clips should not be about."""
    captions: Optional[Union[CaptionStyleGiven, CaptionStyle]]
    """How captions look; none for clips without. In JSON a preset's name, a style as ``CaptionStyle.from_json`` reads it, or null.
    Default karaoke.
    """
    clips: int
    """The most clips. Default 10."""
    crf: int
    """x264's constant rate factor, 0 to 51: lower is better and larger; 6 less doubles the size. Default 20."""
    genre: Optional[Genre]
    """What kind of video this is: it decides what counts in a clip. Default: a bit of everything."""
    hook: Optional[Union[HookStyle, Dict[str, Any]]]
    """How the clip's title is shown over its first seconds; none, the default, for clips without. In JSON ``{}`` is the usual look."""
    jobs: Optional[int]
    """How many clips are worked on side by side. Default: half the processor cores, since decoder, filters and encoder of one
    clip keep about two busy. More is not faster, and each takes about 300 MB for a 1080p source.
    """
    layout: LayoutChoice
    """How the picture is arranged: one window, two, or all of the picture. Default ``auto``: what suits each shot. Another choice holds for
    every shot; where it cannot be (two halves of one person), a warning says so.
    """
    loudness: Optional[Union[Loudness, Dict[str, Any]]]
    """How loud the sound is made; none leaves it as it is. Default -14 LUFS, peaks up to -1 dBTP."""
    max: float
    """The longest clip; in JSON, seconds. Default 60 s."""
    max_cost: Optional[float]
    """The most that a run may cost, in US dollars, by the prices known or given: stages that ask paid models stop before they pass it.
    Default: no limit.
    """
    min: float
    """The shortest clip; in JSON, seconds. Default 15 s."""
    platform: Platform
    """Where the clips go: it decides which part of the picture captions may use. Default: the part that is free everywhere."""
    preset: X264Preset
    """x264's speed preset. Default ``veryfast``; ``medium`` takes three times as long for files about as large that look a little better."""
    snap: bool
    """Whether a span's ends are moved, by up to 0.4 s, to where no word is cut. Default true; false cuts exactly where the scorer says."""


class ScoreOptionsDict(TypedDict, total=False):
    """The fields of ``ScoreOptions``, as keywords."""

    about: List[str]
    """What clips should be about; empty for anything. A word, or a few that belong together ("machine learning")."""
    avoid: List[str]
    """What clips should not be about."""
    genre: Optional[Genre]
    """What kind of video this is: it decides what counts in a clip. Default: a bit of everything."""
    max: float
    """The longest clip; in JSON, seconds. Default 60 s."""
    max_clips: int
    """The most clips wanted. Default 10."""
    min: float
    """The shortest clip; in JSON, seconds. Default 15 s."""


class OpenAiTranscriberDict(TypedDict, total=False):
    """The settings of an ``OpenAiTranscriber``, as keywords."""

    language: Optional[str]
    """The language as ISO 639-1 (``en``), where known. Default: the server finds out."""
    model: str
    """The model. Default ``whisper-1``, the one of OpenAI's with word times."""
    prompt: Optional[str]
    """Names and terms to spell as given here, or a sentence in the style to write in. ``whisper-1`` heeds the last 224 tokens."""
    server: Union[OpenAiServer, Dict[str, Any]]
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int
    """How long the answer to one stretch may take, in seconds; then it is sent again, as the server's layers say. Default 600."""
    uploads: int
    """How many stretches are sent at once. Default 3."""


class OpenAiScorerDict(TypedDict, total=False):
    """The settings of an ``OpenAiScorer``, as keywords."""

    model: str
    """The model. Default ``gpt-4o-mini``."""
    price: Optional[Union[Price, Dict[str, Any]]]
    """What the model costs. Default: what is known of OpenAI's own models."""
    requests: int
    """How many requests run at once. Default 3."""
    rerank: bool
    """Whether the best spans are compared with each other after they were scored: up to twelve requests more. Default yes."""
    server: Union[OpenAiServer, Dict[str, Any]]
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int
    """How long one answer may take, in seconds; then the request is made again, as the server's layers say. Default 120."""


class OnnxTrackerDict(TypedDict, total=False):
    """The settings of an ``OnnxTracker``, as keywords."""

    confidence: Optional[float]
    """The detector's confidence threshold, 0 to 1. ``None``, the default, uses the threshold of the
    model's authors (UltraFace 0.7, YuNet 0.6). A lower one finds more faces and more false
    ones. Each track must also reach a peak confidence, at two thirds of the way from the
    threshold to 1.
    """
    library: Union[str, "os.PathLike[str]", None]
    """The ONNX Runtime library to load. ``None``, the default, loads the one that
    ``set_library`` or ``ORT_DYLIB_PATH`` names, or else the system's. A
    process uses one library: the option has no effect once a model is open.
    """
    samples_per_second: float
    """Detections per second, 1 to 30; default 5. More follow fast motion better, and cost one
    inference each, or a third of one while faces stay or move evenly. Cuts are exact to the
    frame in any case.
    """
    threads: int
    """Threads of one inference; default 1, which takes the least CPU time with models this small.
    0 starts one per core.
    """

__all__ = [
    'Animation',
    'Aspect',
    'AudioStream',
    'AutoScorerConfig',
    'AutoTrackerConfig',
    'AutoTranscriberConfig',
    'CaptionStyle',
    'CaptionStyleGiven',
    'CaptionTrack',
    'CaptionsTranscriberConfig',
    'CenterTrackerConfig',
    'Clip',
    'ClipEvent',
    'ClipOptions',
    'Color',
    'ContentId',
    'Crop',
    'CropKey',
    'Cue',
    'CuePlace',
    'CueWord',
    'Emphasis',
    'ErrorKind',
    'Event',
    'FaceSample',
    'FaceTrack',
    'FfmpegRendererConfig',
    'FileSourceConfig',
    'FillLayout',
    'FinishedEvent',
    'FitLayout',
    'FolderPublisherConfig',
    'FrameOptions',
    'FrameRate',
    'Genre',
    'Half',
    'Hdr',
    'HeuristicScorerConfig',
    'Hook',
    'HookStyle',
    'Layout',
    'LayoutChoice',
    'LocalTranscriberConfig',
    'Loudness',
    'Media',
    'MotionTrackerConfig',
    'OnnxTrackerConfig',
    'OnnxTrackerDict',
    'OnnxTrackerOptions',
    'OpenAiScorerDict',
    'OpenAiServer',
    'OpenAiTranscriberDict',
    'OpenAiTranscriberOptions',
    'OpenaiScorerConfig',
    'OpenaiTranscriberConfig',
    'OptionsDict',
    'Orientation',
    'Output',
    'Pane',
    'PipLayout',
    'PipelineConfig',
    'PlanSource',
    'Planned',
    'PlannedEvent',
    'Platform',
    'Post',
    'Price',
    'ProgressEvent',
    'PublisherConfig',
    'RankedPlan',
    'Receipt',
    'Rect',
    'RendererConfig',
    'Rgb',
    'Scene',
    'ScoreOptions',
    'ScoreOptionsDict',
    'ScorerConfig',
    'Scoring',
    'Shot',
    'ShotContent',
    'SourceConfig',
    'Speaking',
    'SplitLayout',
    'Stage',
    'StartedEvent',
    'SubjectSample',
    'SubjectTrack',
    'SubtitleStream',
    'Timestamp',
    'Timing',
    'TrackerConfig',
    'Tracking',
    'Tracks',
    'TranscriberConfig',
    'Transcript',
    'Usage',
    'VideoStream',
    'WaitingEvent',
    'Warning',
    'WarningEvent',
    'Word',
    'X264Preset',
]

LOADERS: Dict[str, Loader] = {
    'Warning': Warning.from_dict,
    'AudioStream': AudioStream.from_dict,
    'Candidate': _made("Candidate"),
    'CaptionStyle': CaptionStyle.from_dict,
    'CaptionTrack': CaptionTrack.from_dict,
    'Clip': Clip.from_dict,
    'ClipOptions': ClipOptions.from_dict,
    'ClipPlan': _made("ClipPlan"),
    'Color': Color.from_dict,
    'Crop': Crop.from_dict,
    'CropKey': CropKey.from_dict,
    'Cue': Cue.from_dict,
    'CueWord': CueWord.from_dict,
    'Emphasis': Emphasis.from_dict,
    'StartedEvent': StartedEvent.from_dict,
    'ProgressEvent': ProgressEvent.from_dict,
    'FinishedEvent': FinishedEvent.from_dict,
    'PlannedEvent': PlannedEvent.from_dict,
    'WaitingEvent': WaitingEvent.from_dict,
    'WarningEvent': WarningEvent.from_dict,
    'ClipEvent': ClipEvent.from_dict,
    'Event': _event,
    'FaceSample': FaceSample.from_dict,
    'FaceTrack': FaceTrack.from_dict,
    'FrameOptions': FrameOptions.from_dict,
    'FrameRate': FrameRate.from_dict,
    'Hook': Hook.from_dict,
    'HookStyle': HookStyle.from_dict,
    'FillLayout': FillLayout.from_dict,
    'SplitLayout': SplitLayout.from_dict,
    'FitLayout': FitLayout.from_dict,
    'PipLayout': PipLayout.from_dict,
    'Layout': _layout,
    'Loudness': Loudness.from_dict,
    'Manifest': _made("Manifest"),
    'ManifestClip': _made("ManifestClip"),
    'Media': Media.from_dict,
    'OnnxTrackerOptions': OnnxTrackerOptions.from_dict,
    'OpenAiServer': OpenAiServer.from_dict,
    'OpenAiTranscriberOptions': OpenAiTranscriberOptions.from_dict,
    'Orientation': Orientation.from_dict,
    'Output': Output.from_dict,
    'Pane': Pane.from_dict,
    'PipelineConfig': PipelineConfig.from_dict,
    'PlanSource': PlanSource.from_dict,
    'Planned': Planned.from_dict,
    'Post': Post.from_dict,
    'Price': Price.from_dict,
    'FolderPublisherConfig': FolderPublisherConfig.from_dict,
    'PublisherConfig': _publisher_config,
    'RankedPlan': RankedPlan.from_dict,
    'Receipt': Receipt.from_dict,
    'Rect': Rect.from_dict,
    'FfmpegRendererConfig': FfmpegRendererConfig.from_dict,
    'RendererConfig': _renderer_config,
    'Scene': Scene.from_dict,
    'Score': _made("Score"),
    'ScoreOptions': ScoreOptions.from_dict,
    'AutoScorerConfig': AutoScorerConfig.from_dict,
    'HeuristicScorerConfig': HeuristicScorerConfig.from_dict,
    'OpenaiScorerConfig': OpenaiScorerConfig.from_dict,
    'ScorerConfig': _scorer_config,
    'Scoring': Scoring.from_dict,
    'Shot': Shot.from_dict,
    'FileSourceConfig': FileSourceConfig.from_dict,
    'SourceConfig': _source_config,
    'Span': _made("Span"),
    'Speaking': Speaking.from_dict,
    'SubjectSample': SubjectSample.from_dict,
    'SubjectTrack': SubjectTrack.from_dict,
    'SubtitleStream': SubtitleStream.from_dict,
    'Timing': Timing.from_dict,
    'AutoTrackerConfig': AutoTrackerConfig.from_dict,
    'OnnxTrackerConfig': OnnxTrackerConfig.from_dict,
    'MotionTrackerConfig': MotionTrackerConfig.from_dict,
    'CenterTrackerConfig': CenterTrackerConfig.from_dict,
    'TrackerConfig': _tracker_config,
    'Tracking': Tracking.from_dict,
    'Tracks': Tracks.from_dict,
    'AutoTranscriberConfig': AutoTranscriberConfig.from_dict,
    'CaptionsTranscriberConfig': CaptionsTranscriberConfig.from_dict,
    'OpenaiTranscriberConfig': OpenaiTranscriberConfig.from_dict,
    'LocalTranscriberConfig': LocalTranscriberConfig.from_dict,
    'TranscriberConfig': _transcriber_config,
    'Transcript': Transcript.from_dict,
    'Usage': Usage.from_dict,
    'VideoStream': VideoStream.from_dict,
    'Word': Word.from_dict,
}
