"""The six kinds of stages, the built-in stages, and how other objects become stages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, List, Literal, Mapping, Optional, Tuple, Type, TypeVar, Union

from . import _clipkit, _onnx
from ._call import block_on, wait_for
from ._clipkit import Context
from ._data import Data, plain
from ._errors import ConfigError
from ._layers import Layer, config_of
from ._made import Candidate, ClipPlan
from ._types import Media, Post, Receipt, RenderedClip, Scoring, Tracking, Tracks, Transcript

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._types import (
        AutoSourceDict,
        HttpSourceDict,
        InstagramDict,
        ObjectStorePublisherDict,
        ObjectStoreSourceDict,
        OnnxTrackerDict,
        OpenAiScorerDict,
        OpenAiTranscriberDict,
        TikTokDict,
        WebhookDict,
        YouTubeDict,
        YtDlpDict,
    )

Path = Union[str, "os.PathLike[str]"]
S = TypeVar("S", bound="BuiltIn")


class BuiltIn:
    """A stage that the crate runs. ``layer`` and ``or_`` make new stages of it."""

    #: The kind of stage, as errors, events and configurations name it.
    _kind: ClassVar[str]
    #: The method that makes an object a stage of this kind.
    _method: ClassVar[str]
    _stage: _clipkit.Stage

    @classmethod
    def _around(cls: Type[S], stage: _clipkit.Stage) -> S:
        kind = _KINDS[cls._kind]
        made: Any = kind.__new__(kind)
        made._stage = stage
        return made  # type: ignore[no-any-return]

    def layer(self: S, *layers: Layer) -> S:
        """This stage inside layers. The first layer is the innermost."""
        return self._around(self._stage.layer([config_of(layer) for layer in layers]))

    def or_(self: S, other: Any) -> S:
        """This stage, with ``other`` as its fallback. Using the fallback leaves a warning."""
        return self._around(self._stage.or_(stage_of(self._kind, other)))

    def __or__(self: S, other: Any) -> S:
        return self.or_(other)

    def _start(self, value: Any) -> Any:
        return lambda call, cx: self._stage.start(call, cx, value)

    def __repr__(self) -> str:
        return f"<clipkit {type(self).__name__}>"


class Source(BuiltIn):
    """Gets a video onto this machine and probes it."""

    _kind = "source"
    _method = "fetch"

    async def fetch(self, cx: Optional[Context], uri: Path) -> Media:
        """Gets the video at a path, or at an address that this source understands."""
        return await wait_for(self._start(uri), cx)  # type: ignore[no-any-return]

    def fetch_sync(self, cx: Optional[Context], uri: Path) -> Media:
        """The same, blocking this thread."""
        return block_on(self._start(uri), cx)  # type: ignore[no-any-return]


class Transcriber(BuiltIn):
    """Finds the words of a video and their times."""

    _kind = "transcribe"
    _method = "transcribe"

    async def transcribe(self, cx: Optional[Context], media: Media) -> Transcript:
        """Transcribes the whole video."""
        return await wait_for(self._start(media), cx)  # type: ignore[no-any-return]

    def transcribe_sync(self, cx: Optional[Context], media: Media) -> Transcript:
        """The same, blocking this thread."""
        return block_on(self._start(media), cx)  # type: ignore[no-any-return]


class Scorer(BuiltIn):
    """Chooses and ranks the spans of a video that are worth a clip."""

    _kind = "score"
    _method = "score"

    async def score(self, cx: Optional[Context], scoring: Scoring) -> List[Candidate]:
        """Chooses the spans, best first."""
        return await wait_for(self._start(scoring), cx)  # type: ignore[no-any-return]

    def score_sync(self, cx: Optional[Context], scoring: Scoring) -> List[Candidate]:
        """The same, blocking this thread."""
        return block_on(self._start(scoring), cx)  # type: ignore[no-any-return]


class FaceTracker(BuiltIn):
    """Finds the camera shots and the faces in a span."""

    _kind = "track"
    _method = "track"

    async def track(self, cx: Optional[Context], tracking: Tracking) -> Tracks:
        """Tracks the span."""
        return await wait_for(self._start(tracking), cx)  # type: ignore[no-any-return]

    def track_sync(self, cx: Optional[Context], tracking: Tracking) -> Tracks:
        """The same, blocking this thread."""
        return block_on(self._start(tracking), cx)  # type: ignore[no-any-return]


class Renderer(BuiltIn):
    """Renders a plan.

    The files are in the context's scratch space and are removed with the context.
    """

    _kind = "render"
    _method = "render"

    async def render(self, cx: Context, plan: Union[ClipPlan, Mapping[str, Any]]) -> RenderedClip:
        """Renders the plan."""
        return await wait_for(self._start(plan), cx)  # type: ignore[no-any-return]

    def render_sync(self, cx: Context, plan: Union[ClipPlan, Mapping[str, Any]]) -> RenderedClip:
        """The same, blocking this thread."""
        return block_on(self._start(plan), cx)  # type: ignore[no-any-return]


class Publisher(BuiltIn):
    """Publishes rendered clips to one target."""

    _kind = "publish"
    _method = "publish"

    async def publish(self, cx: Optional[Context], post: Post) -> Receipt:
        """Publishes one clip."""
        return await wait_for(self._start(post), cx)  # type: ignore[no-any-return]

    def publish_sync(self, cx: Optional[Context], post: Post) -> Receipt:
        """The same, blocking this thread."""
        return block_on(self._start(post), cx)  # type: ignore[no-any-return]


_KINDS: Mapping[str, Type[BuiltIn]] = {
    kind._kind: kind for kind in (Source, Transcriber, Scorer, FaceTracker, Renderer, Publisher)
}


def stage_of(kind: str, given: Any) -> _clipkit.Stage:
    """The crate's stage for a built-in stage, or for an object with the method of the kind."""
    method = _KINDS[kind]._method
    if isinstance(given, BuiltIn):
        if given._kind != kind:
            raise ConfigError(f"a stage with a method {method!r} is needed here, not {given!r}")
        return given._stage
    if not callable(getattr(given, method, None)):
        raise ConfigError(f"a stage is an object with a method {method!r}: {given!r} has none")
    return _clipkit.Stage.host(given, kind)


def stage_config(given: Any) -> Optional[Any]:
    """The configuration given in place of a stage: a name, or a document. ``None`` for a stage."""
    if isinstance(given, str):
        return {"kind": given}
    return plain(given) if isinstance(given, (Mapping, Data)) else None


def publisher_of(given: Any) -> _clipkit.Stage:
    """The crate's stage for a publisher, given as a stage or as a configuration."""
    config = stage_config(given)
    return stage_of("publish", given) if config is None else _clipkit.Stage.publisher(config)


def stage(given: Any) -> Any:
    """An object with one of the stage methods, as a stage with ``layer`` and ``or_``."""
    kinds = [kind for kind in _KINDS.values() if callable(getattr(given, kind._method, None))]
    if len(kinds) != 1:
        methods = ", ".join(kind._method for kind in _KINDS.values())
        found = " and ".join(kind._method for kind in kinds) or "none"
        raise ConfigError(f"{given!r} is no stage: it has {found} of the methods {methods}")
    return kinds[0]._around(stage_of(kinds[0]._kind, given))


def _with_key(settings: Mapping[str, Any], api_key: Optional[str]) -> Any:
    options = plain(settings)
    if api_key is not None:
        options["server"] = {**(options.get("server") or {}), "api_key": api_key}
    return options


def _opened(name: str, options: Mapping[str, Any]) -> _clipkit.Stage:
    """A built-in stage that has a model. Ctrl-C interrupts the download of one."""
    return block_on(lambda call, cx: _clipkit.Stage.start_built_in(call, cx, name, options))  # type: ignore[no-any-return]


class FileSource(Source):
    """Takes a file on this machine, given by its path.

    With ``store``, a copy goes into the media store, where later steps find it when the file is
    gone.
    """

    def __init__(self, *, store: bool = False) -> None:
        self._stage = _clipkit.Stage.built_in("FileSource", {"store": store})


class HttpSource(Source):
    """Takes a media file on an HTTP server, given by its URL, into the media store.

    A download that breaks off continues. Private addresses are refused unless ``allow_private``
    names them. The URL's query is kept secret.
    """

    def __init__(self, **settings: Unpack[HttpSourceDict]) -> None:
        self._stage = _clipkit.Stage.built_in("HttpSource", plain(settings))


class ObjectStoreSource(Source):
    """Takes a file in an object store into the media store: ``s3://``, ``gs://``, ``az://``."""

    def __init__(self, **settings: Unpack[ObjectStoreSourceDict]) -> None:
        self._stage = _clipkit.Stage.built_in("ObjectStoreSource", plain(settings))


class YtDlp(Source):
    """Takes a video on a platform that yt-dlp knows, with its metadata and captions.

    The program yt-dlp must be on this machine.
    """

    def __init__(self, **settings: Unpack[YtDlpDict]) -> None:
        self._stage = _clipkit.Stage.built_in("YtDlp", plain(settings))


class AutoSource(Source):
    """Takes a path, a URL of a media file, an object's address, else asks yt-dlp. The default."""

    def __init__(self, **settings: Unpack[AutoSourceDict]) -> None:
        self._stage = _clipkit.Stage.built_in("AutoSource", plain(settings))


class Captions(Transcriber):
    """Reads an existing transcript: beside the video, inside it, or the given file.

    Formats: SRT, WebVTT, ASS, SBV, LRC, TTML, TSV, json3, words with times in JSON, subtitle
    streams. ``encoding`` is the text encoding of a file, such as ``gbk``; by default it is detected.
    ``language`` is preferred among several files and streams. ``offset`` is added to every time, in
    seconds; ``"auto"`` is what the voice shows.
    """

    def __init__(
        self,
        file: Optional[Path] = None,
        *,
        encoding: Optional[str] = None,
        language: Optional[str] = None,
        offset: Union[float, Literal["auto"], None] = None,
    ) -> None:
        settings = {"file": file, "encoding": encoding, "language": language, "offset": offset}
        self._stage = _clipkit.Stage.built_in("Captions", settings)


class OpenAiTranscriber(Transcriber):
    """A Whisper-style API.

    Key and address default to ``OPENAI_API_KEY`` and ``OPENAI_BASE_URL``.
    """

    def __init__(self, *, api_key: Optional[str] = None, **settings: Unpack[OpenAiTranscriberDict]) -> None:
        self._stage = _clipkit.Stage.built_in("OpenAiTranscriber", _with_key(settings, api_key))


class LocalTranscriber(Transcriber):
    """A speech model on this machine: a NeMo transducer (Parakeet TDT) or a CTC model, in ONNX.

    ``model`` is the model's folder or name; see :class:`ModelStore`. A named model is downloaded if it
    is missing. Default: the default speech model. ``language`` is the spoken language (``"en"``), which
    these models do not return. The constructor opens the model.
    """

    def __init__(self, model: Optional[Path] = None, *, language: Optional[str] = None) -> None:
        _onnx.find_library()
        self._stage = _opened("LocalTranscriber", {"model": model, "language": language})


class Heuristic(Scorer):
    """Rules over the words: hook, completeness, density, emotion."""

    def __init__(self) -> None:
        self._stage = _clipkit.Stage.built_in("Heuristic", {})


class OpenAiScorer(Scorer):
    """A language model that judges the heuristic's candidates, then compares the best."""

    def __init__(self, *, api_key: Optional[str] = None, **settings: Unpack[OpenAiScorerDict]) -> None:
        self._stage = _clipkit.Stage.built_in("OpenAiScorer", _with_key(settings, api_key))


class OnnxTracker(FaceTracker):
    """Finds faces with a neural network (UltraFace, YuNet), and cuts by comparing frames.

    ``model`` is a model's name or its file; see :class:`ModelStore`. A named model is downloaded if
    it is missing. Default: the default face detector.
    """

    def __init__(self, model: Optional[Path] = None, **settings: Unpack[OnnxTrackerDict]) -> None:
        if settings.get("library") is None:
            _onnx.find_library()
        self._stage = _opened("OnnxTracker", {"model": model, "options": settings})


class MotionTracker(FaceTracker):
    """Finds cuts and motion without a model."""

    def __init__(self) -> None:
        self._stage = _clipkit.Stage.built_in("MotionTracker", {})


class CenterTracker(FaceTracker):
    """Finds nothing: the crop stays in the middle."""

    def __init__(self) -> None:
        self._stage = _clipkit.Stage.built_in("CenterTracker", {})


class FfmpegRenderer(Renderer):
    """Renders with the FFmpeg libraries in this process.

    ``size`` is in columns and rows. ``None`` takes the size of the pipeline's aspect.
    """

    def __init__(self, size: Optional[Tuple[int, int]] = None, *, threads: int = 0) -> None:
        self._stage = _clipkit.Stage.built_in("FfmpegRenderer", {"size": size, "threads": threads})

    @classmethod
    def vertical(cls, width: int, height: int) -> FfmpegRenderer:
        """For clips of ``width`` columns and ``height`` rows."""
        return cls((width, height))


class Folder(Publisher):
    """Publishes into a folder: ``NN-title.mp4``, its plan, its cover, and ``clips.json``.

    ``keep_others`` keeps the clips that an existing ``clips.json`` of the same video lists.
    """

    def __init__(self, path: Path, *, keep_others: bool = False) -> None:
        self._stage = _clipkit.Stage.built_in("Folder", {"path": path, "keep_others": keep_others})


class ObjectStorePublisher(Publisher):
    """Publishes into an object store: ``url="s3://bucket/prefix"``, ``gs://``, ``az://``, ``file:///folder``.

    ``link`` is the number of seconds for which the link in the receipt is valid.
    """

    def __init__(self, **settings: Unpack[ObjectStorePublisherDict]) -> None:
        self._stage = _clipkit.Stage.built_in("ObjectStorePublisher", plain(settings))


class Webhook(Publisher):
    """Posts each clip, and then the manifest, to ``url``, signed as Standard Webhooks describe.

    The secret is ``secret``, or in the environment: ``CLIPKIT_WEBHOOK_SECRET``.
    """

    def __init__(self, **settings: Unpack[WebhookDict]) -> None:
        self._stage = _clipkit.Stage.built_in("Webhook", plain(settings))


class YouTube(Publisher):
    """Uploads to the channel of an ``account``, whose credentials are in the environment or a file.

    ``schedule={"zone": "Europe/Berlin"}`` publishes at peak times.
    """

    def __init__(self, **settings: Unpack[YouTubeDict]) -> None:
        self._stage = _clipkit.Stage.built_in("YouTube", plain(settings))


class TikTok(Publisher):
    """Uploads to an ``account`` on TikTok, whose credentials are in a file: ``clipkit login tiktok``.

    ``inbox=True`` makes a draft in the app's inbox. ``privacy`` is ``"everyone"``, ``"followers"``, ``"friends"`` or ``"only_me"``.
    """

    def __init__(self, **settings: Unpack[TikTokDict]) -> None:
        self._stage = _clipkit.Stage.built_in("TikTok", plain(settings))


class Instagram(Publisher):
    """Uploads Reels to a professional ``account`` on Instagram, whose credentials are in the environment or a file."""

    def __init__(self, **settings: Unpack[InstagramDict]) -> None:
        self._stage = _clipkit.Stage.built_in("Instagram", plain(settings))
