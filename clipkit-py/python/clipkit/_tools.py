"""Functions beside the pipeline: single stages, models, frames, caption styles."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Union

from . import _clipkit, _onnx
from ._call import Start, Steps, block_on, block_on_all, wait_for, wait_for_all
from ._clipkit import Context, Frame
from ._made import Candidate, ClipPlan, Span
from ._stages import FileSource, Path, stage_config, stage_of
from ._types import CaptionStyle, Diagnosis, Edited, FrameOptions, Media, SpeechMap, Tracks, Transcript

if TYPE_CHECKING:
    import numpy
    import numpy.typing
    from typing_extensions import Unpack

    from ._types import ScoreOptionsDict


def probe(input: Path, *, context: Optional[Context] = None) -> Media:
    """Probes a video on this machine. The whole file is read once."""
    return FileSource().fetch_sync(context, input)


def doctor() -> Diagnosis:
    """What clipkit can use, whether it is on this machine, and what each lack costs.

    Keys are not shown. The call runs programs to ask for their versions.
    """
    _onnx.find_library()
    return _clipkit.doctor()  # type: ignore[no-any-return]


def _alone(kind: str, field: str, given: Any, value: Any) -> Steps[Any]:
    """Calls one stage, given as a stage, a name or a configuration."""
    config = stage_config(given)
    if config is None:
        stage = stage_of(kind, given)
    else:
        _onnx.find_library()
        stage = yield lambda call, cx: _clipkit.Stage.start_config(call, cx, kind, {field: config})
    return (yield lambda call, cx: stage.start(call, cx, value))


def _media(input: Union[Media, Path]) -> Steps[Media]:
    return input if isinstance(input, Media) else (yield FileSource()._start(input))


def _transcribe(input: Union[Media, Path], transcriber: Any) -> Steps[Transcript]:
    media = yield from _media(input)
    return (yield from _alone("transcribe", "transcriber", transcriber, media))  # type: ignore[no-any-return]


def transcribe(input: Union[Media, Path], transcriber: Any = "auto", *, context: Optional[Context] = None) -> Transcript:
    """The words of a video and their times.

    ``transcriber`` is a stage, a name or a configuration.
    """
    return block_on_all(_transcribe(input, transcriber), context)


async def transcribe_async(input: Union[Media, Path], transcriber: Any = "auto", *, context: Optional[Context] = None) -> Transcript:
    """The same, in the running event loop."""
    return await wait_for_all(_transcribe(input, transcriber), context)


def score(
    transcript: Union[Transcript, Mapping[str, Any]],
    scorer: Any = "auto",
    *,
    media: Optional[Media] = None,
    context: Optional[Context] = None,
    **options: Unpack[ScoreOptionsDict],
) -> List[Candidate]:
    """The spans of a transcript that are worth a clip, best first.

    Options are those of :class:`ScoreOptions`.
    """
    scoring = {"media": media, "transcript": transcript, "options": options}
    return block_on_all(_alone("score", "scorer", scorer, scoring), context)


async def score_async(
    transcript: Union[Transcript, Mapping[str, Any]],
    scorer: Any = "auto",
    *,
    media: Optional[Media] = None,
    context: Optional[Context] = None,
    **options: Unpack[ScoreOptionsDict],
) -> List[Candidate]:
    """The same, in the running event loop."""
    scoring = {"media": media, "transcript": transcript, "options": options}
    return await wait_for_all(_alone("score", "scorer", scorer, scoring), context)


def _track(input: Union[Media, Path], span: Union[Span, Mapping[str, float], None], tracker: Any) -> Steps[Tracks]:
    media = yield from _media(input)
    tracking = {"media": media, "span": Span(0.0, media.duration) if span is None else span}
    return (yield from _alone("track", "tracker", tracker, tracking))  # type: ignore[no-any-return]


def track(
    input: Union[Media, Path],
    span: Union[Span, Mapping[str, float], None] = None,
    tracker: Any = "auto",
    *,
    context: Optional[Context] = None,
) -> Tracks:
    """The camera shots and faces of a span (default: all of the video)."""
    return block_on_all(_track(input, span, tracker), context)


async def track_async(
    input: Union[Media, Path],
    span: Union[Span, Mapping[str, float], None] = None,
    tracker: Any = "auto",
    *,
    context: Optional[Context] = None,
) -> Tracks:
    """The same, in the running event loop."""
    return await wait_for_all(_track(input, span, tracker), context)


def contact_sheet(plan: Union[ClipPlan, Mapping[str, Any]], to: Path, *, context: Optional[Context] = None) -> None:
    """Draws frames of a plan's clip into a PNG file."""
    block_on(_sheet(plan, to), context)


async def contact_sheet_async(plan: Union[ClipPlan, Mapping[str, Any]], to: Path, *, context: Optional[Context] = None) -> None:
    """The same, in the running event loop."""
    await wait_for(_sheet(plan, to), context)


def preview(plan: Union[ClipPlan, Mapping[str, Any]], to: Path, *, context: Optional[Context] = None) -> None:
    """Shows what a plan renders to, in a fraction of the time. The ending of ``to`` decides: ``.mp4`` is a draft of the
    clip whose shorter side has 360 pixels, ``.png`` or ``.jpg`` a sheet of frames, as they are in the source and as
    they are drawn.
    """
    block_on(_preview(plan, to), context)


async def preview_async(plan: Union[ClipPlan, Mapping[str, Any]], to: Path, *, context: Optional[Context] = None) -> None:
    """The same, in the running event loop."""
    await wait_for(_preview(plan, to), context)


def _preview(plan: Union[ClipPlan, Mapping[str, Any]], to: Path) -> Start:
    return lambda call, cx: _clipkit.preview(call, cx, plan, to)


def _sheet(plan: Union[ClipPlan, Mapping[str, Any]], to: Path) -> Start:
    return lambda call, cx: _clipkit.contact_sheet(call, cx, plan, to)


def edit(
    plan: Union[ClipPlan, Mapping[str, Any]],
    ops: Sequence[Any],
    *,
    transcript: Union[Transcript, Mapping[str, Any], None] = None,
    speech: Union[SpeechMap, Mapping[str, Any], None] = None,
) -> Edited:
    """Applies operations to a plan, such as ``{"op": "delete_words", "words": {"quote": "you
    know"}}``.

    The plan that is given stays as it is. Some operations need the transcript of the source, or its
    speech map, which ``Pipeline.listen`` makes.
    """
    return Edited(*_clipkit.edit(plan, list(ops), transcript, speech))


def export(
    plans: Union[ClipPlan, Mapping[str, Any], Sequence[Union[ClipPlan, Mapping[str, Any]]]],
    format: str,
    to: Optional[Path] = None,
    *,
    name: Optional[str] = None,
    start: str = "01:00:00:00",
    relative: bool = False,
    captions: bool = True,
    markers: bool = True,
    context: Optional[Context] = None,
) -> Optional[str]:
    """Writes a plan for players and editors.

    ``format`` is ``srt``, ``vtt``, ``ass``, ``txt`` or ``json`` for captions, ``otio``, ``fcpxml``,
    ``xmeml`` (Premiere Pro) or ``edl`` for a timeline that names the source with in and out points.
    Several plans follow each other in one file. Returns the text, or writes it to the file ``to``.

    Of a timeline, ``start`` is the time code of the first frame (``01:00:00;00`` counts in drop
    frame), ``relative`` names the source relative to ``to``'s folder, and captions and markers can be
    left out. What a format cannot say is a warning of the context.
    """
    return block_on(_export(plans, format, to, name, start, relative, captions, markers), context)  # type: ignore[no-any-return]


async def export_async(
    plans: Union[ClipPlan, Mapping[str, Any], Sequence[Union[ClipPlan, Mapping[str, Any]]]],
    format: str,
    to: Optional[Path] = None,
    *,
    name: Optional[str] = None,
    start: str = "01:00:00:00",
    relative: bool = False,
    captions: bool = True,
    markers: bool = True,
    context: Optional[Context] = None,
) -> Optional[str]:
    """The same, in the running event loop."""
    return await wait_for(_export(plans, format, to, name, start, relative, captions, markers), context)  # type: ignore[no-any-return]


def _export(
    plans: Any, format: str, to: Optional[Path], name: Optional[str], start: str, relative: bool, captions: bool, markers: bool
) -> Start:
    all = list(plans) if isinstance(plans, (list, tuple)) else [plans]
    folder = (pathlib.Path(to).parent if to is not None else pathlib.Path()).absolute() if relative else None
    options = {"name": name, "start": start, "relative_to": None if folder is None else str(folder), "captions": captions, "markers": markers}
    return lambda call, cx: _clipkit.export(call, cx, all, format, options, to)


def frames(
    media: Union[Media, Path],
    span: Union[Span, Mapping[str, float], None] = None,
    *,
    per_second: Optional[float] = None,
    longest: Optional[int] = None,
    context: Optional[Context] = None,
) -> Iterator[Frame]:
    """The frames of a span (default: of the whole video), in order.

    There are at most ``per_second`` frames a second, with at most ``longest`` pixels on the longer
    side. ``numpy.asarray(frame)`` has rows, columns and RGB, 0 to 255, without a copy;
    ``frame.crop(rect)`` is a part of the frame.
    """
    if not isinstance(media, Media):
        media = probe(media)
    if span is None:
        span = Span(0.0, media.duration)
    return iter(_clipkit.Frames(context or Context(), media, span, FrameOptions(longest=longest, per_second=per_second)))


def to_numpy(frame: Frame) -> numpy.typing.NDArray[numpy.uint8]:
    """A frame's pixels: rows, columns, RGB.

    The array is read-only and shares the frame's memory.
    """
    import numpy

    return numpy.asarray(frame)


def caption_style(given: Union[str, Mapping[str, Any]]) -> CaptionStyle:
    """A preset by its name, or a style described relative to one.

    An example of such a description is ``{"like": "pop", "max_words": 2}``.
    """
    return _clipkit.caption_style(given)  # type: ignore[no-any-return]


class Model(NamedTuple):
    """A known model."""

    id: str
    about: str
    license: str
    bytes: int


class ModelStore:
    """Models on this machine: in ``CLIPKIT_MODELS``, else in the folder ``cache``.

    Default: a folder in the user's cache folder.
    """

    #: The identifiers of the default models: face detector, voice detector, speech recognition.
    DEFAULT_FACE_DETECTOR, VOICE_DETECTOR, DEFAULT_SPEECH = _clipkit.default_models()

    def __init__(self, cache: Optional[Path] = None) -> None:
        self._cache = cache

    @staticmethod
    def all() -> List[Model]:
        """The known models."""
        return [Model(*model) for model in _clipkit.models()]

    def find(self, id: str) -> Optional[pathlib.Path]:
        """The path of a model. ``None`` where it is not downloaded."""
        return _clipkit.find_model(id, self._cache)

    def find_speech(self) -> Optional[pathlib.Path]:
        """The folder of a speech model, for :class:`LocalTranscriber`.

        ``None`` where there is none.
        """
        return _clipkit.find_speech(self._cache)

    async def resolve(self, id_or_path: str, *, context: Optional[Context] = None) -> pathlib.Path:
        """The path of a model, which is downloaded and checked if it is missing, or a path as
        given.
        """
        return pathlib.Path(await wait_for(self._fetch(id_or_path), context))

    def resolve_sync(self, id_or_path: str, *, context: Optional[Context] = None) -> pathlib.Path:
        """The same, blocking this thread."""
        return pathlib.Path(block_on(self._fetch(id_or_path), context))

    def _fetch(self, id_or_path: str) -> Start:
        return lambda call, cx: _clipkit.fetch_model(call, cx, str(id_or_path), self._cache)


