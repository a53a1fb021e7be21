"""The crate's public data. Written by generate.py from clipkit/schema/clipkit.schema.json: do not edit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Literal, Optional, Tuple, TypedDict, Union

from ._data import Data, Loader, Unknown, by_name, many, tagged

if TYPE_CHECKING:
    import os

    from ._made import Candidate, ClipPlan, Degrade, Manifest, ManifestClip, Recovery, Score, Span


def _made(name: str) -> Loader:
    """Loads a class of ``_made`` by its name."""

    def make(value: Any) -> Any:
        from . import _made as by_hand

        return getattr(by_hand, name).from_dict(value)

    return make


def _named(name: str) -> Loader:
    """Loads any class by its name."""
    return lambda value: LOADERS[name](value)


#: A corner, a side or the center of an area.
Anchor = Literal["top_left", "top", "top_right", "left", "center", "right", "bottom_left", "bottom", "bottom_right"]

#: How the word that is spoken is marked.
Animation = Literal["none", "karaoke", "pop", "box"]

#: The aspect ratio of the output, as width to height.
Aspect = Literal["9:16", "1:1", "4:5", "16:9"]

#: How the picture of a bumper is fitted into an output of another aspect ratio.
BumperFit = Literal["contain", "cover"]


CaptionOffsetName = Literal["auto"]

#: A preset's name (``none`` for no captions), or a style. Fields that the style omits come from the preset named in its ``like`` field, else from karaoke.
CaptionStyleGiven = Union[str, Dict[str, Any]]

#: What is heard instead of a censored word.
CensorSound = Literal["beep", "mute"]

#: Whether a thing is there.
CheckStatus = Literal["present", "old", "missing"]

#: A clip's identity: a hash of the source's id and of the parts of the plan that determine the clip's picture and sound. ``ClipPlan.id`` computes it.  Title, reason, score and rank are not part of the hash, so a renamed clip keeps its id. A changed caption or crop gives another id.
ClipId = str

#: A file's identity: a hash of its bytes, which a copied or renamed file keeps. For a platform's video it is the platform's name and the video's id (``youtube:dQw4w9WgXcQ``), so that it stays when the video is fetched again in another format.
ContentId = str

#: The vertical position of a cue: a fraction of the output's height, from its top. The renderer keeps the cue inside the platform's safe area.
CuePlace = Dict[str, Any]

#: A day of the week.
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

#: The class of an ``Error``, for a program to branch on.
ErrorKind = Literal["not_found", "invalid_input", "too_large", "no_transcript", "nothing_found", "invalid_plan", "config", "cancelled", "io", "decode", "encode", "captions", "overlay", "unavailable", "network", "rate_limited", "denied", "timed_out", "contract"]

#: The kind of video, which sets the weights of the score components.  | genre | hook | completeness | density | emotion | best length | |---|---|---|---|---|---| | none given | 30 | 34 | 20 | 16 | 32 s | | ``podcast`` | 32 | 30 | 14 | 24 | 38 s | | ``lecture`` | 24 | 42 | 26 | 8 | 45 s | | ``gaming`` | 28 | 20 | 10 | 42 | 24 s | | ``news`` | 34 | 36 | 26 | 4 | 28 s |  The weights are percentages of ``Score.total``. They were set by hand, not learned. For English without a genre or with ``podcast``, a learned criterion takes their place: ``Score.moment``. It was learned from conversations, so the other genres keep the weights.
Genre = Literal["podcast", "lecture", "gaming", "news"]

#: A half of a split layout.
Half = Literal["top", "bottom"]

#: The two transfer functions for high dynamic range video (ITU-R BT.2100).
Hdr = Literal["pq", "hlg"]

#: The layout of a clip that the user asks for.
LayoutChoice = Literal["auto", "fill", "split", "fit", "pip"]

#: Limits with a name.
LimitsName = Literal["default", "strict"]

#: The platform that clips are made for. It determines the safe area, which the platform's interface does not cover.
Platform = Literal["shorts", "tiktok", "reels", "generic"]

#: Who can see a published clip.
Privacy = Literal["public", "unlisted", "private"]

#: The status of a publication.
PublishStatus = Literal["published", "processing", "scheduled", "draft"]

#: Where punch-ins are planned.
PunchIn = Literal["emphasis", "joins", "both"]

#: A colour as #rrggbb
Rgb = str

#: The kind of picture that a shot shows.
ShotContent = Literal["camera", "screen"]

#: The stages of the pipeline, in order.
Stage = Literal["source", "transcribe", "score", "track", "plan", "render", "publish"]

#: Which stages have a fallback.
StandIn = Literal["built_in", "always", "never"]

#: How much ``EditOp.Tighten`` removes.
TightenLevel = Literal["gentle", "normal", "tight"]

#: Who can see a post on TikTok.
TikTokPrivacy = Literal["everyone", "followers", "friends", "only_me"]

#: Seconds
Timestamp = float

#: The kind of a ``Warning``.
WarningKind = Literal["stand_in", "input_lost", "repaired", "source_changed", "layout", "captions", "hook", "overlay", "tighten", "track", "font", "rendering", "unavailable", "budget", "store", "publish", "export", "other"]

#: x264's speed presets, the fastest first.
X264Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]

#: Seconds, or "auto": found by the voice.
CaptionOffset = Union[Timestamp, CaptionOffsetName]

#: What an overlay draws.
OverlayContent = Dict[str, Any]


@dataclass
class Warning(Data):
    """A problem that did not stop a run, and how the run continued."""

    stage: Stage
    """The stage that had the problem."""
    message: str
    """One line for a person: the problem, how the run continued, and how to avoid the problem."""
    clip: Optional[int] = None
    """The rank of the clip concerned, from 1. ``None`` means that the warning concerns the whole
    run.
    """
    kind: WarningKind = 'other'
    """The kind of the warning, for a program to branch on."""
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class About(Data):
    """What a platform or a file says about a video: title, chapters, language. The texts are
    untrusted.
    """

    chapters: Optional[List[Chapter]] = None
    """The chapters in order, on the media's timeline."""
    heatmap: Optional[List[HeatmapBin]] = None
    """How often each part of the video is replayed, in order, on the media's timeline."""
    language: Optional[str] = None
    """The spoken language as a BCP 47 tag, or as the file states it."""
    platform: Optional[str] = None
    """The platform's short name in lower case (``youtube``). ``None`` means a file."""
    title: Optional[str] = None
    """The title."""
    uploader: Optional[str] = None
    """The person or channel that published the video, else its author."""
    url: Optional[str] = None
    """The address of the video's page, without secrets."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'chapters': many(_named("Chapter")),
        'heatmap': many(_named("HeatmapBin")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['chapters', 'heatmap', 'language', 'platform', 'title', 'uploader', 'url'])


@dataclass
class AudioStream(Data):
    """An audio stream."""

    index: int
    """The stream's index in the file."""
    codec: str
    """The codec's short name in FFmpeg (``aac``)."""
    sample_rate: int
    """The sample rate in hertz."""
    channels: int
    """The number of channels."""
    language: Optional[str] = None
    """The language tag in the file. ``None`` means that the file does not state it."""
    _optional: ClassVar[frozenset[str]] = frozenset(['language'])


@dataclass
class Brand(Data):
    """The look that clips share: fonts, colors, a caption style, overlays such as a logo, a name card,
    handles and a progress bar, music, an intro and an outro.

    A missing field changes nothing. Fonts and colors go to captions, to the title and to those
    texts of the brand whose style has the default ones.
    """

    accent: Optional[Rgb] = None
    """The color of the word that is spoken."""
    captions: Optional[CaptionStyleGiven] = None
    """The caption style, in place of that of the options, if the clip has captions. In JSON: a
    preset's name, or a style as ``CaptionStyle.from_json`` reads it.
    """
    color: Optional[Rgb] = None
    """The color of words, in captions and on the plates."""
    font: Optional[str] = None
    """The font's family name, in fontconfig or in one of the ``font_files``."""
    font_files: Optional[List[str]] = None
    """The paths of font files (TTF, OTF, TTC) that need not be installed."""
    intro: Optional[Bumper] = None
    """What plays before every clip."""
    outro: Optional[Bumper] = None
    """What plays after every clip."""
    overlays: Optional[List[Overlay]] = None
    """The overlays of every clip, from back to front. Those whose place has no area stay in the
    platform's safe area.
    """
    plate: Optional[Rgb] = None
    """The color of the plates behind the title and the texts. Without ``color``, words on it are
    white or nearly black.
    """
    sound: Optional[List[Sound]] = None
    """The music and effects of every clip. A span is on the clip's timeline; what of it is beyond
    the clip's end does not play.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'intro': _named("Bumper"),
        'outro': _named("Bumper"),
        'overlays': many(_named("Overlay")),
        'sound': many(_named("Sound")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['accent', 'captions', 'color', 'font', 'font_files', 'intro', 'outro', 'overlays', 'plate', 'sound'])


@dataclass
class Bumper(Data):
    """A file that plays before or after the clip: an intro or an outro, a video or an image.

    It becomes part of the same file as the clip, in one encode: it gets the clip's size, frame
    rate, sample rate and channels, and lasts a whole number of the clip's frames. Its sound is
    kept. If it has none, it is silent. It is brought to the plan's loudness on its own, as the clip
    is, then changed by ``gain``; without a loudness in the plan, it has its own level. Captions,
    overlays, music and punch-ins of the plan do not reach into it.
    """

    file: str
    """The path or the ``file:`` URL of a video, or of a PNG, WebP or JPEG image. A relative path is
    resolved against the working folder.
    """
    background: Optional[Rgb] = None
    """The color around the picture and behind what is transparent in it. Default: a blurred copy
    of the picture around it, black behind what is transparent.
    """
    duration: Optional[Timestamp] = None
    """How long an image is shown, in seconds, at most ``Bumper.MAX_SECS``. With it, the file is
    an image; a video has a ``span`` instead.
    """
    fade_in: Optional[float] = None
    """How long picture and sound take to come up from black and silence, in seconds, 0 to 60.
    Default 0: at once.
    """
    fade_out: Optional[float] = None
    """How long picture and sound take to go down to black and silence, in seconds, 0 to 60.
    Default 0: at once. Fades that last longer than the bumper are shortened.
    """
    fit: Optional[BumperFit] = None
    """How a picture of another aspect ratio is fitted into the output. Default ``contain``."""
    gain: Optional[float] = None
    """The gain of its sound in dB, -60 to 20. Default 0: as loud as the clip, or its own level if
    the plan has no loudness.
    """
    id: Optional[ContentId] = None
    """The hash of the file's content (``blake3:9f86d0...``). With it, the file is also found in the
    media store, a file with another content leaves a warning, and a moved file leaves the
    clip's id as it is. Default: the file is taken as it is.
    """
    length: Optional[Timestamp] = None
    """How long the whole video lasts, in seconds, if neither ``span`` nor ``duration`` says how long
    the bumper plays. It is measured whenever a plan is rendered or exported, so it need not be
    given. It is no part of the clip's id.
    """
    span: Optional[Span] = None
    """The stretch of a video that plays, on the file's timeline, in seconds. It lasts at most
    ``Bumper.MAX_SECS``. Default: the whole video.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['background', 'duration', 'fade_in', 'fade_out', 'fit', 'gain', 'id', 'length', 'span'])


@dataclass
class _Cache(Data):
    """Does the same work once: answers are kept in an ``ArtifactStore``, and found again by what they
    were made from.

    - The [key](ArtifactKey) is a hash of the kind and version of the answer, the content of the
      video (never its name), the rest of the input (span, transcript, options) and the stage's
      fingerprint (``Transcriber.fingerprint`` and its kin,
      or ``about``). Nothing of it is written in the clear.
    - An answer is kept for 7 days. An old or damaged one counts as absent. A store that cannot be
      used leaves a warning, and the work is done.
    - Callers of the same work at the same time share one computation, if they use clones of one
      layer, or layers with the same ``store`` in one process (ten jobs, each with a pipeline of its
      own from one document). If one of them is cancelled, the others are not. The work stops when
      nobody waits for it any more.
    - Failures are not kept, and neither are answers of the second stage of a
      ``Fallback``. Warnings are kept with the answer and repeated each
      time.

    This is configuration. ``stage.layer(Cache.at("artifacts"))`` builds the layer for that stage. To
    share a store that you set up, use ``over``:

    Transcribers, scorers and trackers can be cached. Sources, renderers and publishers answer with
    files or change the world: a cache around one of them does not compile, and is refused in JSON.

    Put this layer outside all others: a cached answer needs no place, no rate and no second
    attempt. In JSON, ``{"cache": {"store": "s3://bucket/clipkit", "keep": 604800}}``; without a
    ``store``, the user's cache folder.
    """

    about: Optional[str] = None
    keep: float = 604800.0
    store: Optional[str] = None
    _optional: ClassVar[frozenset[str]] = frozenset(['about', 'store'])


@dataclass
class _Candidate(Data):
    """A span that could become a clip, with its score, title and reason.

    JSON input also accepts a short form: ``{"start": 12.5, "end": 40, "score": 90}``. ``start`` and
    ``end`` replace ``span``, a number replaces the score and sets its total, and ``title`` and ``reason``
    default to empty text.
    """

    span: Span
    """The candidate's span on the source's timeline."""
    score: Score
    """The candidate's quality."""
    title: str
    """A short title."""
    reason: str
    """Why the scorer chose the span, as one sentence."""
    description: Optional[str] = None
    """A description for posts of the clip. ``None`` means that the scorer wrote none."""
    factors: Optional[List[Factor]] = None
    """What counted for or against the span, the strongest first. Empty if the scorer does not say."""
    hook_line: Optional[str] = None
    """A line of text to show over the first seconds of the clip. ``None`` means that the scorer
    wrote no line.
    """
    tags: Optional[List[str]] = None
    """Tags for posts of the clip, without ``#``. Empty if the scorer gave none."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'score': _named("Score"),
        'factors': many(_named("Factor")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['description', 'factors', 'hook_line', 'tags'])


@dataclass
class CaptionStyle(Data):
    """The appearance of captions. Start from a preset and change its fields.

    Sizes are fractions of the output's height, so a style looks the same at every resolution.
    """

    name: str
    """The style's name, for people."""
    font: str
    """The font's family name in fontconfig."""
    bold: bool
    """Whether to use the family's bold weight."""
    size: float
    """The font's size as a fraction of the output's height."""
    color: Rgb
    """The color of the words."""
    highlight: Rgb
    """The color of the word that is spoken. For ``box``, it is the color of the plate behind that
    word.
    """
    outline: Rgb
    """The color of the outline."""
    outline_width: float
    """The width of the outline as a fraction of the font's size."""
    shadow: float
    """The distance of the shadow as a fraction of the font's size."""
    uppercase: bool
    """Whether words are written in capitals."""
    max_words: int
    """The maximum number of words in a cue."""
    position: float
    """The captions' bottom edge as a fraction of the output's height, from its top. Captions stay
    inside the platform's safe area.
    """
    avoid_faces: bool
    """Whether captions that would cover the mouth of a visible person move to the nearest position
    that does not. All cues of a clip share one position.
    """
    animation: Animation
    """How the word that is spoken is marked."""
    emphasis: Optional[Emphasis] = None
    """The emphasis of keywords. ``None`` means that keywords look like other words."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'emphasis': _named("Emphasis"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['emphasis'])


@dataclass
class CaptionTrack(Data):
    """Captions that are burned into the picture."""

    style: CaptionStyle
    """The appearance of the captions."""
    safe_area: Rect
    """The part of the output that the platform's interface does not cover, in fractions of the
    output's width and height. Captions stay inside it.
    """
    cues: List[Cue]
    """The cues in order of time, without overlaps."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'style': _named("CaptionStyle"),
        'safe_area': _named("Rect"),
        'cues': many(_named("Cue")),
    }


@dataclass
class CaptionsOptions(Data):
    """Reads the transcript from existing captions: a file beside the video, or subtitles inside it.

    For ``talk.mp4`` it tries, in this order: ``talk.transcript.json``, ``talk.words.json``,
    ``talk.word_timings.json``, ``talk.json3``, ``talk.vtt``, ``talk.srt``, ``talk.ass``, ``talk.ssa``, other
    endings, ``talk.json``; the same names after ``talk.mp4``, or with a language, as yt-dlp and others
    write them (``talk.en.vtt``, ``talk.en-dQw4w9WgXcQ.vtt``, ``talk.English.srt``): ``en-orig`` first, then
    the preferred language, then that of the audio, files made by people before automatic ones; then
    the text subtitles inside the video: in the preferred language, else the stream that the file
    marks as default, else in the language of the audio. Streams with signs and foreign speech only
    (forced ones) and with pictures of text are skipped. A file or stream that cannot be read is
    skipped with a warning. If there are other captions, a warning says which were taken.

    A file's content decides its format, not its name. Word times in WebVTT, ASS, json3 and JSON are
    kept. If only cues have times, a cue's time is divided among its words by length. Repeated lines
    of roll-up captions, such as YouTube's automatic ones, are removed. Descriptions of sounds
    (``[Music]``) become ``Transcript.events``, names of speakers become ``Word.speaker``. What of a
    file cannot be used is a warning with the number of words, the first line and the reason.

    ``Word.speaker``: model.Word.speaker
    """

    encoding: Optional[str] = None
    """The file's text encoding by its name: ``windows-1251``, ``gbk``. Default: what the file's bytes
    show, else guessed with a warning.
    """
    file: Optional[str] = None
    """The file to read. Default: searched for beside the video and inside it."""
    language: Optional[str] = None
    """The preferred language of captions beside the video and inside it as a BCP 47 tag: ``de``.
    Default: the language of the sound.
    """
    offset: Optional[CaptionOffset] = None
    """What is added to every time of captions, in seconds: -3600 where all is an hour late. With
    ``"auto"``, what the voice shows. Default: nothing; if words lie outside the video and the
    voice shows an offset, a warning names it.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['encoding', 'file', 'language', 'offset'])


@dataclass
class Censor(Data):
    """Words that are not to be heard or read.

    An entry is a word or several words that follow each other. Case, punctuation and Unicode forms
    (NFKC) do not count. An entry means whole words: ``ass`` is not found in ``class``, but in
    ``half-ass`` and ``ass's``, whose parts are words. An entry that ends with ``*`` means all words that
    start so: ``damn*`` also finds ``damned``.
    """

    languages: Optional[Dict[str, List[str]]] = None
    """More entries by language: the first part of a language tag, such as ``en``. They count if the
    transcript has this language or none.
    """
    with_: CensorSound = 'beep'
    """What is heard instead. Default ``beep``."""
    words: List[str] = field(default_factory=list)
    """The entries for every language."""
    _names: ClassVar[Dict[str, str]] = {'with_': 'with'}
    _optional: ClassVar[frozenset[str]] = frozenset(['languages'])


@dataclass
class Censored(Data):
    """A stretch of the clip whose own sound is not heard, because a censored word is said there.
    Other sounds of the plan go on.
    """

    span: Span
    """The stretch on the clip's timeline."""
    with_: CensorSound
    """What is heard instead."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }
    _names: ClassVar[Dict[str, str]] = {'with_': 'with'}


@dataclass
class Chapter(Data):
    """A chapter of a video."""

    span: Span
    """Where the chapter is."""
    title: str = ''
    """The chapter's title."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }


@dataclass
class Check(Data):
    """One thing that clipkit can use."""

    name: str
    """The thing's name: ``yt-dlp``, ``font Lato``."""
    status: CheckStatus
    """Whether it is there."""
    advice: Optional[str] = None
    """How to get it, as an imperative. Set unless it is ``CheckStatus.Present``."""
    cost: Optional[str] = None
    """What does not work without it. Set unless it is ``CheckStatus.Present``."""
    found: Optional[str] = None
    """What was found, as a line for a person: a version, an age, a reason."""
    path: Optional[str] = None
    """Where it is."""
    _optional: ClassVar[frozenset[str]] = frozenset(['advice', 'cost', 'found', 'path'])


@dataclass
class ClipMeasure(Data):
    """The measures of a clip."""

    duration: Timestamp
    """The clip's duration, in seconds, without intro and outro."""
    words: int
    """The number of words."""
    joins: int
    """The number of joins between pieces."""
    scenes: int
    """The number of scenes."""
    overlays: Optional[int] = None
    """The number of overlays."""
    _optional: ClassVar[frozenset[str]] = frozenset(['overlays'])


@dataclass
class ClipOptions(Data):
    """Which clips a ``Pipeline`` makes, and how many."""

    about: List[str] = field(default_factory=list)
    """Topics that clips should be about: words or short phrases. Empty means any topic."""
    aspect: Aspect = '9:16'
    """The aspect ratio of the clips, unless the renderer has a size. Default: 9:16."""
    at_once: Dict[str, int] = field(default_factory=dict)
    """The maximum number of clips in one stage at a time, for the stages that process single clips
    (``track``, ``plan``, ``render``, ``publish``), if lower than ``jobs``: with ``{"publish": 1}``, clips
    are published one after the other. Default: ``jobs``.
    """
    audio_track: Optional[int] = None
    """The audio track to hear and render, counted from 1 in file order. ``None``, the default, is
    the file's default track, or another one with speech if the default track is silent.
    """
    avoid: List[str] = field(default_factory=list)
    """Topics that clips should not be about."""
    brand: Optional[Brand] = None
    """The brand: the look of captions, title and texts, overlays such as a logo, and music.
    Default: none.
    """
    captions: Optional[CaptionStyleGiven] = field(default_factory=lambda: {'animation': 'karaoke', 'avoid_faces': True, 'bold': False, 'color': '#ffffff', 'font': 'Lato Black', 'highlight': '#ffd60a', 'max_words': 5, 'name': 'karaoke', 'outline': '#000000', 'outline_width': 0.09, 'position': 0.645, 'shadow': 0.03, 'size': 0.048, 'uppercase': False})  # noqa: E501
    """The caption style. ``None`` means no captions. In JSON: the name of a preset, a style as
    ``CaptionStyle.from_json`` reads it, or null. Default: karaoke.
    """
    censor: Optional[Censor] = None
    """The words that are not to be heard in the clips or read in captions and titles. ``None``, the
    default, leaves all words.
    """
    clips: int = 10
    """The maximum number of clips. Default: 10."""
    crf: int = 20
    """x264's constant rate factor, 0 to 51. Lower values give better quality and larger files: 6
    less doubles the size. Default: 20.
    """
    degrade: Optional[Degrade] = None
    """Which failing stages are replaced by a fallback. ``None``, the default: a run uses
    ``Degrade.default``, and a step that is called on its own has no fallbacks.
    """
    genre: Optional[Genre] = None
    """The genre of the video, which weights the criteria of the scorer. Default: a general
    weighting.
    """
    hook: Optional[HookStyle] = None
    """The style of the clip's title over its first seconds. ``None``, the default, means no title.
    In JSON, ``{}`` is the default style.
    """
    jobs: Optional[int] = None
    """How many clips run concurrently. Default: half the number of processor cores, since decoder,
    filters and encoder of one clip use about two cores. More clips are not faster, and each
    takes about 300 MB for a 1080p source.
    """
    layout: LayoutChoice = 'auto'
    """The layout: one window, two windows, or the whole picture. Default: ``auto``, which chooses
    per shot. Any other value applies to every shot; a shot that cannot have it (such as ``split``
    with one person) leaves a warning.
    """
    loudness: Optional[Loudness] = field(default_factory=lambda: _named("Loudness")({'integrated': -14.0, 'true_peak': -1.0}))
    """The loudness of the clips. ``None`` leaves the sound unchanged. Default: -14 LUFS, peaks up to
    -1 dBTP.
    """
    max: float = 60.0
    """The maximum length of a clip; in JSON, seconds. Default: 60 s."""
    max_cost: Optional[float] = None
    """The budget of a run in US dollars, at known or configured prices. Stages that use paid
    models stop before they exceed it. Default: no limit.
    """
    min: float = 15.0
    """The minimum length of a clip; in JSON, seconds. Default: 15 s."""
    platform: Platform = 'generic'
    """The target platform, which defines the safe area for captions. Default: the area that is
    free on every platform.
    """
    preset: X264Preset = 'veryfast'
    """x264's speed preset. Default: ``veryfast``. ``medium`` takes three times as long and gives files
    of about the same size with slightly better quality.
    """
    punch_in: Optional[PunchIn] = None
    """Where the picture becomes larger for a while. ``None``, the default, is nowhere."""
    reactions: bool = False
    """Whether a listener who laughs is shown for a moment: while the transcript has laughter
    (``[Laughter]``) and this person's mouth moves, for at most 2 s, and not more often than every
    8 s. It needs the layout ``fill``. Default: false.
    """
    snap: bool = True
    """Whether span ends are moved by up to 0.4 s so that no word is cut. Default: true. With
    false, clips are cut at the scorer's times.
    """
    tighten: Optional[TightenLevel] = None
    """Whether pauses, and from ``normal`` on fillers and repeated words, are cut out of the clips.
    The lengths ``min`` and ``max`` hold before that. ``None``, the default, cuts nothing.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'brand': _named("Brand"),
        'censor': _named("Censor"),
        'degrade': _named("Degrade"),
        'hook': _named("HookStyle"),
        'loudness': _named("Loudness"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['audio_track', 'brand', 'censor', 'degrade', 'genre', 'hook', 'jobs', 'max_cost', 'punch_in', 'tighten'])


@dataclass
class _ClipPlan(Data):
    """Everything that a renderer needs to make one clip. The renderer makes no decisions of its own.

    A plan is written as JSON beside each clip. It can be edited and rendered again. The format is
    stable within a ``version``. All times except ``span`` and ``pieces`` are on the
    clip's timeline, in seconds from the clip's first frame. In a file with an intro, that frame
    comes after the intro: time in the file = duration of the intro + time of the clip
    (``ClipPlan.parts``). Positions and sizes are fractions of the displayed source picture
    (upright, square pixels). Those of captions, of the hook, of overlays and of ``Pane.place`` are
    fractions of the output.
    """

    version: int
    """The version of this document: ``ClipPlan.VERSION``."""
    source: PlanSource
    """The source file."""
    span: Span
    """The stretch of the source that the clip is made of, on the source's timeline, in seconds. It
    ranks and names the clip.
    """
    title: str
    """The clip's title. The clip's file is named after it."""
    reason: str
    """Why the scorer chose the span."""
    score: Score
    """The quality of the span as a clip."""
    shots: List[Shot]
    """The shots, on the clip's timeline. They explain the scenes. The renderer does not read them."""
    faces: List[FaceTrack]
    """The face tracks, on the clip's timeline. They explain the crop paths. The renderer does not
    read them.
    """
    scenes: List[Scene]
    """The scenes in order of time. They cover the clip from 0 to its end without gaps. A crop
    window jumps only between two scenes.
    """
    output: Output
    """The parameters of the file to make."""
    captions: Optional[CaptionTrack] = None
    """The captions. ``None`` means that the clip has no captions."""
    censored: Optional[List[Censored]] = None
    """The stretches in which the clip's own sound is not heard, because a censored word is said
    there: in order of time, without overlaps.
    """
    fonts: Optional[List[str]] = None
    """The paths of font files (TTF, OTF, TTC) that captions, hook and texts can name besides the
    installed fonts. A relative path starts at the working folder.
    """
    hook: Optional[Hook] = None
    """The title over the clip's first seconds. ``None`` means that the clip has no such title."""
    hook_line: Optional[str] = None
    """A line of text for the clip's first seconds. ``None`` means that the scorer wrote no line.
    Only ``hook`` makes the renderer draw a title.
    """
    intro: Optional[Bumper] = None
    """What plays before the clip. ``None`` means that the file starts with the clip."""
    outro: Optional[Bumper] = None
    """What plays after the clip. ``None`` means that the file ends with the clip."""
    overlays: Optional[List[Overlay]] = None
    """Images, texts and progress bars over the picture, from back to front."""
    pieces: Optional[List[Piece]] = None
    """The stretches of the source that the clip plays, in the order in which it plays them. All
    lie in ``span``. The clip's timeline is their concatenation. An empty list means one piece:
    ``span``, at the source's speed.
    """
    post: Optional[PostTexts] = None
    """What the clip's posts say besides the title."""
    sound: Optional[List[Sound]] = None
    """Music and effects that play with the clip's own sound, not during intro and outro."""
    subjects: Optional[List[SubjectTrack]] = None
    """The tracks of subjects other than faces, on the clip's timeline. They explain the crop
    paths. The renderer does not read them.
    """
    zooms: Optional[List[Zoom]] = None
    """The punch-ins, in order of time, without overlaps."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'source': _named("PlanSource"),
        'span': _named("Span"),
        'score': _named("Score"),
        'shots': many(_named("Shot")),
        'faces': many(_named("FaceTrack")),
        'scenes': many(_named("Scene")),
        'output': _named("Output"),
        'captions': _named("CaptionTrack"),
        'censored': many(_named("Censored")),
        'hook': _named("Hook"),
        'intro': _named("Bumper"),
        'outro': _named("Bumper"),
        'overlays': many(_named("Overlay")),
        'pieces': many(_named("Piece")),
        'post': _named("PostTexts"),
        'sound': many(_named("Sound")),
        'subjects': many(_named("SubjectTrack")),
        'zooms': many(_named("Zoom")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['captions', 'censored', 'fonts', 'hook', 'hook_line', 'intro', 'outro', 'overlays', 'pieces', 'post', 'sound', 'subjects', 'zooms'])


@dataclass
class Color(Data):
    """The color space of a video stream in FFmpeg's names (``bt709``, ``smpte2084``). A value is ``unknown``
    if the file does not state it.
    """

    primaries: str
    """The color primaries."""
    transfer: str
    """The transfer function between code values and light."""
    matrix: str
    """The matrix coefficients between RGB and luma and chroma."""
    range: str
    """The range of 8-bit luma values: ``tv`` (16 to 235) or ``pc`` (0 to 255)."""
    hdr: Optional[Hdr] = None
    """The transfer function for high dynamic range. ``None`` means standard dynamic range."""
    _optional: ClassVar[frozenset[str]] = frozenset(['hdr'])


@dataclass
class _Concurrency(Data):
    """Limits how many calls run at a time; further calls wait in order of arrival. Default 1.

    This is configuration. ``stage.layer(Concurrency.of(2))`` builds the places for that stage, and
    all runs that share the stage share them. Stages that use one scarce resource (a model that
    needs all of the memory, an account that takes two requests at once) share one built layer:

    ``ClipOptions.at_once`` limits how many clips one run works on.

    Put this layer inside ``Retry``: no place is held while a retry waits. In
    JSON, ``{"concurrency": {"at_once": 2}}``.
    """

    at_once: int = 1


@dataclass
class AutoCredentialsConfig(Data):
    """The environment if it has tokens for the account; else the system's keyring, if
    ``CLIPKIT_CREDENTIALS`` is ``keyring``; else a file.
    """

    kind: str = 'auto'


@dataclass
class EnvironmentCredentialsConfig(Data):
    """The environment: ``EnvironmentCredentials``."""

    kind: str = 'environment'


@dataclass
class FileCredentialsConfig(Data):
    """Files: ``FileCredentials``."""

    folder: Optional[str] = None
    """The folder. Default: ``CLIPKIT_CREDENTIALS``, else ``clipkit/credentials`` in the user's
    folder for settings.
    """
    kind: str = 'file'
    _optional: ClassVar[frozenset[str]] = frozenset(['folder'])


@dataclass
class KeyringCredentialsConfig(Data):
    """The system's keyring: ``KeyringCredentials``."""

    kind: str = 'keyring'


#: Where the tokens of an account are.
CredentialsConfig = Union[AutoCredentialsConfig, EnvironmentCredentialsConfig, FileCredentialsConfig, KeyringCredentialsConfig, Unknown]
_credentials_config: Loader = tagged('kind', lambda: {'auto': AutoCredentialsConfig, 'environment': EnvironmentCredentialsConfig, 'file': FileCredentialsConfig, 'keyring': KeyringCredentialsConfig})


@dataclass
class Crop(Data):
    """A window on the source with a fixed size and a position that can move."""

    width: float
    """The window's width as a fraction of the picture's width."""
    height: float
    """The window's height as a fraction of the picture's height."""
    path: List[CropKey]
    """The crop path: the keyframes of the window's top left corner, in order of time. The position
    is interpolated linearly between two keyframes. It is constant before the first keyframe and
    after the last.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'path': many(_named("CropKey")),
    }


@dataclass
class MoveCropChange(Data):
    """Moves the whole path. It stays inside the picture."""

    x: float = 0.0
    """The distance to the right, as a fraction of the picture's width."""
    y: float = 0.0
    """The distance downwards, as a fraction of the picture's height."""
    kind: str = 'move'


@dataclass
class FollowCropChange(Data):
    """Follows a face of the plan."""

    face: int
    """The number of the face track."""
    kind: str = 'follow'


@dataclass
class HoldCropChange(Data):
    """Stays at one position of the path."""

    at: Optional[Timestamp] = None
    """The time of the position on the clip's timeline. Default: the scene's start."""
    kind: str = 'hold'
    _optional: ClassVar[frozenset[str]] = frozenset(['at'])


#: A correction of a crop window.
CropChange = Union[MoveCropChange, FollowCropChange, HoldCropChange, Unknown]
_crop_change: Loader = tagged('kind', lambda: {'move': MoveCropChange, 'follow': FollowCropChange, 'hold': HoldCropChange})


@dataclass
class CropKey(Data):
    """A keyframe of a crop path."""

    at: Timestamp
    """The time on the clip's timeline."""
    x: float
    """The window's left edge as a fraction of the picture's width."""
    y: float
    """The window's top edge as a fraction of the picture's height."""


@dataclass
class Cue(Data):
    """Words that are shown together."""

    span: Span
    """When the words are shown, on the clip's timeline."""
    words: List[CueWord]
    """The words, in order. Their text is drawn literally, without markup."""
    place: Optional[CuePlace] = None
    """The vertical position of the cue. ``None`` means the style's position."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'words': many(_named("CueWord")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['place'])


@dataclass
class CueWord(Data):
    """A word of a cue."""

    text: str
    """The text to draw."""
    span: Span
    """When the word is spoken, on the clip's timeline."""
    emphasized: Optional[bool] = None
    """Whether the word is a keyword, drawn with the style's ``emphasis``."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['emphasized'])


@dataclass
class _Degrade(Data):
    """Which failing stages are replaced by a fallback. Each use of a fallback leaves a warning of kind
    ``StandIn``.

    If ``ClipOptions.degrade`` is not set, a run uses
    ``Degrade.default``, and a step that is called on its own returns its error. A queue that
    retries sets ``Degrade.NEVER`` and, on the last attempt, ``Degrade.default``.
    """

    captions: StandIn = 'built_in'
    """Captions: if they cannot be drawn, the clip is rendered without captions."""
    overlays: StandIn = 'built_in'
    """Overlays: if the image of one cannot be read, the clip is rendered without that overlay.
    This leaves a warning of kind ``Overlay``.
    """
    scorer: StandIn = 'built_in'
    """The scorer: if it fails, the ``Heuristic`` chooses the spans."""
    tracker: StandIn = 'built_in'
    """The face tracker: if it fails, the ``MotionTracker`` is used,
    then the ``CenterTracker``.
    """
    transcriber: StandIn = 'built_in'
    """The transcriber ``auto``: if the API fails, the local speech model transcribes."""


@dataclass
class Diagnosis(Data):
    """What of the things that clipkit can use is on this machine, and what each lack costs. Keys are
    not part of it.
    """

    version: str
    """clipkit's version."""
    checks: List[Check]
    """The things, in the order of a run."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'checks': many(_named("Check")),
    }


@dataclass
class EditChanges(Data):
    """What operations changed: the measures of a clip before and after them."""

    before: ClipMeasure
    """The clip before the first operation."""
    after: ClipMeasure
    """The clip after the last operation."""
    steps: List[EditStep]
    """Each operation, in order."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'before': _named("ClipMeasure"),
        'after': _named("ClipMeasure"),
        'steps': many(_named("EditStep")),
    }


@dataclass
class DeleteWordsOp(Data):
    """Removes words with their sound and picture. The pause before them stays."""

    words: WordSelection
    """The words to remove."""
    op: str = 'delete_words'


@dataclass
class KeepWordsOp(Data):
    """Removes everything but these words."""

    words: WordSelection
    """The words to keep."""
    op: str = 'keep_words'


@dataclass
class MoveStartOp(Data):
    """Moves the clip's start to the start of a sentence. It needs the transcript."""

    to: SentencePlace
    """The sentence."""
    op: str = 'move_start'


@dataclass
class MoveEndOp(Data):
    """Moves the clip's end to the end of a sentence. It needs the transcript."""

    to: SentencePlace
    """The sentence."""
    op: str = 'move_end'


@dataclass
class OrderPiecesOp(Data):
    """Plays the pieces in another order."""

    order: List[int]
    """The numbers of the pieces, from 0, in their new order: each piece once."""
    op: str = 'order_pieces'


@dataclass
class HookFirstOp(Data):
    """Plays words first, as a hook."""

    words: WordSelection
    """The words to start with."""
    repeat: bool = False
    """Whether they also stay at their old place. Default ``false``."""
    op: str = 'hook_first'


@dataclass
class TightenOp(Data):
    """Shortens pauses and removes fillers and repeated words. It needs the speech map."""

    level: TightenLevel
    """How much to remove."""
    op: str = 'tighten'


@dataclass
class TitleOp(Data):
    """Sets the clip's title, after which its file is named."""

    title: str
    """The title."""
    op: str = 'title'


@dataclass
class HookLineOp(Data):
    """Sets the hook line, and the text of the title over the first seconds if the plan has one."""

    line: Optional[str] = None
    """The line. ``null`` removes it and the title over the first seconds."""
    style: Optional[HookStyle] = None
    """The style of the title over the first seconds. If given, the title is drawn, placed
    anew. Default: a title that the plan has keeps its style and place.
    """
    op: str = 'hook_line'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'style': _named("HookStyle"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['line', 'style'])


@dataclass
class CorrectCaptionOp(Data):
    """Corrects the text of captions. The times stay."""

    words: WordSelection
    """The words to correct."""
    text: str
    """The right text. If it has as many words, each gets the time of the word that it
    replaces, else the time is shared by the lengths of the words.
    """
    op: str = 'correct_caption'


@dataclass
class CaptionStyleOp(Data):
    """Sets the style of the captions, and groups and places them anew. A plan without captions
    gets them from the transcript.
    """

    style: Optional[CaptionStyleGiven] = None
    """A preset's name, ``"none"`` for no captions, or a style as
    ``CaptionStyle.from_json`` reads it.
    """
    op: str = 'caption_style'
    _optional: ClassVar[frozenset[str]] = frozenset(['style'])


@dataclass
class CensorOp(Data):
    """Censors words: they are not heard, and captions, title, hook line and reason show their
    first letters and stars. The words are those of the captions and, if it is given, of the
    transcript. What later operations add to the clip is not censored.
    """

    words: List[str]
    """The words, as in ``Censor``."""
    with_: CensorSound = 'beep'
    """What is heard instead. Default ``beep``."""
    op: str = 'censor'
    _names: ClassVar[Dict[str, str]] = {'with_': 'with'}


@dataclass
class AddSoundOp(Data):
    """Adds music or an effect."""

    sound: Sound
    """The sound."""
    op: str = 'add_sound'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'sound': _named("Sound"),
    }


@dataclass
class RemoveSoundOp(Data):
    """Removes music or an effect."""

    sound: int
    """The number of the sound in the plan, from 0."""
    op: str = 'remove_sound'


@dataclass
class LayoutOp(Data):
    """Plans the framing of a scene anew with a layout, from the faces and subjects in the plan."""

    scene: int
    """The number of the scene, from 0."""
    layout: LayoutChoice
    """The layout."""
    op: str = 'layout'


@dataclass
class CropOp(Data):
    """Corrects the crop of a scene."""

    scene: int
    """The number of the scene, from 0."""
    change: CropChange
    """The correction."""
    window: int = 0
    """The number of the window in the layout, from 0: of ``split``, top and bottom; of ``pip``,
    screen and inset. Default 0.
    """
    op: str = 'crop'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'change': _named("CropChange"),
    }


@dataclass
class PostOp(Data):
    """Sets what the clip's posts say besides the title."""

    description: Optional[str] = None
    """The description. ``null``, the default, leaves it."""
    tags: Optional[List[str]] = None
    """The tags, without ``#``. ``null``, the default, leaves them."""
    op: str = 'post'
    _optional: ClassVar[frozenset[str]] = frozenset(['description', 'tags'])


@dataclass
class AspectOp(Data):
    """Plans the framing anew for another aspect ratio, from the faces and subjects in the plan.
    Captions, title and overlays move into the platform's safe area of that ratio. Punch-ins are
    removed, since they belong to the old windows.
    """

    aspect: Aspect
    """The aspect ratio. It sets the output's size."""
    op: str = 'aspect'


@dataclass
class LanguageOp(Data):
    """Makes the captions anew from a transcript of the source in another language, which is given
    beside the plan.
    """

    language: str
    """The language of that transcript, as an ISO 639 code."""
    op: str = 'language'


@dataclass
class PunchInOp(Data):
    """Replaces the plan's punch-ins by planned ones. They need faces in the plan; numbers and
    laughter are known with the transcript only.
    """

    at: Optional[PunchIn] = None
    """Where. ``null``, the default, removes all."""
    op: str = 'punch_in'
    _optional: ClassVar[frozenset[str]] = frozenset(['at'])


@dataclass
class AddZoomOp(Data):
    """Adds a punch-in."""

    zoom: Zoom
    """The punch-in. It may not overlap another."""
    op: str = 'add_zoom'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'zoom': _named("Zoom"),
    }


@dataclass
class RemoveZoomOp(Data):
    """Removes a punch-in."""

    zoom: int
    """The number of the punch-in in the plan, from 0."""
    op: str = 'remove_zoom'


@dataclass
class AddOverlayOp(Data):
    """Adds an image, an emoji, a text or a progress bar, in front of the overlays that the plan
    has. If its place has no area, it stays in the captions' safe area, or in that of all
    platforms if the plan has no captions.
    """

    overlay: Overlay
    """The overlay."""
    op: str = 'add_overlay'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'overlay': _named("Overlay"),
    }


@dataclass
class BrandOp(Data):
    """Gives the plan a brand's look: the captions and the title that it has, the brand's overlays
    in front of those that the plan has, its sounds and its fonts. The brand's intro and outro
    replace those of the plan.
    """

    brand: Brand
    """The brand."""
    op: str = 'brand'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'brand': _named("Brand"),
    }


@dataclass
class RemoveOverlayOp(Data):
    """Removes an overlay."""

    overlay: int
    """The number of the overlay, from 0."""
    op: str = 'remove_overlay'


@dataclass
class IntroOp(Data):
    """Sets what plays before the clip. Times on the clip's timeline stay as they are."""

    bumper: Optional[Bumper] = None
    """The intro. ``null``, the default, removes it."""
    op: str = 'intro'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'bumper': _named("Bumper"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['bumper'])


@dataclass
class OutroOp(Data):
    """Sets what plays after the clip."""

    bumper: Optional[Bumper] = None
    """The outro. ``null``, the default, removes it."""
    op: str = 'outro'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'bumper': _named("Bumper"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['bumper'])


#: A change of a clip plan. In JSON, ``op`` names it: ``{"op": "delete_words", "words": {"quote": "you know"}}``.  Words are those of the clip as it is when the operation starts: of the captions, or of the transcript for a plan without captions.
EditOp = Union[DeleteWordsOp, KeepWordsOp, MoveStartOp, MoveEndOp, OrderPiecesOp, HookFirstOp, TightenOp, TitleOp, HookLineOp, CorrectCaptionOp, CaptionStyleOp, CensorOp, AddSoundOp, RemoveSoundOp, LayoutOp, CropOp, PostOp, AspectOp, LanguageOp, PunchInOp, AddZoomOp, RemoveZoomOp, AddOverlayOp, BrandOp, RemoveOverlayOp, IntroOp, OutroOp, Unknown]
_edit_op: Loader = tagged('op', lambda: {'delete_words': DeleteWordsOp, 'keep_words': KeepWordsOp, 'move_start': MoveStartOp, 'move_end': MoveEndOp, 'order_pieces': OrderPiecesOp, 'hook_first': HookFirstOp, 'tighten': TightenOp, 'title': TitleOp, 'hook_line': HookLineOp, 'correct_caption': CorrectCaptionOp, 'caption_style': CaptionStyleOp, 'censor': CensorOp, 'add_sound': AddSoundOp, 'remove_sound': RemoveSoundOp, 'layout': LayoutOp, 'crop': CropOp, 'post': PostOp, 'aspect': AspectOp, 'language': LanguageOp, 'punch_in': PunchInOp, 'add_zoom': AddZoomOp, 'remove_zoom': RemoveZoomOp, 'add_overlay': AddOverlayOp, 'brand': BrandOp, 'remove_overlay': RemoveOverlayOp, 'intro': IntroOp, 'outro': OutroOp})


@dataclass
class EditStep(Data):
    """One operation and the clip after it."""

    op: str
    """The operation's name: ``EditOp.name``."""
    after: ClipMeasure
    """The clip after it."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'after': _named("ClipMeasure"),
    }


@dataclass
class Edited(Data):
    """An edited plan."""

    plan: ClipPlan
    """The plan after the operations."""
    changes: EditChanges
    """What the operations changed."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'plan': _named("ClipPlan"),
        'changes': _named("EditChanges"),
    }


@dataclass
class Emphasis(Data):
    """The emphasis of keywords."""

    color: Rgb
    """The color of keywords. With the animation ``karaoke``, a keyword gets the color when it is
    spoken. With the other animations, it always has the color.
    """
    scale: float = 1.0
    """The size of keywords relative to other words, 0.5 to 2. Default 1."""
    words: Optional[List[str]] = None
    """The keywords, compared without case. If the list is empty (the default), keywords are chosen
    from the spoken words: numbers, names, and long words that are rarely spoken. A cue then has
    at most one keyword.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['words'])


@dataclass
class ErrorReport(Data):
    """An ``Error`` as a document: what manifests, queues, services and other languages hand on.

    It is read back with ``ErrorReport.into_error``; the cause
    (``source``) is not part of it.
    """

    kind: ErrorKind
    """What went wrong, as a class."""
    message: str
    """What happened, without the file's name, the moment and the advice."""
    advice: Optional[str] = None
    """What the user can do, as an imperative."""
    at: Optional[Timestamp] = None
    """The moment in the file concerned, in seconds."""
    path: Optional[str] = None
    """The file concerned."""
    recovery: Recovery = field(default_factory=lambda: _named("Recovery")({'action': 'give_up'}))
    """What the program can do."""
    stage: Optional[Stage] = None
    """The stage that failed."""
    url: Optional[str] = None
    """The address concerned, without user, password and query."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'recovery': _named("Recovery"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['advice', 'at', 'path', 'stage', 'url'])


@dataclass
class StartedEvent(Data):
    """A stage started, for the run or for one clip."""

    stage: Stage
    """The stage."""
    clip: Optional[int] = None
    """The clip's rank, from 1. ``None`` means the whole run."""
    event: str = 'started'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class ProgressEvent(Data):
    """A stage made progress."""

    stage: Stage
    """The stage."""
    fraction: float
    """The completed fraction of the stage's work, 0 to 1."""
    clip: Optional[int] = None
    """The clip's rank, from 1. ``None`` means the whole run."""
    event: str = 'progress'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class FinishedEvent(Data):
    """A stage succeeded."""

    stage: Stage
    """The stage."""
    clip: Optional[int] = None
    """The clip's rank, from 1. ``None`` means the whole run."""
    event: str = 'finished'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class PlannedEvent(Data):
    """The number of clips is known."""

    clips: int
    """The number of clips that will be made."""
    event: str = 'planned'


@dataclass
class WaitingEvent(Data):
    """A stage waits, for example for a concurrency limit or for its next attempt."""

    stage: Stage
    """The stage."""
    seconds: float
    """The waiting time in seconds."""
    reason: str
    """The reason, as one line for a person."""
    clip: Optional[int] = None
    """The clip's rank, from 1. ``None`` means the whole run."""
    event: str = 'waiting'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class WarningEvent(Data):
    """The run had a problem and continued."""

    stage: Stage
    """The stage that had the problem."""
    message: str
    """One line for a person: the problem, how the run continued, and how to avoid the problem."""
    clip: Optional[int] = None
    """The rank of the clip concerned, from 1. ``None`` means that the warning concerns the whole
    run.
    """
    kind: WarningKind = 'other'
    """The kind of the warning, for a program to branch on."""
    event: str = 'warning'
    _optional: ClassVar[frozenset[str]] = frozenset(['clip'])


@dataclass
class ClipEvent(Data):
    """A clip is complete and in its final place."""

    id: ClipId
    """The clip's id."""
    rank: int
    """The clip's position in the ranking, from 1."""
    file: str
    """The clip's file: a name relative to the output folder, or a URL."""
    span: Span
    """The clip's span on the source's timeline, in seconds."""
    score: Score
    """The clip's quality."""
    title: str
    """The clip's title."""
    reason: str
    """Why the scorer chose the span."""
    warnings: List[Warning]
    """The warnings that concern this clip."""
    cover: Optional[str] = None
    """The name of the cover, relative to the output folder. ``None`` means that the cover was not
    published as a file.
    """
    hook_line: Optional[str] = None
    """A line of text for the clip's first seconds or for the text of a post. ``None`` means that the
    scorer wrote no line.
    """
    plan: Optional[str] = None
    """The name of the plan, relative to the output folder. ``None`` means that the plan was not
    published as a file.
    """
    receipts: List[Receipt] = field(default_factory=list)
    """The receipts of the publications, one for each target."""
    unpublished: Optional[List[Unpublished]] = None
    """The targets that the clip could not be published to, if another target has it."""
    event: str = 'clip'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'score': _named("Score"),
        'warnings': many(_named("Warning")),
        'receipts': many(_named("Receipt")),
        'unpublished': many(_named("Unpublished")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['cover', 'hook_line', 'plan', 'unpublished'])


#: An event of a run, for progress bars and logs.
Event = Union[StartedEvent, ProgressEvent, FinishedEvent, PlannedEvent, WaitingEvent, WarningEvent, ClipEvent, Unknown]
_event: Loader = tagged('event', lambda: {'started': StartedEvent, 'progress': ProgressEvent, 'finished': FinishedEvent, 'planned': PlannedEvent, 'waiting': WaitingEvent, 'warning': WarningEvent, 'clip': ClipEvent})


@dataclass
class FaceSample(Data):
    """A face in one frame."""

    at: Timestamp
    """The frame's time: on the source's timeline in ``Tracks``, on the clip's timeline in a plan."""
    rect: Rect
    """The face's bounding box in the displayed picture."""
    confidence: float
    """The detector's confidence, 0 to 1."""
    mouth: float
    """How much the mouth region changed since the previous sample. It is 0 for a still mouth and
    has no upper bound. The values of a speaking mouth are well above those of a closed one.
    """
    speaking: Optional[float] = None
    """The probability that this person speaks, 0 to 1, by a model of sound and picture. ``None``
    where no model was run: a single face, faces that do not move, no model on the machine.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'rect': _named("Rect"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['speaking'])


@dataclass
class FaceTrack(Data):
    """The positions of one face through one shot."""

    id: int
    """The track's number, unique in its ``Tracks``."""
    samples: List[FaceSample]
    """The positions in order of time, at least one."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'samples': many(_named("FaceSample")),
    }


@dataclass
class Factor(Data):
    """Something that counted for or against a span."""

    name: str
    """What counted: "negation", "place in the talk"; "less negation" if there is less than
    elsewhere.
    """
    effect: float
    """How much it counted, in comparison with the whole video; negative if it counted against the
    span. Of ``Heuristic``, the difference of the log odds that an
    editor chooses it: 0.7 doubles the odds.
    """
    words: Optional[List[str]] = None
    """Words of the span that it consists of, at most three."""
    _optional: ClassVar[frozenset[str]] = frozenset(['words'])


@dataclass
class FailedClip(Data):
    """A chosen clip that could not be made."""

    rank: int
    """The clip's position in the ranking, from 1."""
    span: Span
    """The clip's span on the source's timeline, in seconds."""
    title: str
    """The clip's title."""
    error: ErrorReport
    """The error of the stage that failed."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'error': _named("ErrorReport"),
    }


@dataclass
class FileStamp(Data):
    """A file's size and modification time."""

    size: int
    """The size in bytes."""
    modified: int
    """The modification time in microseconds since 1970-01-01 UTC."""


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
    """A frame rate as a fraction: ``num / den`` frames per second."""

    num: int
    """The number of frames in ``den`` seconds."""
    den: int
    """The number of seconds for ``num`` frames."""


@dataclass
class HeatmapBin(Data):
    """A part of a video and how often viewers replay it."""

    span: Span
    """Where the part is."""
    value: float
    """How often it is replayed, 0 to 1: 1 for the most replayed part. The first part of a video is
    high for every video, since everybody starts there.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }


@dataclass
class Hook(Data):
    """A title over the clip's first seconds that states the clip's subject."""

    text: str
    """The text, drawn literally, without markup."""
    span: Span
    """When the title is shown, on the clip's timeline."""
    area: Rect
    """The part of the output for the title, in fractions of the output's width and height. The
    text is centered in it, and its size is reduced until it fits.
    """
    style: HookStyle
    """The appearance of the title."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'area': _named("Rect"),
        'style': _named("HookStyle"),
    }


@dataclass
class HookStyle(Data):
    """The appearance of a ``Hook``. In JSON, a missing field has its value in
    ``HookStyle.default``.
    """

    bold: bool = False
    """Whether to use the family's bold weight. Default ``false``, since Lato Black is already heavy."""
    color: Rgb = '#0c0c10'
    """The color of the words. Default ``#0c0c10``, nearly black."""
    font: str = 'Lato Black'
    """The font's family name in fontconfig. Default ``Lato Black``."""
    plate: Optional[Rgb] = '#ffffff'
    """The color of the plate behind the lines. ``None`` (``null`` in JSON) means no plate; the words
    then have a black outline. Default white.
    """
    secs: float = 3.0
    """How long the hook is shown, in seconds. Default 3."""
    size: float = 0.036
    """The font's maximum size as a fraction of the output's height. Default 0.036."""


@dataclass
class FillLayout(Data):
    """One crop window fills the output."""

    crop: Crop
    """The crop window."""
    kind: str = 'fill'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'crop': _named("Crop"),
    }


@dataclass
class SplitLayout(Data):
    """Two crop windows, one above the other. Each fills one half of the output."""

    top: Crop
    """The crop window of the upper half."""
    bottom: Crop
    """The crop window of the lower half."""
    speaking: Optional[List[Speaking]] = None
    """The half to mark as the speaker's, in order of time. Neither half is marked before the
    first entry.
    """
    kind: str = 'split'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'top': _named("Crop"),
        'bottom': _named("Crop"),
        'speaking': many(_named("Speaking")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['speaking'])


@dataclass
class FitLayout(Data):
    """One crop window, usually the whole picture, over a blurred copy of itself that fills the
    output.
    """

    pane: Pane
    """The crop window and its position in the output."""
    kind: str = 'fit'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'pane': _named("Pane"),
    }


@dataclass
class PipLayout(Data):
    """Picture in picture: a crop window and a smaller one in front of it, for example a camera
    picture over a screencast. A blurred copy of the larger window fills the rest of the output.
    """

    screen: Pane
    """The larger crop window and its position in the output."""
    inset: Pane
    """The smaller crop window, in front, and its position in the output."""
    kind: str = 'pip'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'screen': _named("Pane"),
        'inset': _named("Pane"),
    }


#: The arrangement of crop windows in the output.
Layout = Union[FillLayout, SplitLayout, FitLayout, PipLayout, Unknown]
_layout: Loader = tagged('kind', lambda: {'fill': FillLayout, 'split': SplitLayout, 'fit': FitLayout, 'pip': PipLayout})


@dataclass
class LimitsFields(Data):
    """Changes to limits with a name."""

    answer_bytes: Optional[int] = None
    clips: Optional[int] = None
    document_bytes: Optional[int] = None
    download_bytes: Optional[int] = None
    like: Optional[LimitsName] = None
    """The limits that missing fields are taken from. Default: ``default``."""
    media_secs: Optional[int] = None
    media_streams: Optional[int] = None
    picture_height: Optional[int] = None
    picture_pixels: Optional[int] = None
    picture_width: Optional[int] = None
    plan_overlays: Optional[int] = None
    plan_pieces: Optional[int] = None
    plan_secs: Optional[int] = None
    plan_sounds: Optional[int] = None
    transcript_bytes: Optional[int] = None
    transcript_cues: Optional[int] = None
    transcript_words: Optional[int] = None
    _optional: ClassVar[frozenset[str]] = frozenset(['answer_bytes', 'clips', 'document_bytes', 'download_bytes', 'like', 'media_secs', 'media_streams', 'picture_height', 'picture_pixels', 'picture_width', 'plan_overlays', 'plan_pieces', 'plan_secs', 'plan_sounds', 'transcript_bytes', 'transcript_cues', 'transcript_words'])


@dataclass
class Loudness(Data):
    """The loudness of a clip, as ITU-R BS.1770 and EBU R 128 define it.

    The renderer applies one constant gain to the whole clip and limits only the peaks that would
    exceed the true peak. The gain is at most 20 dB. A clip below -50 LUFS counts as silent and is
    not changed.
    """

    integrated: float
    """The integrated loudness in LUFS, -40 to -5."""
    true_peak: float
    """The highest true peak of the finished file in dBTP, -9 to 0."""


@dataclass
class _Manifest(Data):
    """The result of a run: the content of ``clips.json``."""

    version: int
    """The version of this document: ``Manifest.VERSION``."""
    source: PlanSource
    """The input."""
    clips: List[ManifestClip]
    """The clips in order of rank, the best first."""
    warnings: List[Warning]
    """The warnings that concern the run as a whole."""
    timings: Timing
    """The time that each stage took."""
    failed: List[FailedClip] = field(default_factory=list)
    """The clips that could not be made, in order of rank, with their errors."""
    usage: Optional[List[Usage]] = None
    """The use and the cost of paid models, one entry for each stage and model. The list is empty
    if no paid model was used.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'source': _named("PlanSource"),
        'clips': many(_named("ManifestClip")),
        'warnings': many(_named("Warning")),
        'timings': _named("Timing"),
        'failed': many(_named("FailedClip")),
        'usage': many(_named("Usage")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['usage'])


@dataclass
class _ManifestClip(Data):
    """One clip of a ``Manifest``."""

    id: ClipId
    """The clip's id."""
    rank: int
    """The clip's position in the ranking, from 1."""
    file: str
    """The clip's file: a name relative to the output folder, or a URL."""
    span: Span
    """The clip's span on the source's timeline, in seconds."""
    score: Score
    """The clip's quality."""
    title: str
    """The clip's title."""
    reason: str
    """Why the scorer chose the span."""
    warnings: List[Warning]
    """The warnings that concern this clip."""
    cover: Optional[str] = None
    """The name of the cover, relative to the output folder. ``None`` means that the cover was not
    published as a file.
    """
    hook_line: Optional[str] = None
    """A line of text for the clip's first seconds or for the text of a post. ``None`` means that the
    scorer wrote no line.
    """
    plan: Optional[str] = None
    """The name of the plan, relative to the output folder. ``None`` means that the plan was not
    published as a file.
    """
    receipts: List[Receipt] = field(default_factory=list)
    """The receipts of the publications, one for each target."""
    unpublished: Optional[List[Unpublished]] = None
    """The targets that the clip could not be published to, if another target has it."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'score': _named("Score"),
        'warnings': many(_named("Warning")),
        'receipts': many(_named("Receipt")),
        'unpublished': many(_named("Unpublished")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['cover', 'hook_line', 'plan', 'unpublished'])


@dataclass
class Media(Data):
    """A media file on this machine and its streams."""

    uri: str
    """The path or URL that the source was given, without the user information, the query and the
    fragment of a URL, which can hold secrets. A video of a platform has its canonical URL.
    """
    path: str
    """The file's path on this machine. Another process locates the file again."""
    id: ContentId
    """The hash of the file's content, or a platform's name and the video's id there."""
    container: str
    """The container's short name in FFmpeg (``mov,mp4,m4a,3gp,3g2,mj2``)."""
    duration: Timestamp
    """The duration of the longest audio or video stream. It is measured if the container's value
    is missing or implausible.
    """
    audio: List[AudioStream]
    """The audio streams, in file order."""
    subtitles: List[SubtitleStream]
    """The subtitle streams, in file order."""
    about: Optional[About] = None
    """What the platform or the file says about the video: title, chapters, language."""
    audio_track: Optional[int] = None
    """The position in ``audio`` of the track that is heard and rendered, from 0. ``None`` means the
    file's default track.
    """
    stamp: Optional[FileStamp] = None
    """The file's size and modification time. ``None`` for media in a media store."""
    video: Optional[VideoStream] = None
    """The video stream that a player shows. ``None`` means that the file has no video."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'audio': many(_named("AudioStream")),
        'subtitles': many(_named("SubtitleStream")),
        'about': _named("About"),
        'stamp': _named("FileStamp"),
        'video': _named("VideoStream"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['about', 'audio_track', 'stamp', 'video'])


@dataclass
class MediaRef(Data):
    """A reference to a media file by address and content. Plans and manifests keep it, so that they
    stay valid after the local copy is removed, and on other machines.
    """

    uri: str
    """The path or URL that the source was given. A relative path is resolved against the working
    folder.
    """
    id: ContentId
    """The hash of the file's content."""
    stamp: Optional[FileStamp] = None
    """The file's size and modification time when it was identified. If they are unchanged, the
    file is not hashed again. ``None`` for media in a media store.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'stamp': _named("FileStamp"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['stamp'])


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
    speaker_model: Optional[str] = None
    """The folder of an active speaker model: the files ``audio_frontend.onnx``,
    ``visual_frontend.onnx`` and ``av_backend.onnx`` of LR-ASD. It tells who speaks where several
    faces move, at about 110 ms of one core per second and face. ``None``, the default, goes by
    the movement of mouths alone; a configured tracker then takes the model of
    ``WeightsStore.find_active_speaker``.
    """
    threads: int = 1
    """Threads of one inference; default 1, which takes the least CPU time with models this small.
    0 starts one per core.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['confidence', 'library', 'speaker_model'])


@dataclass
class OpenAiServer(Data):
    """A server that speaks OpenAI's API: OpenAI itself, Groq, speaches, Ollama, vLLM, LM Studio and
    others.

    Fields that are not set come from the ``Environment`` of the context that a stage runs under:
    ``OPENAI_BASE_URL``, ``OPENAI_API_KEY``, ``OPENAI_ORG_ID``. The key is written neither to JSON nor to
    logs, errors or manifests.

    A long video takes many requests, and servers limit the number of requests. So limits and
    retries are layers around each request and not around the stage: if one of twenty uploads fails,
    only that one is sent again, and a rate limit counts every upload.
    """

    base_url: Optional[str] = None
    """The address below which the API's paths lie, such as ``http://localhost:8000/v1``. Default:
    ``OPENAI_BASE_URL``, else OpenAI's.
    """
    layers: List[Dict[str, Any]] = field(default_factory=lambda: [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}])  # noqa: E501
    """The layers around each request, innermost first. Default: one ``Retry``; nothing else
    repeats a request, so an empty list sends each request once. In one process, all stages with
    the same address, organization, key and layers share the state of the layers, because a
    server counts requests per account: a rate limit holds for transcriber and scorer together.
    A cache is not allowed here; put it around the stage.
    """
    organization: Optional[str] = None
    """The organization that requests are charged to. Default: ``OPENAI_ORG_ID``."""
    _optional: ClassVar[frozenset[str]] = frozenset(['base_url', 'organization'])


@dataclass
class OpenAiTranscriberOptions(Data):
    """Transcribes with a Whisper-style API: OpenAI's, or any server that speaks it.

    The audio is extracted as mono M4A (about 6 kB a second) and split at pauses into chunks of
    about ten minutes that overlap by a few seconds. Chunks are uploaded concurrently, and their
    words are merged. Chunks without speech are not uploaded.

    ``whisper-1`` and compatible models return word timestamps. If a model returns segment timestamps
    only, each segment's time is divided among its words by length. If it returns no timestamps
    (``gpt-4o-transcribe`` and its variants), chunks of about 15 seconds are uploaded and their words
    are aligned to the detected speech. Both cases leave a warning.

    A server that cannot read M4A gets the same audio as WAV (32 kB a second), for example
    whisper.cpp's without ``--convert``. An upload that is too large for a server becomes two.
    Responses are read in many forms: plain text, a JSON string, captions, a stream, ``segments`` or
    ``chunks``, one level inside of another object, with ``NaN`` or null in them. Words without any time
    count as text. An error with the status 200 is an error.

    Each request runs inside the server's layers (``OpenAiServer.layers``), so one that fails is
    sent again alone.
    """

    language: Optional[str] = None
    """The spoken language as ISO 639-1 (``en``). Default: the server detects it."""
    model: str = 'whisper-1'
    """The model. Default ``whisper-1``, OpenAI's model with word timestamps."""
    prompt: Optional[str] = None
    """Names and terms whose spelling the model should follow, or a sentence in the wanted style.
    ``whisper-1`` uses the last 224 tokens.
    """
    server: OpenAiServer = field(default_factory=lambda: _named("OpenAiServer")({'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}))  # noqa: E501
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int = 600
    """The time limit of one request, in seconds. A request that exceeds it is sent again, as the
    server's layers say. Default 600; 0 counts as 1.
    """
    uploads: int = 3
    """How many chunks are uploaded concurrently. Default 3; 0 counts as 1."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'server': _named("OpenAiServer"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['language', 'prompt'])


@dataclass
class Orientation(Data):
    """How a stored picture is oriented for display. If ``mirrored``, it is first mirrored left to right.
    Then it is rotated clockwise.
    """

    clockwise: int
    """The clockwise rotation in degrees: 0, 90, 180 or 270."""
    mirrored: bool
    """Whether the picture is mirrored left to right before the rotation."""


@dataclass
class Output(Data):
    """The parameters of the file to make: H.264 video and AAC audio in an MP4 container. They are
    sufficient to repeat the encode.
    """

    codec: str
    """The video codec: ``h264`` (x264, High profile, yuv420p, BT.709)."""
    preset: X264Preset
    """x264's speed preset."""
    crf: int
    """x264's constant rate factor, 0 to 51. A lower value gives a better picture and a larger
    file.
    """
    width: int
    """The width in pixels, an even number."""
    height: int
    """The height in pixels, an even number."""
    frame_rate: FrameRate
    """The constant frame rate."""
    audio_bitrate: int
    """The audio bit rate in bits per second (AAC, 48 kHz, stereo)."""
    loudness: Optional[Loudness] = None
    """The loudness to normalize the audio to. ``None`` leaves the source's loudness unchanged."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'frame_rate': _named("FrameRate"),
        'loudness': _named("Loudness"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['loudness'])


@dataclass
class Overlay(Data):
    """Something that is drawn over the picture: an image, an emoji, a text or a progress bar.

    Overlays are drawn in the order of the list, the last in front. Images, emoji and progress bars
    are behind captions and title, texts are in front of them. A caption that a text would cover
    stands above or below it.
    """

    content: OverlayContent
    """What is drawn."""
    place: OverlayPlace
    """Where it is drawn, and its size."""
    fade_in: Optional[float] = None
    """How long it takes to appear, in seconds, 0 to 60. Default 0, which is at once."""
    fade_out: Optional[float] = None
    """How long it takes to disappear, in seconds, 0 to 60. Default 0, which is at once. Fades that
    last longer than the overlay are shortened.
    """
    opacity: Optional[float] = None
    """How opaque it is, 0 to 1. Default 1. Transparent parts of an image stay transparent."""
    span: Optional[Span] = None
    """When it is shown, on the clip's timeline. ``None`` means the whole clip."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'place': _named("OverlayPlace"),
        'span': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['fade_in', 'fade_out', 'opacity', 'span'])


@dataclass
class OverlayPlace(Data):
    """Where an overlay is drawn, and its size. The overlay is moved and made smaller until it is
    inside its area.
    """

    anchor: Anchor
    """The corner, side or center of the area that the overlay touches."""
    area: Optional[Rect] = None
    """The part of the output in which the overlay stays, in fractions of the output's width and
    height. Default: the part that no platform's interface covers
    (``Platform.Generic``).
    """
    height: Optional[float] = None
    """The height as a fraction of the output's height. Default: of an image what its width gives,
    of a text 0.12, of a progress bar 0.006. An image keeps its aspect ratio, so with both it is
    as large as fits. A text shrinks until it fits.
    """
    width: Optional[float] = None
    """The width as a fraction of the output's width. Default: of an image 0.18, or what its height
    gives; of a text or a progress bar the area's width.
    """
    x: Optional[float] = None
    """The distance to the right of the anchor, as a fraction of the output's width. A negative
    distance is to the left. Default 0.
    """
    y: Optional[float] = None
    """The distance below the anchor, as a fraction of the output's height. A negative distance is
    above. Default 0.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'area': _named("Rect"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['area', 'height', 'width', 'x', 'y'])


@dataclass
class OverlayTextStyle(Data):
    """The appearance of a text overlay. In JSON, a missing field has its value in
    ``OverlayTextStyle.default``.
    """

    bold: bool = False
    """Whether to use the family's bold weight. Default ``false``, since Lato Black is already heavy."""
    color: Rgb = '#ffffff'
    """The color of the words. Default white."""
    font: str = 'Lato Black'
    """The font's family name in fontconfig. Default ``Lato Black``."""
    plate: Optional[Rgb] = '#18181b'
    """The color of the plate behind the lines. ``None`` (``null`` in JSON) means no plate; the words
    then have a black outline. Default ``#18181b``, nearly black.
    """
    size: float = 0.026
    """The font's maximum size as a fraction of the output's height. Default 0.026."""


@dataclass
class Pane(Data):
    """A crop window and its position in the output."""

    crop: Crop
    """The crop window."""
    place: Rect
    """The position in fractions of the output's width and height."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'crop': _named("Crop"),
        'place': _named("Rect"),
    }


@dataclass
class Piece(Data):
    """A stretch of the source that a clip plays."""

    span: Span
    """The stretch on the source's timeline, in seconds."""
    speed: Optional[float] = None
    """The playback speed, 0.5 to 2: source time divided by clip time. The pitch of the sound is
    kept. Default 1.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['speed'])


@dataclass
class PipelineConfig(Data):
    """The stages of a pipeline and their options. Every field has a default; unknown fields are
    rejected.
    """

    layers: Dict[str, List[Dict[str, Any]]] = field(default_factory=dict)
    """The layers around each stage, innermost first: ``{"transcribe": [{"retry": {}}, {"cache":
    {}}]}``. The order matters, see ``StageExt``. Default: a cache in the user's cache folder for
    stages that use a model or an API, a retry for publishers to servers, and no layers for
    others. A list replaces the default, so ``{"track": []}`` tracks every span again.

    Layers also apply to stages that are set in a builder. The fallback of a stage
    (``ClipOptions.degrade``) is outside its layers and is not cached. Layers around the single
    requests to a server, by default a retry, are in
    ``OpenAiServer.layers``.
    """
    options: ClipOptions = field(default_factory=lambda: _named("ClipOptions")({'about': [], 'aspect': '9:16', 'at_once': {}, 'avoid': [], 'captions': {'animation': 'karaoke', 'avoid_faces': True, 'bold': False, 'color': '#ffffff', 'font': 'Lato Black', 'highlight': '#ffd60a', 'max_words': 5, 'name': 'karaoke', 'outline': '#000000', 'outline_width': 0.09, 'position': 0.645, 'shadow': 0.03, 'size': 0.048, 'uppercase': False}, 'clips': 10, 'crf': 20, 'genre': None, 'hook': None, 'jobs': None, 'layout': 'auto', 'loudness': {'integrated': -14.0, 'true_peak': -1.0}, 'max': 60.0, 'max_cost': None, 'min': 15.0, 'platform': 'generic', 'preset': 'veryfast', 'reactions': False, 'snap': True}))  # noqa: E501
    """Which clips are made, and how many."""
    publishers: List[PublisherConfig] = field(default_factory=lambda: many(_named("PublisherConfig"))([{'keep_others': False, 'kind': 'folder', 'path': 'clips'}]))  # noqa: E501
    """The publishers. Every clip goes to each of them. Default: the folder ``clips``."""
    renderer: RendererConfig = field(default_factory=lambda: _named("RendererConfig")({'kind': 'ffmpeg', 'size': None, 'threads': 0}))
    """The renderer. Default: ``ffmpeg``."""
    scorer: ScorerConfig = field(default_factory=lambda: _named("ScorerConfig")({'kind': 'auto'}))
    """The scorer. Default: ``auto``."""
    source: SourceConfig = field(default_factory=lambda: _named("SourceConfig")({'allow_private': [], 'file': {'store': False}, 'http': {'allow_private': [], 'idle_timeout': 30.0, 'timeout': 21600.0}, 'kind': 'auto', 'local': True, 'object_store': {}, 'ytdlp': {'allow_private': [], 'height': 1080, 'timeout': 21600.0}}))  # noqa: E501
    """The source. Default: ``auto``."""
    speech_cache: Optional[Dict[str, Any]] = field(default_factory=lambda: {'keep': 604800.0})
    """The cache for speech maps (the spans in which somebody speaks in a medium). Default: the
    user's cache folder. ``null`` means memory only.
    """
    tracker: TrackerConfig = field(default_factory=lambda: _named("TrackerConfig")({'kind': 'auto', 'options': {'confidence': None, 'library': None, 'samples_per_second': 5.0, 'threads': 1}}))  # noqa: E501
    """The tracker. Default: ``auto``."""
    transcriber: TranscriberConfig = field(default_factory=lambda: _named("TranscriberConfig")({'kind': 'auto', 'openai': {'language': None, 'model': 'whisper-1', 'prompt': None, 'server': {'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}, 'timeout_secs': 600, 'uploads': 3}}))  # noqa: E501
    """The transcriber. Default: ``auto``."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'options': _named("ClipOptions"),
        'publishers': many(_named("PublisherConfig")),
        'renderer': _named("RendererConfig"),
        'scorer': _named("ScorerConfig"),
        'source': _named("SourceConfig"),
        'tracker': _named("TrackerConfig"),
        'transcriber': _named("TranscriberConfig"),
    }


@dataclass
class PlanSource(Data):
    """The source file of a plan."""

    media: MediaRef
    """The reference to the file. A step that needs the file locates it on its machine."""
    width: int
    """The width of the displayed picture, in pixels."""
    height: int
    """The height of the displayed picture, in pixels."""
    duration: Timestamp
    """The duration of the file."""
    audio_track: Optional[int] = None
    """The position of the audio track to render among the file's audio streams, from 0. ``None``
    means the file's default track.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'media': _named("MediaRef"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['audio_track'])


@dataclass
class Planned(Data):
    """The result of ``Pipeline.plan_all``: the clips that would be made."""

    media: Media
    """The input."""
    plans: List[RankedPlan]
    """One plan per clip, best first."""
    warnings: List[Warning]
    """The warnings of the run. ``Warning.clip`` is the rank of the clip that a warning concerns."""
    usage: List[Usage]
    """The usage and cost of paid models."""
    failed: List[FailedClip] = field(default_factory=list)
    """The clips that could not be planned, best first, each with its error."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'media': _named("Media"),
        'plans': many(_named("RankedPlan")),
        'warnings': many(_named("Warning")),
        'usage': many(_named("Usage")),
        'failed': many(_named("FailedClip")),
    }


@dataclass
class Post(Data):
    """A clip to publish, for a ``Publisher``.

    A publisher reads the files and must not move or change them, since several publishers can get
    the same post.
    """

    clip: ClipId
    """The clip's id."""
    title: str
    """The title."""
    files: PostFiles
    """The clip's files."""
    description: str = ''
    """The description that the platform shows with the clip. It can be empty."""
    language: Optional[str] = None
    """The spoken language as a BCP 47 tag. ``None`` means that the language is not known."""
    made_for_kids: bool = False
    """Whether the clip is made for children, a declaration that platforms require. Default
    ``false``.
    """
    privacy: Privacy = 'public'
    """Who can see the clip. Default: everybody."""
    publish_at: Optional[str] = None
    """When the clip becomes visible, in RFC 3339. ``None`` means at once."""
    rank: int = 1
    """The clip's position in the ranking, from 1. It only numbers file names."""
    synthetic: bool = False
    """Whether the clip shows realistic synthetic media, a declaration that platforms require.
    Default ``false``.
    """
    tags: List[str] = field(default_factory=list)
    """The tags, without ``#``."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'files': _named("PostFiles"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['language', 'publish_at'])


@dataclass
class PostFiles(Data):
    """The files of a ``Post`` on this machine."""

    video: str
    """The MP4 file."""
    captions: Optional[str] = None
    """The captions on the clip's timeline, as an SRT file. ``None`` means that the clip has no
    captions.
    """
    cover: Optional[str] = None
    """The cover picture, a JPEG file. ``None`` means that there is no cover."""
    plan: Optional[str] = None
    """The clip plan, as a JSON file. ``None`` means that the plan is not published."""
    _optional: ClassVar[frozenset[str]] = frozenset(['captions', 'cover', 'plan'])


@dataclass
class PostTexts(Data):
    """What a clip's posts say besides the title."""

    description: Optional[str] = None
    """The description. Publishers shorten it to what their platform accepts."""
    language: Optional[str] = None
    """The spoken language as a BCP 47 tag. ``None`` means that it is not known."""
    tags: Optional[List[str]] = None
    """The tags, without ``#``, the most fitting first."""
    _optional: ClassVar[frozenset[str]] = frozenset(['description', 'language', 'tags'])


@dataclass
class Price(Data):
    """The price of a language model, in US dollars for a million tokens."""

    input: float
    """For prompt tokens."""
    output: float
    """For completion tokens, reasoning tokens included."""


@dataclass
class PublishedFiles(Data):
    """The names of a clip's files at a target: paths relative to the target's folder, or object keys."""

    video: str
    """The name of the clip's MP4 file."""
    cover: Optional[str] = None
    """The name of the cover. ``None`` means that the cover was not published."""
    plan: Optional[str] = None
    """The name of the plan. ``None`` means that the plan was not published."""
    _optional: ClassVar[frozenset[str]] = frozenset(['cover', 'plan'])


@dataclass
class FolderPublisherConfig(Data):
    """A folder on this machine: ``Folder``."""

    path: str
    """The folder."""
    keep_others: bool = False
    """Whether the manifest keeps the clips of earlier runs of the same video whose files exist.
    Use it to render some of the clips again. Default: ``false``: files of clips that the new run
    did not make are removed.
    """
    kind: str = 'folder'


@dataclass
class ObjectStorePublisherConfig(Data):
    """An object store: ``ObjectStorePublisher``."""

    url: str
    """The store and the prefix of all keys: ``s3://bucket/prefix``."""
    cache_control: Optional[str] = None
    """The ``Cache-Control`` header of the objects. Default: none."""
    key: str = '{id}/{rank}-{slug}'
    """The key of a clip below the prefix, without extension. ``{id}`` is the clip's id, ``{rank}`` its
    rank with two digits, ``{slug}`` its title in lower-case ASCII, ``{date}`` today's date in UTC.
    Default: ``{id}/{rank}-{slug}``. Without ``{id}``, two clips can get the same key; the second is
    then refused.
    """
    link: Optional[float] = None
    """How long the link in the receipt is valid, in seconds: 1 to 604800, which is 7 days. With
    the link (``Receipt.url``), everybody can get the clip from the store, so that it passes
    through no server of yours. Default: no link.
    """
    metadata: Optional[Dict[str, str]] = None
    """More metadata of the objects. Names are lower-case letters, digits and hyphens, values are
    ASCII. Default: none.
    """
    part_size: int = 8388608
    """The size of the parts of large files, in bytes, at least 5 MiB. Larger parts suit fast
    connections; 4 parts are in memory at a time. Default: 8 MiB.
    """
    public_url: Optional[str] = None
    """The address at which everybody can get what lies below the prefix, for example of a CDN. The
    receipt then has the clip's address below it. Default: none.
    """
    kind: str = 'object_store'
    _optional: ClassVar[frozenset[str]] = frozenset(['cache_control', 'link', 'metadata', 'public_url'])


@dataclass
class WebhookPublisherConfig(Data):
    """A server of the user's own: ``Webhook``."""

    url: str
    """The address, ``https`` or ``http``. It is the account of the target, without its query."""
    allow_private: Optional[List[str]] = None
    """Private addresses and networks that may be connected to: ``127.0.0.1``, ``10.1.0.0/16``.
    Default: none.
    """
    manifest: bool = True
    """Whether the manifest is posted after the last clip. Default: ``true``."""
    secret: Optional[str] = None
    """The secret. It is read from documents and never written to them. Default: the variable's."""
    secret_variable: Optional[str] = None
    """The environment variable with the secret. Its name starts with ``CLIPKIT_WEBHOOK_``. Default:
    ``CLIPKIT_WEBHOOK_SECRET``.
    """
    timeout: float = 600.0
    """The longest time for one delivery, in seconds. Default 10 minutes."""
    video: bool = True
    """Whether the clip's files are posted. Default: ``true``."""
    kind: str = 'webhook'
    _optional: ClassVar[frozenset[str]] = frozenset(['allow_private', 'secret', 'secret_variable'])


@dataclass
class YoutubePublisherConfig(Data):
    """A channel on YouTube: ``YouTube``."""

    account: str = 'default'
    """The account's name, by which its credentials are found. Default: ``default``."""
    api_url: Optional[str] = None
    """Another address of the API, for tests. Its path ``/token`` gives access tokens. Default:
    Google's.
    """
    captions: bool = True
    """Whether the captions become a caption track. Default: ``true``."""
    category: str = '22'
    """The id of the category. Default: ``22``, people and blogs."""
    chunk_size: int = 8388608
    """The size of a chunk in bytes, a multiple of 256 KiB. A chunk that breaks off is sent again
    from where YouTube has it. Default: 8 MiB.
    """
    credentials: CredentialsConfig = field(default_factory=lambda: _named("CredentialsConfig")({'kind': 'auto'}))
    """Where the credentials are. Default: the environment, else a file."""
    notify: bool = True
    """Whether subscribers are told. Default: ``true``."""
    schedule: Optional[Schedule] = None
    """When clips are published that have no time of their own (``Post.publish_at``). YouTube
    keeps them private until then. Default: at once.
    """
    shorts: bool = True
    """Whether clips are meant as Shorts: at most 3 minutes, not wider than high. Default: ``true``."""
    thumbnail: bool = True
    """Whether the cover becomes the thumbnail. Default: ``true``."""
    kind: str = 'youtube'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'credentials': _named("CredentialsConfig"),
        'schedule': _named("Schedule"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['api_url', 'schedule'])


@dataclass
class TiktokPublisherConfig(Data):
    """An account on TikTok: ``TikTok``."""

    account: str = 'default'
    """The account's name, by which its credentials are found. Default: ``default``."""
    api_url: Optional[str] = None
    """Another address of the API, for tests. Its path ``/token`` gives access tokens. Default:
    TikTok's.
    """
    chunk_size: int = 10000000
    """The size of a chunk in bytes, 5 MiB to 64 MB. What is left over goes with the last chunk. A
    chunk that breaks off is sent again. Default: 10 MB.
    """
    comments: bool = True
    """Whether others can comment, if the account allows it. Default: ``true``."""
    credentials: CredentialsConfig = field(default_factory=lambda: _named("CredentialsConfig")({'kind': 'auto'}))
    """Where the credentials are. Default: the environment, else a file. TikTok changes refresh
    tokens at each use, so the environment is good for an access token only.
    """
    duets: bool = True
    """Whether others can make duets, if the account allows it. Default: ``true``."""
    inbox: bool = False
    """Whether the clip goes to the account's inbox as a draft, which somebody finishes and posts
    in the app. A draft has no texts. Apps without audit can do this. Default: ``false``.
    """
    own_brand: bool = False
    """Whether the clip promotes the account's own business, a declaration. Default: ``false``."""
    paid_partnership: bool = False
    """Whether the clip is a paid partnership, a declaration. Default: ``false``."""
    privacy: Optional[TikTokPrivacy] = None
    """Who can see the posts. Clips that are private (``Post.privacy``) are for the account itself
    in any case. Default: everybody; TikTok has no unlisted posts.
    """
    schedule: Optional[Schedule] = None
    """When clips are published that have no time of their own (``Post.publish_at``). Default: at
    once.
    """
    stitches: bool = True
    """Whether others can make stitches, if the account allows it. Default: ``true``."""
    kind: str = 'tiktok'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'credentials': _named("CredentialsConfig"),
        'schedule': _named("Schedule"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['api_url', 'privacy', 'schedule'])


@dataclass
class InstagramPublisherConfig(Data):
    """An account on Instagram: ``Instagram``."""

    account: str = 'default'
    """The account's name, by which its credentials are found. Default: ``default``."""
    api_url: Optional[str] = None
    """Another address of the API with its version, for tests. Its path ``/token`` gives access
    tokens. Default: Meta's.
    """
    credentials: CredentialsConfig = field(default_factory=lambda: _named("CredentialsConfig")({'kind': 'auto'}))
    """Where the credentials are. Default: the environment, else a file."""
    schedule: Optional[Schedule] = None
    """When clips are published that have no time of their own (``Post.publish_at``). Default: at
    once.
    """
    share_to_feed: bool = True
    """Whether the Reel is also shown in the feed. Default: ``true``."""
    kind: str = 'instagram'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'credentials': _named("CredentialsConfig"),
        'schedule': _named("Schedule"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['api_url', 'schedule'])


#: The kinds of publishers.
PublisherConfig = Union[FolderPublisherConfig, ObjectStorePublisherConfig, WebhookPublisherConfig, YoutubePublisherConfig, TiktokPublisherConfig, InstagramPublisherConfig, Unknown]
_publisher_config: Loader = tagged('kind', lambda: {'folder': FolderPublisherConfig, 'object_store': ObjectStorePublisherConfig, 'webhook': WebhookPublisherConfig, 'youtube': YoutubePublisherConfig, 'tiktok': TiktokPublisherConfig, 'instagram': InstagramPublisherConfig})


@dataclass
class RankedPlan(Data):
    """A plan and its rank, which is part of its files' names."""

    rank: int
    """The rank, from 1."""
    plan: ClipPlan
    """The plan."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'plan': _named("ClipPlan"),
    }


@dataclass
class _RateLimit(Data):
    """Limits how many calls begin in any minute, and in any day. Callers wait in order of arrival, and
    waits are reported (``Event.Waiting``). When the calls of a day are used up, the
    call fails with the time at which the next one is possible (``Recovery.WaitUntil``).

    The windows slide: the last 60 s and the last 24 h count, not the clock's minutes and days. That
    never exceeds what a server allows, and sometimes stays below it. Calls of this process count,
    since the layer was built.

    This is configuration. ``stage.layer(RateLimit.per_minute(5))`` builds a rate for that stage
    alone. Stages that share an account share one built layer:

    Processes that share an account share a ``Limiter`` of their own: ``LimitLayer.over``.

    Put this layer inside ``Retry``, so that each attempt counts. In JSON,
    ``{"rate_limit": {"per_minute": 5, "per_day": 100}}``; ``{"rate_limit": {}}`` is the default, 5 a
    minute, and ``"per_minute": null`` limits days alone.
    """

    per_day: Optional[int] = None
    per_minute: Optional[int] = 5
    _optional: ClassVar[frozenset[str]] = frozenset(['per_day'])


@dataclass
class Receipt(Data):
    """The result of a publication: where the clip is and what its status is."""

    target: str
    """The publishing target: ``folder``, ``s3``, ``youtube`` ..."""
    id: str
    """The clip's id at the target: a platform's video id, an object's key or a file name."""
    account: Optional[str] = None
    """The account at the target. ``None`` means that the target has no accounts."""
    files: Optional[PublishedFiles] = None
    """The names of the files at the target. ``None`` means that the target has no files."""
    published_at: Optional[str] = None
    """When the clip became or becomes visible, in RFC 3339. ``None`` means that the time is not
    known.
    """
    resume: Any = None
    """What the publisher needs to resume or query the publication, for example an upload's
    session. Only the publisher that wrote it reads it. It holds no secrets.
    """
    status: PublishStatus = 'published'
    """The status of the publication."""
    url: Optional[str] = None
    """The URL where the clip can be watched. ``None`` means that the URL is not known yet or that
    the clip is a local file.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'files': _named("PublishedFiles"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['account', 'files', 'published_at', 'resume', 'url'])


@dataclass
class _Recovery(Data):
    action: str
    """``retry``, ``refresh_credentials``, ``reencode``, ``wait_until`` or ``give_up``."""
    after: Optional[float] = None
    """For ``retry``: the delay that the server asked for, in seconds."""
    until: Optional[float] = None
    """For ``wait_until``: the time, in seconds since 1970-01-01 UTC."""
    _optional: ClassVar[frozenset[str]] = frozenset(['after', 'until'])


@dataclass
class Rect(Data):
    """A box in fractions of a picture's width and height. The origin is the picture's top left corner,
    ``x`` points right and ``y`` points down. Unless stated otherwise, the picture is the displayed
    source picture (upright, square pixels).
    """

    x: float
    """The left edge, 0 to 1."""
    y: float
    """The top edge, 0 to 1."""
    width: float
    """The width, 0 to 1."""
    height: float
    """The height, 0 to 1."""


@dataclass
class RenderedClip(Data):
    """The files of a rendered clip. They lie in ``Context.scratch`` or in
    the folder that was passed to the rendering step.
    """

    video: str
    """The MP4 file."""
    cover: str
    """The cover picture: a JPEG file with the output's size in pixels."""
    duration: Timestamp
    """The clip's duration."""
    frames: int
    """The number of video frames."""


@dataclass
class FfmpegRendererConfig(Data):
    """The FFmpeg libraries: ``FfmpegRenderer``. If it has no size, ``ClipOptions.aspect`` decides
    the size.
    """

    size: Optional[Tuple[int, int]] = None
    """Columns and rows of the clips in pixels. Plans are made for this size. Default: ``None``,
    which leaves the size to the pipeline's aspect. Rendering always uses the size in the plan.
    """
    threads: int = 0
    """Threads for decoding and for encoding one clip. Default: 0, which divides the machine's
    cores among the clips rendered concurrently.
    """
    kind: str = 'ffmpeg'
    _optional: ClassVar[frozenset[str]] = frozenset(['size'])


#: The kinds of renderers.
RendererConfig = Union[FfmpegRendererConfig, Unknown]
_renderer_config: Loader = tagged('kind', lambda: {'ffmpeg': FfmpegRendererConfig})


@dataclass
class _Retry(Data):
    """Calls again what failed, if the error's ``Recovery`` says that this may help. Each wait is
    reported (``Event.Waiting``).

    The wait grows from attempt to attempt, plus up to half of it at random, so that many callers do
    not come back at the same moment. If the other side says how long to wait (``Retry-After``), the
    wait is that long. With the defaults, three attempts wait 15 to 22 s in total. Wrong settings,
    unusable input and cancelled work are never retried.

    Attempts do not multiply: a retry counts the attempts that a retry further inside has made, so
    of two around the same work the one with more attempts decides. Stages that ask a server have a
    retry around each request (``OpenAiServer.layers``), which
    repeats only the request that failed. A retry around such a stage is for a fallback, or for a
    server that is down for longer.

    Put this layer outside ``RateLimit`` and
    ``Timeout``, so that they apply to each attempt: see
    ``StageExt``. In JSON, ``{"retry": {"attempts": 3, "first": 5, "factor":
    2, "longest": 600}}``.
    """

    attempts: int = 3
    factor: float = 2.0
    first: float = 5.0
    longest: float = 600.0


@dataclass
class Scene(Data):
    """A span of the clip with one layout."""

    span: Span
    """The scene's span on the clip's timeline."""
    layout: Layout
    """The scene's layout."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
        'layout': _named("Layout"),
    }


@dataclass
class Schedule(Data):
    """Gives each clip a time of its own.

    The slots are the starts of the windows, and further times inside them at the distance of
    ``spacing``. A clip gets the first slot that is not in the past, that no
    other clip of the account has or lies too near to, on a day that has room. A clip keeps its slot
    when it is published again. Slots are kept in the artifact store (``CLIPKIT_CACHE``), so two
    processes, also on two machines that share a store, do not give the same.

    Windows are in a time zone, by its clocks: 17:00 stays 17:00 when they change. A time that the
    clocks skip is moved forward by as much as they are.
    """

    from_: Optional[str] = None
    """No slot is earlier. A time in the past means now. Default: now."""
    per_day: int = 6
    """The most clips of an account on a day of the time zone. Default: 6, which YouTube allows new
    accounts.
    """
    spacing: float = 3600.0
    """The least time between two clips of an account, in seconds. Default: an hour."""
    windows: List[SlotWindow] = field(default_factory=lambda: many(_named("SlotWindow"))([{'days': ['mon', 'tue', 'wed', 'thu', 'fri'], 'minutes': 60, 'start': '12:00'}, {'days': ['mon', 'tue', 'wed', 'thu', 'fri'], 'minutes': 60, 'start': '17:00'}]))  # noqa: E501
    """The windows. Without any, every time from ``from`` on is a slot. Default:
    12:00 and 17:00 from Monday to Friday, for an hour each.
    """
    zone: str = 'UTC'
    """The time zone by its IANA name: ``Europe/Berlin``. Default: ``UTC``."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'windows': many(_named("SlotWindow")),
    }
    _names: ClassVar[Dict[str, str]] = {'from_': 'from'}
    _optional: ClassVar[frozenset[str]] = frozenset(['from_'])


@dataclass
class _Score(Data):
    """The quality of a span as a clip."""

    total: float
    """The overall score, 0 to 100. Clips are ranked by it."""
    hook: float
    """How strongly the first sentence attracts attention, 0 to 10. Clips chosen by what
    ``Heuristic`` says here find as many of the moments that editors
    choose as clips at random places (1.06 times).
    """
    completeness: float
    """How well the span is understood without its context, 0 to 10. It keeps clips
    clean, and says nothing about whether a moment is worth choosing (0.96 times).
    """
    density: float
    """How much information the span has for its duration, 0 to 10. Editors rather choose the
    opposite: plain words, said slowly (0.52 times).
    """
    emotion: float
    """How emotional the span is, 0 to 10, joy as much as fear. Editors choose fear rather than joy
    (0.76 times).
    """
    moment: Optional[float] = None
    """How much the span resembles the moments that editors of podcasts put into their openings, 0
    to 10: the criterion that chooses. ``None`` if the scorer does not judge it, as for languages
    other than English.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['moment'])


@dataclass
class ScoreOptions(Data):
    """The number, lengths and topics of the clips that a ``Scorer`` chooses."""

    about: List[str] = field(default_factory=list)
    """The requested topics, each a word or a short phrase ("machine learning"). Default empty: any
    topic.
    """
    avoid: List[str] = field(default_factory=list)
    """The topics to avoid. Default empty."""
    genre: Optional[Genre] = None
    """The kind of video, which sets the weights of the score components. Default ``None``: balanced
    weights.
    """
    max: float = 60.0
    """The maximum length of a clip; in JSON, seconds. Default 60 s."""
    max_clips: int = 10
    """The maximum number of clips. Default 10."""
    min: float = 15.0
    """The minimum length of a clip; in JSON, seconds. Default 15 s."""
    _optional: ClassVar[frozenset[str]] = frozenset(['genre'])


@dataclass
class AutoScorerConfig(Data):
    """The language model if a key or a server is configured, else the heuristic."""

    kind: str = 'auto'


@dataclass
class HeuristicScorerConfig(Data):
    """Rules over the words: ``Heuristic``."""

    kind: str = 'heuristic'


@dataclass
class OpenaiScorerConfig(Data):
    """A language model behind an API: ``OpenAiScorer``."""

    model: str = 'gpt-4o-mini'
    """The model. Default ``gpt-4o-mini``."""
    price: Optional[Price] = None
    """The price of the model. Default: the known price of OpenAI's models on OpenAI's server."""
    requests: int = 3
    """How many requests run concurrently. Default 3; 0 counts as 1."""
    rerank: bool = True
    """Whether the best spans are compared with each other after scoring, with up to twelve more
    requests. Default true.
    """
    server: OpenAiServer = field(default_factory=lambda: _named("OpenAiServer")({'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}))  # noqa: E501
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int = 120
    """The time limit of one request, in seconds. A request that exceeds it is sent again, as the
    server's layers say. Default 120; 0 counts as 1.
    """
    kind: str = 'openai'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'price': _named("Price"),
        'server': _named("OpenAiServer"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['price'])


#: The kinds of scorers.
ScorerConfig = Union[AutoScorerConfig, HeuristicScorerConfig, OpenaiScorerConfig, Unknown]
_scorer_config: Loader = tagged('kind', lambda: {'auto': AutoScorerConfig, 'heuristic': HeuristicScorerConfig, 'openai': OpenaiScorerConfig})


@dataclass
class Scoring(Data):
    """The input of a ``Scorer``."""

    transcript: Transcript
    """The transcript of the source."""
    media: Optional[Media] = None
    """The source file; ``None`` if only its transcript is known."""
    options: ScoreOptions = field(default_factory=lambda: _named("ScoreOptions")({'about': [], 'avoid': [], 'genre': None, 'max': 60.0, 'max_clips': 10, 'min': 15.0}))  # noqa: E501
    """The number, lengths and topics of the clips."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'transcript': _named("Transcript"),
        'media': _named("Media"),
        'options': _named("ScoreOptions"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['media'])


@dataclass
class SentenceDistance(Data):
    """A distance in sentences."""

    sentences: int
    """The number of sentences: positive is later, negative is earlier, and 0 moves to the bound of
    the sentence that the clip starts or ends in.
    """


@dataclass
class Shot(Data):
    """The frames between two consecutive camera cuts. The span's start is the time of the first frame."""

    span: Span
    """The shot's span: on the source's timeline in ``Tracks``, on the clip's timeline in a plan."""
    content: ShotContent = 'camera'
    """The kind of picture that the shot shows."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }


@dataclass
class SlotWindow(Data):
    """A time of some days of the week in which clips are published."""

    start: str
    """The start by the clocks of the time zone: ``17:00``."""
    days: List[Day] = field(default_factory=lambda: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
    """The days. Default: all."""
    minutes: int = 60
    """The length in minutes. Default: 60."""


@dataclass
class Sound(Data):
    """Music or an effect that plays with the clip's own sound.

    The renderer mixes it with the sound of the source before the loudness is set, so gains are
    relative to the source's sound, and the mix has the plan's loudness and its limit of peaks.
    """

    file: str
    """The path of a file with sound: of audio or of video, whose default audio track plays. A
    relative path is resolved against the working folder.
    """
    duck: Optional[float] = None
    """How much lower it plays while the source's sound is heard, in dB, 0 to 60. It is lower from
    the start of a voice on, to which it sinks within 0.15 s, and rises within 0.6 s from 0.2 s
    after the voice on. Pauses shorter than 0.8 s are part of the voice. Default 0.
    """
    fade_in: Optional[float] = None
    """The length of the fade at its start, in seconds, 0 to 600. Default 0."""
    fade_out: Optional[float] = None
    """The length of the fade at its end, in seconds, 0 to 600: the end of its span, or of the file
    if that comes first. Default 0.
    """
    gain: Optional[float] = None
    """The gain in dB, -60 to 20. Default 0: the file's own level."""
    id: Optional[ContentId] = None
    """The hash of the file's content (``blake3:9f86d0...``). With it, the file is also found in the
    media store, a file with another content leaves a warning, and a moved file leaves the
    clip's id as it is. Default: the file is taken as it is.
    """
    loop: Optional[bool] = None
    """Whether it starts again at ``offset`` when the file ends, with a crossfade of 10 ms. Default:
    it plays once.
    """
    offset: Optional[Timestamp] = None
    """The time in the file at which it starts, in seconds. Default 0."""
    span: Optional[Span] = None
    """When it plays, on the clip's timeline. Default: during the whole clip."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['duck', 'fade_in', 'fade_out', 'gain', 'id', 'loop', 'offset', 'span'])


@dataclass
class SoundEvent(Data):
    """A sound that a transcript describes: music, laughter, applause."""

    text: str
    """The description without brackets: ``Music``."""
    span: Span
    """When the description is shown."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }


@dataclass
class AutoSourceConfig(Data):
    """Files, objects, URLs of media files, and pages that yt-dlp knows, by the form of the
    address: ``AutoSource``.
    """

    allow_private: List[str] = field(default_factory=list)
    """Private addresses and networks that HTTP URLs may lead to, besides those of ``http`` and
    ``ytdlp``. Default: none.
    """
    file: Dict[str, Any] = field(default_factory=lambda: {'store': False})
    """The options for files."""
    http: Dict[str, Any] = field(default_factory=lambda: {'allow_private': [], 'idle_timeout': 30.0, 'timeout': 21600.0})
    """The options for URLs of media files."""
    local: bool = True
    """Whether paths and ``file:`` URLs are accepted. A service that takes addresses from strangers
    sets it to ``false``. Default: ``true``.
    """
    object_store: Dict[str, Any] = field(default_factory=dict)
    """The options for objects."""
    section: Optional[Span] = None
    """The part to fetch, on the video's timeline: ``YtDlp.section``. With it, every HTTP URL is
    fetched by ``YtDlp``; files and objects are refused. Default: all of the video.
    """
    ytdlp: Dict[str, Any] = field(default_factory=lambda: {'allow_private': [], 'height': 1080, 'timeout': 21600.0})
    """The options for pages."""
    kind: str = 'auto'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'section': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['section'])


@dataclass
class FileSourceConfig(Data):
    """Files on this machine: ``FileSource``."""

    store: bool = False
    """Whether the file is copied into the media store
    (``Context.media_store``), so that later steps find it after
    the original is removed. Default: ``false``, which reads the file in place.
    """
    kind: str = 'file'


@dataclass
class HttpSourceConfig(Data):
    """Media files on HTTP servers: ``HttpSource``."""

    allow_private: List[str] = field(default_factory=list)
    """Private addresses and networks that may be connected to: ``127.0.0.1``, ``10.1.0.0/16``.
    Default: none.
    """
    idle_timeout: float = 30.0
    """The longest wait for the next bytes, in seconds. Default 30."""
    timeout: float = 21600.0
    """The longest time that a download may take, in seconds. Default 6 hours."""
    kind: str = 'http'


@dataclass
class ObjectStoreSourceConfig(Data):
    """Media in object stores: ``ObjectStoreSource``."""

    kind: str = 'object_store'


@dataclass
class YtdlpSourceConfig(Data):
    """Videos on the platforms that yt-dlp knows: ``YtDlp``."""

    allow_private: List[str] = field(default_factory=list)
    """Private addresses and networks that may be connected to: ``127.0.0.1``, ``10.1.0.0/16``.
    Default: none.
    """
    cookies: Optional[str] = None
    """A file with cookies in Netscape's format. It is used only after an attempt without it, if
    the platform wants a login. It is neither changed nor logged.
    """
    height: int = 1080
    """The largest resolution to fetch, by the shorter side in pixels. Default 1080."""
    program: Optional[str] = None
    """The program. Default: ``CLIPKIT_YTDLP``, else ``yt-dlp`` in ``PATH``."""
    proxy_metadata: Optional[str] = None
    """A proxy for metadata and captions only: ``http://user:password@host:3128``. The media come
    without it. If the platform refuses that, since it ties media to the address that asked for
    them, all goes through the proxy.
    """
    section: Optional[Span] = None
    """The part to fetch, on the video's timeline. The media's times start at the section's start.
    The section is also part of ``Media.uri``, as a media fragment
    (``#t=600,2400``), which a URI may have, too. Default: all of the video.
    """
    timeout: float = 21600.0
    """The longest time that the download may take, in seconds. Default 6 hours."""
    kind: str = 'ytdlp'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'section': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['cookies', 'program', 'proxy_metadata', 'section'])


#: The kinds of sources.
SourceConfig = Union[AutoSourceConfig, FileSourceConfig, HttpSourceConfig, ObjectStoreSourceConfig, YtdlpSourceConfig, Unknown]
_source_config: Loader = tagged('kind', lambda: {'auto': AutoSourceConfig, 'file': FileSourceConfig, 'http': HttpSourceConfig, 'object_store': ObjectStoreSourceConfig, 'ytdlp': YtdlpSourceConfig})


@dataclass
class _Span(Data):
    """A half-open interval of a timeline: it includes ``start`` and excludes ``end``."""

    start: Timestamp
    end: Timestamp


@dataclass
class Speaking(Data):
    """The half of a split layout that is marked as the speaker's from a time on."""

    from_: Timestamp
    """The time from which the mark applies, on the clip's timeline."""
    half: Optional[Half] = None
    """The half to mark. ``None`` means that nobody speaks or that the speaker is in neither half."""
    _names: ClassVar[Dict[str, str]] = {'from_': 'from'}
    _optional: ClassVar[frozenset[str]] = frozenset(['half'])


@dataclass
class SpeechMap(Data):
    """Where somebody speaks in a medium, and how loud it is."""

    spans: List[Span]
    """The spans with speech on the medium's timeline: sorted and not overlapping."""
    levels: List[int]
    """The root mean square level of each interval of 50 ms from 0, in half decibels below full
    scale. 255 also stands for everything quieter.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'spans': many(_named("Span")),
    }


@dataclass
class SubjectSample(Data):
    """The position of a subject in one frame."""

    at: Timestamp
    """The frame's time: on the source's timeline in ``Tracks``, on the clip's timeline in a plan."""
    rect: Rect
    """The subject's bounding box in the displayed picture."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'rect': _named("Rect"),
    }


@dataclass
class SubjectTrack(Data):
    """The positions of a subject other than a face through one shot."""

    samples: List[SubjectSample]
    """The positions in order of time, at least one."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'samples': many(_named("SubjectSample")),
    }


@dataclass
class SubtitleStream(Data):
    """A subtitle stream."""

    index: int
    """The stream's index in the file."""
    codec: str
    """The codec's short name in FFmpeg (``subrip``, ``webvtt``, ``ass``, ``mov_text``,
    ``hdmv_pgs_subtitle``).
    """
    default: Optional[bool] = None
    """Whether the file marks the stream as the one to show."""
    forced: Optional[bool] = None
    """Whether the file marks the stream as one that is always shown: signs and foreign speech,
    not all that is said.
    """
    language: Optional[str] = None
    """The language tag in the file. ``None`` means that the file does not state it."""
    title: Optional[str] = None
    """The stream's title in the file: ``English (SDH)``. ``None`` means that the file does not state
    it.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['default', 'forced', 'language', 'title'])


@dataclass
class Target(Data):
    """The target of a publisher: a platform or kind of place, and the account there."""

    name: str
    """The platform or kind of place: ``folder``, ``s3``, ``youtube``."""
    account: Optional[str] = None
    """The account, bucket or folder. ``None`` if there is only one."""
    _optional: ClassVar[frozenset[str]] = frozenset(['account'])


@dataclass
class _Timeout(Data):
    """Limits how long a call may take. A call that takes longer is cancelled, and its error
    (``ErrorKind.TimedOut``) may be retried. Default 10 minutes.

    The work is asked to stop through its context, as when a caller cancels, and has a moment to
    clean up; then it is abandoned. An answer that arrives in that moment is used.

    Put this layer next to the stage, inside ``Retry`` and
    ``RateLimit``: further outside, their waits count as well. The limit is
    for a whole call, for a long video too, so be generous. In JSON, ``{"timeout": {"seconds":
    600}}``.
    """

    seconds: float = 600.0


@dataclass
class Timing(Data):
    """The time that the stages of a run took, in seconds. A stage's time is the sum over its calls.
    Calls run concurrently, so the sum can exceed the total.
    """

    total: float
    """The time from the start to the end of the run, in seconds."""


@dataclass
class AutoTrackerConfig(Data):
    """A face detector that is loaded when the first span is tracked. A missing model is
    downloaded.
    """

    model: Optional[str] = None
    """A model's name, or the path of its file. ``None`` is the default face detector."""
    options: OnnxTrackerOptions = field(default_factory=lambda: _named("OnnxTrackerOptions")({'confidence': None, 'library': None, 'samples_per_second': 5.0, 'threads': 1}))  # noqa: E501
    """The tracker's options."""
    kind: str = 'auto'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'options': _named("OnnxTrackerOptions"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['model'])


@dataclass
class OnnxTrackerConfig(Data):
    """A face detector that is loaded when the pipeline is built. A model that cannot be loaded
    fails the build.
    """

    model: Optional[str] = None
    """A model's name, or the path of its file. ``None`` is the default face detector."""
    options: OnnxTrackerOptions = field(default_factory=lambda: _named("OnnxTrackerOptions")({'confidence': None, 'library': None, 'samples_per_second': 5.0, 'threads': 1}))  # noqa: E501
    """The tracker's options."""
    kind: str = 'onnx'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'options': _named("OnnxTrackerOptions"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['model'])


@dataclass
class MotionTrackerConfig(Data):
    """Follows motion, without a model: ``MotionTracker``."""

    kind: str = 'motion'


@dataclass
class CenterTrackerConfig(Data):
    """Keeps the crop in the middle: ``CenterTracker``."""

    kind: str = 'center'


#: The kinds of trackers.
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
    """The shots, face tracks and subject tracks that a tracker found in a span."""

    shots: List[Shot]
    """The shots in order of time. They cover the span without gaps. The list is empty if the
    tracker did not detect shots.
    """
    faces: List[FaceTrack]
    """The face tracks, one for each person and shot. The list is empty if no face was detected."""
    subjects: List[SubjectTrack] = field(default_factory=list)
    """The tracks of subjects other than faces, for example a moving object. They do not overlap in
    time. They are not used in a shot with faces.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'shots': many(_named("Shot")),
        'faces': many(_named("FaceTrack")),
        'subjects': many(_named("SubjectTrack")),
    }


@dataclass
class AutoTranscriberConfig(Data):
    """Captions next to the video or inside it, else the API if a key or a server is configured,
    else a local speech model if one is found, else an error that lists these ways. If the API
    fails, the local model may be the fallback: ``Degrade``.
    """

    captions: Optional[CaptionsOptions] = None
    """How captions beside the video and inside it are read."""
    model: Optional[str] = None
    """The folder of the local model. Default: ``speech`` in the folder of ``CLIPKIT_MODELS``, else in
    the cache folder, else ``Weights.DEFAULT_SPEECH`` if it is on this machine.
    """
    openai: OpenAiTranscriberOptions = field(default_factory=lambda: _named("OpenAiTranscriberOptions")({'language': None, 'model': 'whisper-1', 'prompt': None, 'server': {'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}, 'timeout_secs': 600, 'uploads': 3}))  # noqa: E501
    """The transcriber for a Whisper-style API."""
    kind: str = 'auto'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'captions': _named("CaptionsOptions"),
        'openai': _named("OpenAiTranscriberOptions"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['captions', 'model'])


@dataclass
class CaptionsTranscriberConfig(Data):
    """An existing transcript: ``Captions``."""

    encoding: Optional[str] = None
    """The file's text encoding by its name: ``windows-1251``, ``gbk``. Default: what the file's bytes
    show, else guessed with a warning.
    """
    file: Optional[str] = None
    """The file to read. Default: searched for beside the video and inside it."""
    language: Optional[str] = None
    """The preferred language of captions beside the video and inside it as a BCP 47 tag: ``de``.
    Default: the language of the sound.
    """
    offset: Optional[CaptionOffset] = None
    """What is added to every time of captions, in seconds: -3600 where all is an hour late. With
    ``"auto"``, what the voice shows. Default: nothing; if words lie outside the video and the
    voice shows an offset, a warning names it.
    """
    kind: str = 'captions'
    _optional: ClassVar[frozenset[str]] = frozenset(['encoding', 'file', 'language', 'offset'])


@dataclass
class OpenaiTranscriberConfig(Data):
    """A Whisper-style API: ``OpenAiTranscriber``."""

    language: Optional[str] = None
    """The spoken language as ISO 639-1 (``en``). Default: the server detects it."""
    model: str = 'whisper-1'
    """The model. Default ``whisper-1``, OpenAI's model with word timestamps."""
    prompt: Optional[str] = None
    """Names and terms whose spelling the model should follow, or a sentence in the wanted style.
    ``whisper-1`` uses the last 224 tokens.
    """
    server: OpenAiServer = field(default_factory=lambda: _named("OpenAiServer")({'layers': [{'retry': {'attempts': 3, 'factor': 2.0, 'first': 5.0, 'longest': 600.0}}]}))  # noqa: E501
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int = 600
    """The time limit of one request, in seconds. A request that exceeds it is sent again, as the
    server's layers say. Default 600; 0 counts as 1.
    """
    uploads: int = 3
    """How many chunks are uploaded concurrently. Default 3; 0 counts as 1."""
    kind: str = 'openai'
    _loaders: ClassVar[Dict[str, Loader]] = {
        'server': _named("OpenAiServer"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['language', 'prompt'])


@dataclass
class LocalTranscriberConfig(Data):
    """A local speech model: ``LocalTranscriber``."""

    language: Optional[str] = None
    """The spoken language as ISO 639-1 (``en``), for models that do not return it."""
    model: Optional[str] = None
    """The model's folder, or the id of known weights, which are downloaded if they are missing.
    Default: the folder that ``auto`` uses, else ``Weights.DEFAULT_SPEECH``.
    """
    kind: str = 'local'
    _optional: ClassVar[frozenset[str]] = frozenset(['language', 'model'])


#: The kinds of transcribers.
TranscriberConfig = Union[AutoTranscriberConfig, CaptionsTranscriberConfig, OpenaiTranscriberConfig, LocalTranscriberConfig, Unknown]
_transcriber_config: Loader = tagged('kind', lambda: {'auto': AutoTranscriberConfig, 'captions': CaptionsTranscriberConfig, 'openai': OpenaiTranscriberConfig, 'local': LocalTranscriberConfig})


@dataclass
class Transcript(Data):
    """The spoken words and their times.

    Words are in order of ``start``. A word's end is not before its start and normally not after the
    start of the next word.
    """

    words: List[Word]
    """The words, on the source's timeline."""
    events: Optional[List[SoundEvent]] = None
    """The sounds that are not speech, in order of ``start``: ``[Music]``, ``(applause)``. Captions leave
    them out.
    """
    language: Optional[str] = None
    """The language as a BCP 47 tag (``en``). ``None`` means that the language is not known."""
    origin: str = ''
    """The origin of the words, for people: a file's name or a model's name."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'words': many(_named("Word")),
        'events': many(_named("SoundEvent")),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['events', 'language'])


@dataclass
class Unpublished(Data):
    """A target that a clip could not be published to."""

    target: str
    """The publishing target."""
    error: ErrorReport
    """The publisher's error."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'error': _named("ErrorReport"),
    }


@dataclass
class Usage(Data):
    """The use of one paid model by a stage, and its cost. Stages report it with
    ``Context.spend``.
    """

    audio_seconds: float = 0.0
    """The duration of the transcribed audio, in seconds."""
    completion_tokens: int = 0
    """The number of output tokens."""
    cost_usd: Optional[float] = None
    """The cost in US dollars, as an estimate and not an invoice. It uses the configured price,
    else the prices of OpenAI's models that third parties quoted in June 2026. ``None`` means that
    the price is not known.
    """
    estimated: bool = False
    """Whether some token counts are estimates, because the server did not report them. Estimates
    tend to be too high rather than too low.
    """
    model: str = ''
    """The model's name in the requests."""
    prompt_tokens: int = 0
    """The number of input tokens."""
    requests: int = 0
    """The number of requests that the server answered or may have answered."""
    stage: Optional[Stage] = None
    """The stage that used the model. ``Context.spend`` replaces ``None`` by
    the context's stage.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['cost_usd', 'stage'])


@dataclass
class VideoStream(Data):
    """A video stream."""

    index: int
    """The stream's index in the file."""
    codec: str
    """The codec's short name in FFmpeg (``h264``)."""
    width: int
    """The stored width in pixels, before rotation and pixel aspect ratio are applied. Frames of
    another size may follow: positions in a plan and in tracks are those in a picture of this
    size, in whose middle they are shown as large as fits.
    """
    height: int
    """The stored height in pixels, before rotation and pixel aspect ratio are applied."""
    orientation: Orientation
    """How the stored picture is oriented for display."""
    pixel_aspect: float
    """The pixel aspect ratio of the stored picture: a pixel's width divided by its height."""
    frame_rate: FrameRate
    """The average frame rate of the file."""
    variable_rate: bool
    """Whether the frame rate is variable."""
    pixel_format: str
    """The pixel format's name in FFmpeg (``yuv420p10le``)."""
    bit_depth: int
    """The number of bits for each component."""
    color: Color
    """The color space of the stored picture."""
    start: Timestamp
    """The time of the first frame, on the source's timeline."""
    end: Optional[Timestamp] = None
    """The time at which the last frame ends, on the source's timeline. ``None`` means that it was
    not measured.
    """
    timecode: Optional[str] = None
    """The time code of the first frame, as the file states it: ``01:00:00:00``, with a semicolon
    before the frames for drop frame. ``None`` if the file states none.
    """
    _loaders: ClassVar[Dict[str, Loader]] = {
        'orientation': _named("Orientation"),
        'frame_rate': _named("FrameRate"),
        'color': _named("Color"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['end', 'timecode'])


@dataclass
class Word(Data):
    """A spoken word with its punctuation."""

    text: str
    """The text with punctuation: ``world.``"""
    start: Timestamp
    """When the word's sound starts."""
    end: Timestamp
    """When the word's sound ends."""
    speaker: Optional[str] = None
    """The speaker's name or label. ``None`` means that the speaker is not known."""
    _optional: ClassVar[frozenset[str]] = frozenset(['speaker'])


@dataclass
class WordQuote(Data):
    """Words that say something."""

    quote: str
    """What is said. Case and punctuation do not count."""
    all: Optional[bool] = None
    """Whether all places are meant. Default ``false``."""
    occurrence: Optional[int] = None
    """Which of several places, from 1. Without it, a quote that is said more than once is an
    error.
    """
    _optional: ClassVar[frozenset[str]] = frozenset(['all', 'occurrence'])


@dataclass
class WordRange(Data):
    """The words from a number up to but not including another."""

    from_: int
    """The number of the first word, from 0."""
    to: int
    """The number after that of the last word."""
    _names: ClassVar[Dict[str, str]] = {'from_': 'from'}


@dataclass
class Zoom(Data):
    """A punch-in: for a while, the crop window is smaller, so what it shows is larger.

    It concerns scenes whose layout is ``fill``. In other layouts the picture stays as it is.
    """

    span: Span
    """When it lasts, on the clip's timeline, with its easing."""
    scale: float
    """How many times larger the picture is, 1 to 2."""
    ease: Optional[float] = None
    """How long the picture takes to become larger, and at the end smaller, in seconds, 0 to 10.
    0 is at once. Default 0.3. If the span is too short, half of it.
    """
    x: Optional[float] = None
    """The point that stays in its place in the output, as a fraction of the window's width and
    height from its top left corner. Default: 0.5 each, the middle.
    """
    y: Optional[float] = None
    """See ``x``."""
    _loaders: ClassVar[Dict[str, Loader]] = {
        'span': _named("Span"),
    }
    _optional: ClassVar[frozenset[str]] = frozenset(['ease', 'x', 'y'])

#: Limits as a document has them.
Limits = Union[LimitsName, LimitsFields]

#: A sentence of the transcript, by its distance or by a quote.
SentencePlace = Union[SentenceDistance, WordQuote]

#: Words of the clip, by their numbers or by a quote.
WordSelection = Union[WordRange, WordQuote]


class OptionsDict(TypedDict, total=False):
    """The fields of ``ClipOptions``, as keywords."""

    about: List[str]
    """Topics that clips should be about: words or short phrases. Empty means any topic."""
    aspect: Aspect
    """The aspect ratio of the clips, unless the renderer has a size. Default: 9:16."""
    at_once: Dict[str, int]
    """The maximum number of clips in one stage at a time, for the stages that process single clips
    (``track``, ``plan``, ``render``, ``publish``), if lower than ``jobs``: with ``{"publish": 1}``, clips
    are published one after the other. Default: ``jobs``.
    """
    audio_track: Optional[int]
    """The audio track to hear and render, counted from 1 in file order. ``None``, the default, is
    the file's default track, or another one with speech if the default track is silent.
    """
    avoid: List[str]
    """Topics that clips should not be about."""
    brand: Optional[Union[Brand, Dict[str, Any]]]
    """The brand: the look of captions, title and texts, overlays such as a logo, and music.
    Default: none.
    """
    captions: Optional[Union[CaptionStyleGiven, CaptionStyle]]
    """The caption style. ``None`` means no captions. In JSON: the name of a preset, a style as
    ``CaptionStyle.from_json`` reads it, or null. Default: karaoke.
    """
    censor: Optional[Union[Censor, Dict[str, Any]]]
    """The words that are not to be heard in the clips or read in captions and titles. ``None``, the
    default, leaves all words.
    """
    clips: int
    """The maximum number of clips. Default: 10."""
    crf: int
    """x264's constant rate factor, 0 to 51. Lower values give better quality and larger files: 6
    less doubles the size. Default: 20.
    """
    degrade: Optional[Union[Degrade, Dict[str, Any]]]
    """Which failing stages are replaced by a fallback. ``None``, the default: a run uses
    ``Degrade.default``, and a step that is called on its own has no fallbacks.
    """
    genre: Optional[Genre]
    """The genre of the video, which weights the criteria of the scorer. Default: a general
    weighting.
    """
    hook: Optional[Union[HookStyle, Dict[str, Any]]]
    """The style of the clip's title over its first seconds. ``None``, the default, means no title.
    In JSON, ``{}`` is the default style.
    """
    jobs: Optional[int]
    """How many clips run concurrently. Default: half the number of processor cores, since decoder,
    filters and encoder of one clip use about two cores. More clips are not faster, and each
    takes about 300 MB for a 1080p source.
    """
    layout: LayoutChoice
    """The layout: one window, two windows, or the whole picture. Default: ``auto``, which chooses
    per shot. Any other value applies to every shot; a shot that cannot have it (such as ``split``
    with one person) leaves a warning.
    """
    loudness: Optional[Union[Loudness, Dict[str, Any]]]
    """The loudness of the clips. ``None`` leaves the sound unchanged. Default: -14 LUFS, peaks up to
    -1 dBTP.
    """
    max: float
    """The maximum length of a clip; in JSON, seconds. Default: 60 s."""
    max_cost: Optional[float]
    """The budget of a run in US dollars, at known or configured prices. Stages that use paid
    models stop before they exceed it. Default: no limit.
    """
    min: float
    """The minimum length of a clip; in JSON, seconds. Default: 15 s."""
    platform: Platform
    """The target platform, which defines the safe area for captions. Default: the area that is
    free on every platform.
    """
    preset: X264Preset
    """x264's speed preset. Default: ``veryfast``. ``medium`` takes three times as long and gives files
    of about the same size with slightly better quality.
    """
    punch_in: Optional[PunchIn]
    """Where the picture becomes larger for a while. ``None``, the default, is nowhere."""
    reactions: bool
    """Whether a listener who laughs is shown for a moment: while the transcript has laughter
    (``[Laughter]``) and this person's mouth moves, for at most 2 s, and not more often than every
    8 s. It needs the layout ``fill``. Default: false.
    """
    snap: bool
    """Whether span ends are moved by up to 0.4 s so that no word is cut. Default: true. With
    false, clips are cut at the scorer's times.
    """
    tighten: Optional[TightenLevel]
    """Whether pauses, and from ``normal`` on fillers and repeated words, are cut out of the clips.
    The lengths ``min`` and ``max`` hold before that. ``None``, the default, cuts nothing.
    """


class ScoreOptionsDict(TypedDict, total=False):
    """The fields of ``ScoreOptions``, as keywords."""

    about: List[str]
    """The requested topics, each a word or a short phrase ("machine learning"). Default empty: any
    topic.
    """
    avoid: List[str]
    """The topics to avoid. Default empty."""
    genre: Optional[Genre]
    """The kind of video, which sets the weights of the score components. Default ``None``: balanced
    weights.
    """
    max: float
    """The maximum length of a clip; in JSON, seconds. Default 60 s."""
    max_clips: int
    """The maximum number of clips. Default 10."""
    min: float
    """The minimum length of a clip; in JSON, seconds. Default 15 s."""


class OpenAiTranscriberDict(TypedDict, total=False):
    """The settings of an ``OpenAiTranscriber``, as keywords."""

    language: Optional[str]
    """The spoken language as ISO 639-1 (``en``). Default: the server detects it."""
    model: str
    """The model. Default ``whisper-1``, OpenAI's model with word timestamps."""
    prompt: Optional[str]
    """Names and terms whose spelling the model should follow, or a sentence in the wanted style.
    ``whisper-1`` uses the last 224 tokens.
    """
    server: Union[OpenAiServer, Dict[str, Any]]
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int
    """The time limit of one request, in seconds. A request that exceeds it is sent again, as the
    server's layers say. Default 600; 0 counts as 1.
    """
    uploads: int
    """How many chunks are uploaded concurrently. Default 3; 0 counts as 1."""


class OpenAiScorerDict(TypedDict, total=False):
    """The settings of an ``OpenAiScorer``, as keywords."""

    model: str
    """The model. Default ``gpt-4o-mini``."""
    price: Optional[Union[Price, Dict[str, Any]]]
    """The price of the model. Default: the known price of OpenAI's models on OpenAI's server."""
    requests: int
    """How many requests run concurrently. Default 3; 0 counts as 1."""
    rerank: bool
    """Whether the best spans are compared with each other after scoring, with up to twelve more
    requests. Default true.
    """
    server: Union[OpenAiServer, Dict[str, Any]]
    """The server. Default: OpenAI's, with the key in ``OPENAI_API_KEY``."""
    timeout_secs: int
    """The time limit of one request, in seconds. A request that exceeds it is sent again, as the
    server's layers say. Default 120; 0 counts as 1.
    """


class AutoSourceDict(TypedDict, total=False):
    """The settings of an ``AutoSource``, as keywords."""

    allow_private: List[str]
    """Private addresses and networks that HTTP URLs may lead to, besides those of ``http`` and
    ``ytdlp``. Default: none.
    """
    file: Dict[str, Any]
    """The options for files."""
    http: Dict[str, Any]
    """The options for URLs of media files."""
    local: bool
    """Whether paths and ``file:`` URLs are accepted. A service that takes addresses from strangers
    sets it to ``false``. Default: ``true``.
    """
    object_store: Dict[str, Any]
    """The options for objects."""
    section: Optional[Union[Span, Dict[str, Any]]]
    """The part to fetch, on the video's timeline: ``YtDlp.section``. With it, every HTTP URL is
    fetched by ``YtDlp``; files and objects are refused. Default: all of the video.
    """
    ytdlp: Dict[str, Any]
    """The options for pages."""


class HttpSourceDict(TypedDict, total=False):
    """The settings of an ``HttpSource``, as keywords."""

    allow_private: List[str]
    """Private addresses and networks that may be connected to: ``127.0.0.1``, ``10.1.0.0/16``.
    Default: none.
    """
    idle_timeout: float
    """The longest wait for the next bytes, in seconds. Default 30."""
    timeout: float
    """The longest time that a download may take, in seconds. Default 6 hours."""


class ObjectStoreSourceDict(TypedDict, total=False):
    """The settings of an ``ObjectStoreSource``, as keywords."""


class ObjectStorePublisherDict(TypedDict, total=False):
    """The settings of an ``ObjectStorePublisher``, as keywords."""

    cache_control: Optional[str]
    """The ``Cache-Control`` header of the objects. Default: none."""
    key: str
    """The key of a clip below the prefix, without extension. ``{id}`` is the clip's id, ``{rank}`` its
    rank with two digits, ``{slug}`` its title in lower-case ASCII, ``{date}`` today's date in UTC.
    Default: ``{id}/{rank}-{slug}``. Without ``{id}``, two clips can get the same key; the second is
    then refused.
    """
    link: Optional[float]
    """How long the link in the receipt is valid, in seconds: 1 to 604800, which is 7 days. With
    the link (``Receipt.url``), everybody can get the clip from the store, so that it passes
    through no server of yours. Default: no link.
    """
    metadata: Dict[str, str]
    """More metadata of the objects. Names are lower-case letters, digits and hyphens, values are
    ASCII. Default: none.
    """
    part_size: int
    """The size of the parts of large files, in bytes, at least 5 MiB. Larger parts suit fast
    connections; 4 parts are in memory at a time. Default: 8 MiB.
    """
    public_url: Optional[str]
    """The address at which everybody can get what lies below the prefix, for example of a CDN. The
    receipt then has the clip's address below it. Default: none.
    """
    url: str
    """The store and the prefix of all keys: ``s3://bucket/prefix``."""


class WebhookDict(TypedDict, total=False):
    """The settings of a ``Webhook``, as keywords."""

    allow_private: List[str]
    """Private addresses and networks that may be connected to: ``127.0.0.1``, ``10.1.0.0/16``.
    Default: none.
    """
    manifest: bool
    """Whether the manifest is posted after the last clip. Default: ``true``."""
    secret: Optional[str]
    """The secret. It is read from documents and never written to them. Default: the variable's."""
    secret_variable: Optional[str]
    """The environment variable with the secret. Its name starts with ``CLIPKIT_WEBHOOK_``. Default:
    ``CLIPKIT_WEBHOOK_SECRET``.
    """
    timeout: float
    """The longest time for one delivery, in seconds. Default 10 minutes."""
    url: str
    """The address, ``https`` or ``http``. It is the account of the target, without its query."""
    video: bool
    """Whether the clip's files are posted. Default: ``true``."""


class YouTubeDict(TypedDict, total=False):
    """The settings of a ``YouTube``, as keywords."""

    account: str
    """The account's name, by which its credentials are found. Default: ``default``."""
    api_url: Optional[str]
    """Another address of the API, for tests. Its path ``/token`` gives access tokens. Default:
    Google's.
    """
    captions: bool
    """Whether the captions become a caption track. Default: ``true``."""
    category: str
    """The id of the category. Default: ``22``, people and blogs."""
    chunk_size: int
    """The size of a chunk in bytes, a multiple of 256 KiB. A chunk that breaks off is sent again
    from where YouTube has it. Default: 8 MiB.
    """
    credentials: CredentialsConfig
    """Where the credentials are. Default: the environment, else a file."""
    notify: bool
    """Whether subscribers are told. Default: ``true``."""
    schedule: Optional[Union[Schedule, Dict[str, Any]]]
    """When clips are published that have no time of their own (``Post.publish_at``). YouTube
    keeps them private until then. Default: at once.
    """
    shorts: bool
    """Whether clips are meant as Shorts: at most 3 minutes, not wider than high. Default: ``true``."""
    thumbnail: bool
    """Whether the cover becomes the thumbnail. Default: ``true``."""


class TikTokDict(TypedDict, total=False):
    """The settings of a ``TikTok``, as keywords."""

    account: str
    """The account's name, by which its credentials are found. Default: ``default``."""
    api_url: Optional[str]
    """Another address of the API, for tests. Its path ``/token`` gives access tokens. Default:
    TikTok's.
    """
    chunk_size: int
    """The size of a chunk in bytes, 5 MiB to 64 MB. What is left over goes with the last chunk. A
    chunk that breaks off is sent again. Default: 10 MB.
    """
    comments: bool
    """Whether others can comment, if the account allows it. Default: ``true``."""
    credentials: CredentialsConfig
    """Where the credentials are. Default: the environment, else a file. TikTok changes refresh
    tokens at each use, so the environment is good for an access token only.
    """
    duets: bool
    """Whether others can make duets, if the account allows it. Default: ``true``."""
    inbox: bool
    """Whether the clip goes to the account's inbox as a draft, which somebody finishes and posts
    in the app. A draft has no texts. Apps without audit can do this. Default: ``false``.
    """
    own_brand: bool
    """Whether the clip promotes the account's own business, a declaration. Default: ``false``."""
    paid_partnership: bool
    """Whether the clip is a paid partnership, a declaration. Default: ``false``."""
    privacy: Optional[TikTokPrivacy]
    """Who can see the posts. Clips that are private (``Post.privacy``) are for the account itself
    in any case. Default: everybody; TikTok has no unlisted posts.
    """
    schedule: Optional[Union[Schedule, Dict[str, Any]]]
    """When clips are published that have no time of their own (``Post.publish_at``). Default: at
    once.
    """
    stitches: bool
    """Whether others can make stitches, if the account allows it. Default: ``true``."""


class InstagramDict(TypedDict, total=False):
    """The settings of an ``Instagram``, as keywords."""

    account: str
    """The account's name, by which its credentials are found. Default: ``default``."""
    api_url: Optional[str]
    """Another address of the API with its version, for tests. Its path ``/token`` gives access
    tokens. Default: Meta's.
    """
    credentials: CredentialsConfig
    """Where the credentials are. Default: the environment, else a file."""
    schedule: Optional[Union[Schedule, Dict[str, Any]]]
    """When clips are published that have no time of their own (``Post.publish_at``). Default: at
    once.
    """
    share_to_feed: bool
    """Whether the Reel is also shown in the feed. Default: ``true``."""


class YtDlpDict(TypedDict, total=False):
    """The settings of a ``YtDlp``, as keywords."""

    allow_private: List[str]
    """Private addresses and networks that may be connected to: ``127.0.0.1``, ``10.1.0.0/16``.
    Default: none.
    """
    cookies: Optional[str]
    """A file with cookies in Netscape's format. It is used only after an attempt without it, if
    the platform wants a login. It is neither changed nor logged.
    """
    height: int
    """The largest resolution to fetch, by the shorter side in pixels. Default 1080."""
    program: Optional[str]
    """The program. Default: ``CLIPKIT_YTDLP``, else ``yt-dlp`` in ``PATH``."""
    proxy_metadata: Optional[str]
    """A proxy for metadata and captions only: ``http://user:password@host:3128``. The media come
    without it. If the platform refuses that, since it ties media to the address that asked for
    them, all goes through the proxy.
    """
    section: Optional[Union[Span, Dict[str, Any]]]
    """The part to fetch, on the video's timeline. The media's times start at the section's start.
    The section is also part of ``Media.uri``, as a media fragment
    (``#t=600,2400``), which a URI may have, too. Default: all of the video.
    """
    timeout: float
    """The longest time that the download may take, in seconds. Default 6 hours."""


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
    speaker_model: Optional[str]
    """The folder of an active speaker model: the files ``audio_frontend.onnx``,
    ``visual_frontend.onnx`` and ``av_backend.onnx`` of LR-ASD. It tells who speaks where several
    faces move, at about 110 ms of one core per second and face. ``None``, the default, goes by
    the movement of mouths alone; a configured tracker then takes the model of
    ``WeightsStore.find_active_speaker``.
    """
    threads: int
    """Threads of one inference; default 1, which takes the least CPU time with models this small.
    0 starts one per core.
    """

__all__ = [
    'About',
    'AddOverlayOp',
    'AddSoundOp',
    'AddZoomOp',
    'Anchor',
    'Animation',
    'Aspect',
    'AspectOp',
    'AudioStream',
    'AutoCredentialsConfig',
    'AutoScorerConfig',
    'AutoSourceConfig',
    'AutoSourceDict',
    'AutoTrackerConfig',
    'AutoTranscriberConfig',
    'Brand',
    'BrandOp',
    'Bumper',
    'BumperFit',
    'CaptionOffset',
    'CaptionOffsetName',
    'CaptionStyle',
    'CaptionStyleGiven',
    'CaptionStyleOp',
    'CaptionTrack',
    'CaptionsOptions',
    'CaptionsTranscriberConfig',
    'Censor',
    'CensorOp',
    'CensorSound',
    'Censored',
    'CenterTrackerConfig',
    'Chapter',
    'Check',
    'CheckStatus',
    'ClipEvent',
    'ClipId',
    'ClipMeasure',
    'ClipOptions',
    'Color',
    'ContentId',
    'CorrectCaptionOp',
    'CredentialsConfig',
    'Crop',
    'CropChange',
    'CropKey',
    'CropOp',
    'Cue',
    'CuePlace',
    'CueWord',
    'Day',
    'DeleteWordsOp',
    'Diagnosis',
    'EditChanges',
    'EditOp',
    'EditStep',
    'Edited',
    'Emphasis',
    'EnvironmentCredentialsConfig',
    'ErrorKind',
    'ErrorReport',
    'Event',
    'FaceSample',
    'FaceTrack',
    'Factor',
    'FailedClip',
    'FfmpegRendererConfig',
    'FileCredentialsConfig',
    'FileSourceConfig',
    'FileStamp',
    'FillLayout',
    'FinishedEvent',
    'FitLayout',
    'FolderPublisherConfig',
    'FollowCropChange',
    'FrameOptions',
    'FrameRate',
    'Genre',
    'Half',
    'Hdr',
    'HeatmapBin',
    'HeuristicScorerConfig',
    'HoldCropChange',
    'Hook',
    'HookFirstOp',
    'HookLineOp',
    'HookStyle',
    'HttpSourceConfig',
    'HttpSourceDict',
    'InstagramDict',
    'InstagramPublisherConfig',
    'IntroOp',
    'KeepWordsOp',
    'KeyringCredentialsConfig',
    'LanguageOp',
    'Layout',
    'LayoutChoice',
    'LayoutOp',
    'Limits',
    'LimitsFields',
    'LimitsName',
    'LocalTranscriberConfig',
    'Loudness',
    'Media',
    'MediaRef',
    'MotionTrackerConfig',
    'MoveCropChange',
    'MoveEndOp',
    'MoveStartOp',
    'ObjectStorePublisherConfig',
    'ObjectStorePublisherDict',
    'ObjectStoreSourceConfig',
    'ObjectStoreSourceDict',
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
    'OrderPiecesOp',
    'Orientation',
    'Output',
    'OutroOp',
    'Overlay',
    'OverlayContent',
    'OverlayPlace',
    'OverlayTextStyle',
    'Pane',
    'Piece',
    'PipLayout',
    'PipelineConfig',
    'PlanSource',
    'Planned',
    'PlannedEvent',
    'Platform',
    'Post',
    'PostFiles',
    'PostOp',
    'PostTexts',
    'Price',
    'Privacy',
    'ProgressEvent',
    'PublishStatus',
    'PublishedFiles',
    'PublisherConfig',
    'PunchIn',
    'PunchInOp',
    'RankedPlan',
    'Receipt',
    'Rect',
    'RemoveOverlayOp',
    'RemoveSoundOp',
    'RemoveZoomOp',
    'RenderedClip',
    'RendererConfig',
    'Rgb',
    'Scene',
    'Schedule',
    'ScoreOptions',
    'ScoreOptionsDict',
    'ScorerConfig',
    'Scoring',
    'SentenceDistance',
    'SentencePlace',
    'Shot',
    'ShotContent',
    'SlotWindow',
    'Sound',
    'SoundEvent',
    'SourceConfig',
    'Speaking',
    'SpeechMap',
    'SplitLayout',
    'Stage',
    'StandIn',
    'StartedEvent',
    'SubjectSample',
    'SubjectTrack',
    'SubtitleStream',
    'Target',
    'TightenLevel',
    'TightenOp',
    'TikTokDict',
    'TikTokPrivacy',
    'TiktokPublisherConfig',
    'Timestamp',
    'Timing',
    'TitleOp',
    'TrackerConfig',
    'Tracking',
    'Tracks',
    'TranscriberConfig',
    'Transcript',
    'Unpublished',
    'Usage',
    'VideoStream',
    'WaitingEvent',
    'Warning',
    'WarningEvent',
    'WarningKind',
    'WebhookDict',
    'WebhookPublisherConfig',
    'Word',
    'WordQuote',
    'WordRange',
    'WordSelection',
    'X264Preset',
    'YouTubeDict',
    'YoutubePublisherConfig',
    'YtDlpDict',
    'YtdlpSourceConfig',
    'Zoom',
]

LOADERS: Dict[str, Loader] = {
    'Warning': Warning.from_dict,
    'About': About.from_dict,
    'AudioStream': AudioStream.from_dict,
    'Brand': Brand.from_dict,
    'Bumper': Bumper.from_dict,
    'Candidate': _made("Candidate"),
    'CaptionStyle': CaptionStyle.from_dict,
    'CaptionTrack': CaptionTrack.from_dict,
    'CaptionsOptions': CaptionsOptions.from_dict,
    'Censor': Censor.from_dict,
    'Censored': Censored.from_dict,
    'Chapter': Chapter.from_dict,
    'Check': Check.from_dict,
    'ClipMeasure': ClipMeasure.from_dict,
    'ClipOptions': ClipOptions.from_dict,
    'ClipPlan': _made("ClipPlan"),
    'Color': Color.from_dict,
    'AutoCredentialsConfig': AutoCredentialsConfig.from_dict,
    'EnvironmentCredentialsConfig': EnvironmentCredentialsConfig.from_dict,
    'FileCredentialsConfig': FileCredentialsConfig.from_dict,
    'KeyringCredentialsConfig': KeyringCredentialsConfig.from_dict,
    'CredentialsConfig': _credentials_config,
    'Crop': Crop.from_dict,
    'MoveCropChange': MoveCropChange.from_dict,
    'FollowCropChange': FollowCropChange.from_dict,
    'HoldCropChange': HoldCropChange.from_dict,
    'CropChange': _crop_change,
    'CropKey': CropKey.from_dict,
    'Cue': Cue.from_dict,
    'CueWord': CueWord.from_dict,
    'Degrade': _made("Degrade"),
    'Diagnosis': Diagnosis.from_dict,
    'EditChanges': EditChanges.from_dict,
    'DeleteWordsOp': DeleteWordsOp.from_dict,
    'KeepWordsOp': KeepWordsOp.from_dict,
    'MoveStartOp': MoveStartOp.from_dict,
    'MoveEndOp': MoveEndOp.from_dict,
    'OrderPiecesOp': OrderPiecesOp.from_dict,
    'HookFirstOp': HookFirstOp.from_dict,
    'TightenOp': TightenOp.from_dict,
    'TitleOp': TitleOp.from_dict,
    'HookLineOp': HookLineOp.from_dict,
    'CorrectCaptionOp': CorrectCaptionOp.from_dict,
    'CaptionStyleOp': CaptionStyleOp.from_dict,
    'CensorOp': CensorOp.from_dict,
    'AddSoundOp': AddSoundOp.from_dict,
    'RemoveSoundOp': RemoveSoundOp.from_dict,
    'LayoutOp': LayoutOp.from_dict,
    'CropOp': CropOp.from_dict,
    'PostOp': PostOp.from_dict,
    'AspectOp': AspectOp.from_dict,
    'LanguageOp': LanguageOp.from_dict,
    'PunchInOp': PunchInOp.from_dict,
    'AddZoomOp': AddZoomOp.from_dict,
    'RemoveZoomOp': RemoveZoomOp.from_dict,
    'AddOverlayOp': AddOverlayOp.from_dict,
    'BrandOp': BrandOp.from_dict,
    'RemoveOverlayOp': RemoveOverlayOp.from_dict,
    'IntroOp': IntroOp.from_dict,
    'OutroOp': OutroOp.from_dict,
    'EditOp': _edit_op,
    'EditStep': EditStep.from_dict,
    'Edited': Edited.from_dict,
    'Emphasis': Emphasis.from_dict,
    'ErrorReport': ErrorReport.from_dict,
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
    'Factor': Factor.from_dict,
    'FailedClip': FailedClip.from_dict,
    'FileStamp': FileStamp.from_dict,
    'FrameOptions': FrameOptions.from_dict,
    'FrameRate': FrameRate.from_dict,
    'HeatmapBin': HeatmapBin.from_dict,
    'Hook': Hook.from_dict,
    'HookStyle': HookStyle.from_dict,
    'FillLayout': FillLayout.from_dict,
    'SplitLayout': SplitLayout.from_dict,
    'FitLayout': FitLayout.from_dict,
    'PipLayout': PipLayout.from_dict,
    'Layout': _layout,
    'LimitsFields': LimitsFields.from_dict,
    'Loudness': Loudness.from_dict,
    'Manifest': _made("Manifest"),
    'ManifestClip': _made("ManifestClip"),
    'Media': Media.from_dict,
    'MediaRef': MediaRef.from_dict,
    'OnnxTrackerOptions': OnnxTrackerOptions.from_dict,
    'OpenAiServer': OpenAiServer.from_dict,
    'OpenAiTranscriberOptions': OpenAiTranscriberOptions.from_dict,
    'Orientation': Orientation.from_dict,
    'Output': Output.from_dict,
    'Overlay': Overlay.from_dict,
    'OverlayPlace': OverlayPlace.from_dict,
    'OverlayTextStyle': OverlayTextStyle.from_dict,
    'Pane': Pane.from_dict,
    'Piece': Piece.from_dict,
    'PipelineConfig': PipelineConfig.from_dict,
    'PlanSource': PlanSource.from_dict,
    'Planned': Planned.from_dict,
    'Post': Post.from_dict,
    'PostFiles': PostFiles.from_dict,
    'PostTexts': PostTexts.from_dict,
    'Price': Price.from_dict,
    'PublishedFiles': PublishedFiles.from_dict,
    'FolderPublisherConfig': FolderPublisherConfig.from_dict,
    'ObjectStorePublisherConfig': ObjectStorePublisherConfig.from_dict,
    'WebhookPublisherConfig': WebhookPublisherConfig.from_dict,
    'YoutubePublisherConfig': YoutubePublisherConfig.from_dict,
    'TiktokPublisherConfig': TiktokPublisherConfig.from_dict,
    'InstagramPublisherConfig': InstagramPublisherConfig.from_dict,
    'PublisherConfig': _publisher_config,
    'RankedPlan': RankedPlan.from_dict,
    'Receipt': Receipt.from_dict,
    'Recovery': _made("Recovery"),
    'Rect': Rect.from_dict,
    'RenderedClip': RenderedClip.from_dict,
    'FfmpegRendererConfig': FfmpegRendererConfig.from_dict,
    'RendererConfig': _renderer_config,
    'Scene': Scene.from_dict,
    'Schedule': Schedule.from_dict,
    'Score': _made("Score"),
    'ScoreOptions': ScoreOptions.from_dict,
    'AutoScorerConfig': AutoScorerConfig.from_dict,
    'HeuristicScorerConfig': HeuristicScorerConfig.from_dict,
    'OpenaiScorerConfig': OpenaiScorerConfig.from_dict,
    'ScorerConfig': _scorer_config,
    'Scoring': Scoring.from_dict,
    'SentenceDistance': SentenceDistance.from_dict,
    'Shot': Shot.from_dict,
    'SlotWindow': SlotWindow.from_dict,
    'Sound': Sound.from_dict,
    'SoundEvent': SoundEvent.from_dict,
    'AutoSourceConfig': AutoSourceConfig.from_dict,
    'FileSourceConfig': FileSourceConfig.from_dict,
    'HttpSourceConfig': HttpSourceConfig.from_dict,
    'ObjectStoreSourceConfig': ObjectStoreSourceConfig.from_dict,
    'YtdlpSourceConfig': YtdlpSourceConfig.from_dict,
    'SourceConfig': _source_config,
    'Span': _made("Span"),
    'Speaking': Speaking.from_dict,
    'SpeechMap': SpeechMap.from_dict,
    'SubjectSample': SubjectSample.from_dict,
    'SubjectTrack': SubjectTrack.from_dict,
    'SubtitleStream': SubtitleStream.from_dict,
    'Target': Target.from_dict,
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
    'Unpublished': Unpublished.from_dict,
    'Usage': Usage.from_dict,
    'VideoStream': VideoStream.from_dict,
    'Word': Word.from_dict,
    'WordQuote': WordQuote.from_dict,
    'WordRange': WordRange.from_dict,
    'Zoom': Zoom.from_dict,
}
