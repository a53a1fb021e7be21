"""The stages: what each kind does, those that are built in, and how objects of yours become some."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, List, Mapping, Optional, Tuple, Type, TypeVar, Union

from . import _clipkit, _onnx
from ._call import block_on, wait_for
from ._clipkit import Context
from ._data import Data, plain
from ._errors import ConfigError
from ._layers import Layer, config_of
from ._made import Candidate, ClipPlan
from ._types import Clip, Media, Post, Receipt, Scoring, Tracking, Tracks, Transcript

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._types import OnnxTrackerDict, OpenAiScorerDict, OpenAiTranscriberDict

Path = Union[str, "os.PathLike[str]"]
S = TypeVar("S", bound="BuiltIn")


class BuiltIn:
    """A stage that the crate runs. Layers go around it, and another takes over where it fails: each makes a new stage."""

    #: The method that makes an object a stage of this kind.
    _method: ClassVar[str]
    _stage: _clipkit.Stage

    @classmethod
    def _around(cls: Type[S], stage: _clipkit.Stage) -> S:
        kind = _KINDS[cls._method]
        made: Any = kind.__new__(kind)
        made._stage = stage
        return made  # type: ignore[no-any-return]

    def layer(self: S, *layers: Layer) -> S:
        """This stage inside layers, the first of them next to it."""
        return self._around(self._stage.layer([config_of(layer) for layer in layers]))

    def or_(self: S, other: Any) -> S:
        """This stage, and ``other`` where this one fails; the step down leaves a warning."""
        return self._around(self._stage.or_(stage_of(self._method, other)))

    def __or__(self: S, other: Any) -> S:
        return self.or_(other)

    def _start(self, value: Any) -> Any:
        return lambda call, cx: self._stage.start(call, cx, value)

    def __repr__(self) -> str:
        return f"<clipkit {type(self).__name__}>"


class Source(BuiltIn):
    """Gets a video onto this machine and says what is in it."""

    _method = "fetch"

    async def fetch(self, cx: Optional[Context], uri: Path) -> Media:
        """Gets the video at a path, or at an address that this source understands."""
        return await wait_for(self._start(uri), cx)  # type: ignore[no-any-return]

    def fetch_sync(self, cx: Optional[Context], uri: Path) -> Media:
        """The same, waited for in this thread."""
        return block_on(self._start(uri), cx)  # type: ignore[no-any-return]


class Transcriber(BuiltIn):
    """Says what is spoken in a video, and when."""

    _method = "transcribe"

    async def transcribe(self, cx: Optional[Context], media: Media) -> Transcript:
        """Transcribes the whole video."""
        return await wait_for(self._start(media), cx)  # type: ignore[no-any-return]

    def transcribe_sync(self, cx: Optional[Context], media: Media) -> Transcript:
        """The same, waited for in this thread."""
        return block_on(self._start(media), cx)  # type: ignore[no-any-return]


class Scorer(BuiltIn):
    """Chooses and ranks the spans of a video that are worth a clip."""

    _method = "score"

    async def score(self, cx: Optional[Context], scoring: Scoring) -> List[Candidate]:
        """Chooses the spans, best first."""
        return await wait_for(self._start(scoring), cx)  # type: ignore[no-any-return]

    def score_sync(self, cx: Optional[Context], scoring: Scoring) -> List[Candidate]:
        """The same, waited for in this thread."""
        return block_on(self._start(scoring), cx)  # type: ignore[no-any-return]


class FaceTracker(BuiltIn):
    """Finds the camera shots and the faces in a span."""

    _method = "track"

    async def track(self, cx: Optional[Context], tracking: Tracking) -> Tracks:
        """Looks at the span."""
        return await wait_for(self._start(tracking), cx)  # type: ignore[no-any-return]

    def track_sync(self, cx: Optional[Context], tracking: Tracking) -> Tracks:
        """The same, waited for in this thread."""
        return block_on(self._start(tracking), cx)  # type: ignore[no-any-return]


class Renderer(BuiltIn):
    """Makes the file that a plan describes. It lies in the context's scratch space, which goes with the context."""

    _method = "render"

    async def render(self, cx: Context, plan: Union[ClipPlan, Mapping[str, Any]]) -> Clip:
        """Renders the plan."""
        return await wait_for(self._start(plan), cx)  # type: ignore[no-any-return]

    def render_sync(self, cx: Context, plan: Union[ClipPlan, Mapping[str, Any]]) -> Clip:
        """The same, waited for in this thread."""
        return block_on(self._start(plan), cx)  # type: ignore[no-any-return]


class Publisher(BuiltIn):
    """Hands a rendered clip over."""

    _method = "publish"

    async def publish(self, cx: Optional[Context], post: Post) -> Receipt:
        """Publishes one clip."""
        return await wait_for(self._start(post), cx)  # type: ignore[no-any-return]

    def publish_sync(self, cx: Optional[Context], post: Post) -> Receipt:
        """The same, waited for in this thread."""
        return block_on(self._start(post), cx)  # type: ignore[no-any-return]


_KINDS: Mapping[str, Type[BuiltIn]] = {
    kind._method: kind for kind in (Source, Transcriber, Scorer, FaceTracker, Renderer, Publisher)
}


def stage_of(method: str, given: Any) -> _clipkit.Stage:
    """The crate's stage for what a user gave: one that is built in, or an object with the right method."""
    if isinstance(given, BuiltIn):
        if given._method != method:
            raise ConfigError(f"a stage that has a method {method!r} is wanted here, not {given!r}")
        return given._stage
    if not callable(getattr(given, method, None)):
        raise ConfigError(f"a stage is an object with a method {method!r}: {given!r} has none")
    return _clipkit.Stage.host(given, method)


def stage_config(given: Any) -> Optional[Any]:
    """The configuration that was given in a stage's place: a kind's name, or all of it; none where it is a stage."""
    if isinstance(given, str):
        return {"kind": given}
    return plain(given) if isinstance(given, (Mapping, Data)) else None


def stage(given: Any) -> Any:
    """An object of yours as a stage with ``layer`` and ``or_``, of the kind that its method says."""
    methods = [method for method in _KINDS if callable(getattr(given, method, None))]
    if len(methods) != 1:
        raise ConfigError(f"{given!r} is no stage: it has {' and '.join(methods) or 'none'} of the methods {', '.join(_KINDS)}")
    return _KINDS[methods[0]]._around(stage_of(methods[0], given))


class FileSource(Source):
    """Takes a file on this machine, given by its path."""

    def __init__(self) -> None:
        self._stage = _clipkit.Stage.built_in("FileSource", {})


class Captions(Transcriber):
    """Takes a transcript that exists already: beside the video or inside it, or the file that is named.

    SRT, WebVTT, ASS, json3, word times in JSON, subtitle streams.
    """

    def __init__(self, file: Optional[Path] = None) -> None:
        self._stage = _clipkit.Stage.built_in("Captions", {"file": file})


class OpenAiTranscriber(Transcriber):
    """Asks a Whisper-style API. What is not given comes from ``OPENAI_API_KEY`` and ``OPENAI_BASE_URL``."""

    def __init__(self, *, api_key: Optional[str] = None, **settings: Unpack[OpenAiTranscriberDict]) -> None:
        self._stage = _clipkit.Stage.built_in("OpenAiTranscriber", settings, api_key=api_key)


class LocalTranscriber(Transcriber):
    """Runs a speech model on this machine: Parakeet TDT and its kin, or a CTC model, in ONNX. ``model`` is its folder; it is opened here."""

    def __init__(self, model: Path) -> None:
        _onnx.find_library()
        self._stage = _clipkit.Stage.built_in("LocalTranscriber", {}, model=model)


class Heuristic(Scorer):
    """Rules over the words: hook, completeness, density, emotion."""

    def __init__(self) -> None:
        self._stage = _clipkit.Stage.built_in("Heuristic", {})


class OpenAiScorer(Scorer):
    """A language model judges what the heuristic finds, then compares the best."""

    def __init__(self, *, api_key: Optional[str] = None, **settings: Unpack[OpenAiScorerDict]) -> None:
        self._stage = _clipkit.Stage.built_in("OpenAiScorer", settings, api_key=api_key)


class OnnxTracker(FaceTracker):
    """Finds faces with a neural network (UltraFace, YuNet), and cuts by comparing frames. ``model`` is its file, see :class:`ModelStore`."""

    def __init__(self, model: Path, **settings: Unpack[OnnxTrackerDict]) -> None:
        if settings.get("library") is None:
            _onnx.find_library()
        self._stage = _clipkit.Stage.built_in("OnnxTracker", settings, model=model)


class MotionTracker(FaceTracker):
    """Finds cuts and what moves, without any model."""

    def __init__(self) -> None:
        self._stage = _clipkit.Stage.built_in("MotionTracker", {})


class CenterTracker(FaceTracker):
    """Sees nothing, so the crop stays in the middle."""

    def __init__(self) -> None:
        self._stage = _clipkit.Stage.built_in("CenterTracker", {})


class FfmpegRenderer(Renderer):
    """Renders with the FFmpeg libraries in this process. ``size`` is in columns and rows; none leaves it to the aspect asked for."""

    def __init__(self, size: Optional[Tuple[int, int]] = None, *, threads: int = 0) -> None:
        self._stage = _clipkit.Stage.built_in("FfmpegRenderer", {"size": size, "threads": threads})

    @classmethod
    def vertical(cls, width: int, height: int) -> FfmpegRenderer:
        """For clips of ``width`` columns and ``height`` rows."""
        return cls((width, height))


class Folder(Publisher):
    """Puts clips into a folder: ``NN-title.mp4``, its plan, its cover, and ``clips.json`` at the end.

    ``keep_others`` keeps the clips that an existing ``clips.json`` of the same video lists.
    """

    def __init__(self, path: Path, *, keep_others: bool = False) -> None:
        self._stage = _clipkit.Stage.built_in("Folder", {"path": path, "keep_others": keep_others})

