"""The six stages, composed into a pipeline."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Dict, List, Literal, Mapping, Optional, Sequence, Tuple, Union

from . import _clipkit, _onnx
from ._call import Start, block_on, wait_for
from ._clipkit import Context
from ._data import plain
from ._errors import ConfigError
from ._made import Candidate, ClipPlan, Manifest, ManifestClip, Span, placed
from ._progress import shown
from ._stages import Captions, Folder, Path, publisher_of, stage_config, stage_of
from ._types import Event, Media, PipelineConfig, Planned, Post, RankedPlan, Receipt, RenderedClip, Target, Tracks, Transcript

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._types import OptionsDict

#: The fields of a configuration that are one stage, and the kind of stage.
_STAGES = {
    "source": "source",
    "transcriber": "transcribe",
    "scorer": "score",
    "tracker": "track",
    "renderer": "render",
}

#: The picture of :meth:`Pipeline.plan_whole`.
WholePicture = Literal["keep", "reframe"]
#: Receives each event, in the caller's event loop or thread.
OnEvent = Callable[[Event], object]
#: ``True`` shows a bar with tqdm or rich, where one is installed, else lines. A function receives
#: the fraction done, 0 to 1, and what is being done.
Progress = Union[bool, Callable[[float, str], object], None]
Config = Union[PipelineConfig, Mapping[str, Any], str]
#: A document, or a dict of its shape.
_Dict = Mapping[str, Any]


class Pipeline:
    """Six stages and their options. One pipeline may run many times, also concurrently.

    A stage is a built-in stage, an object with the right method (``fetch``, ``transcribe``,
    ``score``, ``track``, ``render``, ``publish``; asynchronous or not), a name or a configuration
    (``tracker="center"``). A stage that is not given is as ``config`` says, else the default of the
    command line. ``publisher`` may be a list: every clip goes to each publisher. Options are the
    fields of :class:`ClipOptions`.

    The exception of a stage that is not built in is raised by the call, as the same object. A
    stand-in must be asked for: ``stage(...).or_(...)``, or the option ``degrade``.

    :meth:`run` is a composition of the steps ``fetch``, ``transcribe``, ``choose``, ``track``,
    ``plan``, ``render_post`` and ``publish``. Each step is a method of its own that takes documents
    (objects, or dicts of their shape) and returns one, so that it can be a job of its own, in
    another process. A step's failure is its error; ``degrade`` adds stand-ins.
    """

    def __init__(
        self,
        *,
        source: Any = None,
        transcriber: Any = None,
        scorer: Any = None,
        tracker: Any = None,
        renderer: Any = None,
        publisher: Any = None,
        config: Optional[Config] = None,
        **options: Unpack[OptionsDict],
    ) -> None:
        _onnx.find_library()
        given: Dict[str, Any] = {
            "source": source,
            "transcriber": transcriber,
            "scorer": scorer,
            "tracker": tracker,
            "renderer": renderer,
        }
        document = _document(config)
        document["options"] = {**document.get("options", {}), **plain(options)}
        stages = []
        for name, kind in _STAGES.items():
            stage = given[name]
            if stage is None:
                continue
            config_of_stage = stage_config(stage)
            if config_of_stage is None:
                stages.append(stage_of(kind, stage))
            else:
                document[name] = config_of_stage
        if publisher is not None:
            document["publishers"] = []
            stages += [publisher_of(one) for one in (publisher if isinstance(publisher, (list, tuple)) else [publisher])]
        self._pipeline = _clipkit.Pipeline(stages, document)

    async def run(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """Makes clips of the video at ``input`` and publishes them.

        Cancelling the task stops the run within a second and leaves no incomplete file. So does an
        exception of ``on_event``.
        """
        with shown(on_event, progress) as show:
            return self._placed(await wait_for(self._run(input), context, show))

    def run_sync(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """The same, blocking this thread. Ctrl-C stops the run within a second."""
        with shown(on_event, progress) as show:
            return self._placed(block_on(self._run(input), context, show))

    async def events(self, input: Path) -> AsyncIterator[Union[Event, Manifest]]:
        """Makes clips and yields the events of the run, then the manifest.

        Leaving the loop stops the run.
        """
        happened: asyncio.Queue[Union[Event, Manifest, None]] = asyncio.Queue()
        run = asyncio.ensure_future(self.run(input, on_event=happened.put_nowait))
        run.add_done_callback(lambda _: happened.put_nowait(None))
        try:
            while True:
                event = await happened.get()
                if event is None:
                    yield await run
                    return
                yield event
        finally:
            if not run.done():
                run.cancel()
                await asyncio.wait([run])

    async def plan_all(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Planned:
        """Plans the clips of a video, without rendering them."""
        with shown(on_event, progress) as show:
            return await wait_for(self._plan_all(input), context, show)  # type: ignore[no-any-return]

    def plan_all_sync(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Planned:
        """The same, blocking this thread."""
        with shown(on_event, progress) as show:
            return block_on(self._plan_all(input), context, show)  # type: ignore[no-any-return]

    async def plan_whole(
        self,
        input: Path,
        picture: WholePicture = "keep",
        *,
        on_event: Optional[OnEvent] = None,
        progress: Progress = None,
        context: Optional[Context] = None,
    ) -> ClipPlan:
        """Plans a whole video as one clip, without choosing: with captions, tightened, or, with
        ``picture="reframe"``, in another shape. ``"keep"`` keeps the source's picture.

        Render the plan with :meth:`render`, or make caption files of it with :func:`export`.
        """
        with shown(on_event, progress) as show:
            return await wait_for(self._plan_whole(input, picture), context, show)  # type: ignore[no-any-return]

    def plan_whole_sync(
        self,
        input: Path,
        picture: WholePicture = "keep",
        *,
        on_event: Optional[OnEvent] = None,
        progress: Progress = None,
        context: Optional[Context] = None,
    ) -> ClipPlan:
        """The same, blocking this thread."""
        with shown(on_event, progress) as show:
            return block_on(self._plan_whole(input, picture), context, show)  # type: ignore[no-any-return]

    async def render_all(
        self, plans: Plans, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """Renders plans and publishes the clips: the result of :meth:`plan_all`, or plans in order
        of rank.
        """
        with shown(on_event, progress) as show:
            return self._placed(await wait_for(self._render_all(plans), context, show))

    def render_all_sync(
        self, plans: Plans, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """The same, blocking this thread."""
        with shown(on_event, progress) as show:
            return self._placed(block_on(self._render_all(plans), context, show))

    async def fetch(self, input: Path, *, context: Optional[Context] = None) -> Media:
        """Gets the video at ``input`` onto this machine and probes it."""
        return await wait_for(lambda call, cx: self._pipeline.start_fetch(call, cx, input), context)  # type: ignore[no-any-return]

    def fetch_sync(self, input: Path, *, context: Optional[Context] = None) -> Media:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_fetch(call, cx, input), context)  # type: ignore[no-any-return]

    async def transcribe(self, media: Union[Media, _Dict], *, context: Optional[Context] = None) -> Transcript:
        """The words of the video and their times."""
        return await wait_for(lambda call, cx: self._pipeline.start_transcribe(call, cx, media), context)  # type: ignore[no-any-return]

    def transcribe_sync(self, media: Union[Media, _Dict], *, context: Optional[Context] = None) -> Transcript:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_transcribe(call, cx, media), context)  # type: ignore[no-any-return]

    async def choose(
        self,
        media: Union[Media, _Dict],
        transcript: Union[Transcript, _Dict],
        *,
        context: Optional[Context] = None,
    ) -> List[Candidate]:
        """The spans that are worth a clip, best first, checked, with their ends in pauses.

        Raises :class:`NothingFoundError` where there is none.
        """
        return await wait_for(lambda call, cx: self._pipeline.start_choose(call, cx, media, transcript), context)  # type: ignore[no-any-return]

    def choose_sync(
        self,
        media: Union[Media, _Dict],
        transcript: Union[Transcript, _Dict],
        *,
        context: Optional[Context] = None,
    ) -> List[Candidate]:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_choose(call, cx, media, transcript), context)  # type: ignore[no-any-return]

    async def listen(self, media: Union[Media, _Dict], *, context: Optional[Context] = None) -> Any:
        """Where somebody speaks in a medium, and how loud it is: for ``clipkit.edit``."""
        return await wait_for(lambda call, cx: self._pipeline.start_listen(call, cx, media), context)

    def listen_sync(self, media: Union[Media, _Dict], *, context: Optional[Context] = None) -> Any:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_listen(call, cx, media), context)

    async def track(self, media: Union[Media, _Dict], span: Union[Span, _Dict], *, context: Optional[Context] = None) -> Tracks:
        """The camera shots and faces in a span."""
        return await wait_for(lambda call, cx: self._pipeline.start_track(call, cx, media, span), context)  # type: ignore[no-any-return]

    def track_sync(self, media: Union[Media, _Dict], span: Union[Span, _Dict], *, context: Optional[Context] = None) -> Tracks:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_track(call, cx, media, span), context)  # type: ignore[no-any-return]

    async def plan(
        self,
        media: Union[Media, _Dict],
        transcript: Union[Transcript, _Dict],
        candidate: Union[Candidate, _Dict],
        tracks: Union[Tracks, _Dict],
        *,
        context: Optional[Context] = None,
    ) -> ClipPlan:
        """The plan of one clip: framing and captions. The same input gives the same plan."""
        return await wait_for(lambda call, cx: self._pipeline.start_plan(call, cx, [media, transcript, candidate, tracks]), context)  # type: ignore[no-any-return]

    def plan_sync(
        self,
        media: Union[Media, _Dict],
        transcript: Union[Transcript, _Dict],
        candidate: Union[Candidate, _Dict],
        tracks: Union[Tracks, _Dict],
        *,
        context: Optional[Context] = None,
    ) -> ClipPlan:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_plan(call, cx, [media, transcript, candidate, tracks]), context)  # type: ignore[no-any-return]

    async def render(self, plan: Union[ClipPlan, _Dict], *, context: Context) -> RenderedClip:
        """Renders a plan.

        The files are in the scratch space of ``context`` and are removed with it, so keep the
        context as long as they are needed.
        """
        return await wait_for(lambda call, cx: self._pipeline.start_render(call, cx, plan), context)  # type: ignore[no-any-return]

    def render_sync(self, plan: Union[ClipPlan, _Dict], *, context: Context) -> RenderedClip:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_render(call, cx, plan), context)  # type: ignore[no-any-return]

    async def render_post(self, rank: int, plan: Union[ClipPlan, _Dict], *, context: Context) -> Post:
        """Renders a plan and makes the post of the clip, which can be edited and published.

        ``rank``, from 1, numbers file names. The files are in the scratch space of ``context`` and
        are removed with it, so keep the context until the post is published.
        """
        return await wait_for(lambda call, cx: self._pipeline.start_render_post(call, cx, rank, plan), context)  # type: ignore[no-any-return]

    def render_post_sync(self, rank: int, plan: Union[ClipPlan, _Dict], *, context: Context) -> Post:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_render_post(call, cx, rank, plan), context)  # type: ignore[no-any-return]

    async def publish(self, post: Union[Post, _Dict], *, context: Optional[Context] = None) -> Receipt:
        """Publishes a post. A pipeline with several targets needs :meth:`publish_to`."""
        return await wait_for(lambda call, cx: self._pipeline.start_publish(call, cx, post), context)  # type: ignore[no-any-return]

    def publish_sync(self, post: Union[Post, _Dict], *, context: Optional[Context] = None) -> Receipt:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_publish(call, cx, post), context)  # type: ignore[no-any-return]

    async def publish_to(
        self,
        target: Union[str, Target, _Dict],
        post: Union[Post, _Dict],
        *,
        context: Optional[Context] = None,
    ) -> Receipt:
        """Publishes a post to one of the :meth:`targets`.

        A string is the name of a target without an account.
        """
        return await wait_for(lambda call, cx: self._pipeline.start_publish_to(call, cx, target, post), context)  # type: ignore[no-any-return]

    def publish_to_sync(self, target: Union[str, Target, _Dict], post: Union[Post, _Dict], *, context: Optional[Context] = None) -> Receipt:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._pipeline.start_publish_to(call, cx, target, post), context)  # type: ignore[no-any-return]

    def targets(self) -> List[Target]:
        """Where the pipeline publishes.

        A model that the configuration names may be downloaded first.
        """
        return block_on(lambda call, cx: self._pipeline.start_targets(call, cx))  # type: ignore[no-any-return]

    def _run(self, input: Path) -> Start:
        return lambda call, cx: self._pipeline.start_run(call, cx, input)

    def _plan_all(self, input: Path) -> Start:
        return lambda call, cx: self._pipeline.start_plan_all(call, cx, input)

    def _plan_whole(self, input: Path, picture: WholePicture) -> Start:
        return lambda call, cx: self._pipeline.start_plan_whole(call, cx, input, picture)

    def _render_all(self, plans: Plans) -> Start:
        ranks, bare = _ranked(plans)
        return lambda call, cx: self._pipeline.start_render_all(call, cx, ranks, bare)

    def _placed(self, manifest: Manifest) -> Manifest:
        return placed(manifest, self._pipeline.staging())


#: Plans to render.
Plans = Union[Planned, Sequence[Union[RankedPlan, ClipPlan, Mapping[str, Any]]], RankedPlan, ClipPlan]


def clip(
    input: Path,
    out: Path = "clips",
    *,
    transcript: Optional[Path] = None,
    source: Any = None,
    transcriber: Any = None,
    scorer: Any = None,
    tracker: Any = None,
    renderer: Any = None,
    publisher: Any = None,
    config: Optional[Config] = None,
    on_event: Optional[OnEvent] = None,
    progress: Progress = None,
    **options: Unpack[OptionsDict],
) -> List[ManifestClip]:
    """Makes clips of a video in the folder ``out`` and returns them, best first.

    ``transcript`` is a file of captions or word times. By default, captions are looked for beside
    the video and inside it. Stages and options are those of :class:`Pipeline`.
    """
    if transcript is not None:
        if transcriber is not None:
            raise ConfigError("a transcript and a transcriber are given: one is enough")
        transcriber = Captions(transcript)
    if publisher is None:
        publisher = Folder(out)
    pipeline = Pipeline(
        source=source,
        transcriber=transcriber,
        scorer=scorer,
        tracker=tracker,
        renderer=renderer,
        publisher=publisher,
        config=config,
        **options,
    )
    return pipeline.run_sync(input, on_event=on_event, progress=progress).clips


def _document(config: Optional[Config]) -> Dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except ValueError as error:
            raise ConfigError(f"this is not a pipeline's configuration: {error}") from error
    document = plain(config)
    if not isinstance(document, dict):
        raise ConfigError("a pipeline's configuration is a dict, or JSON of one")
    return document


def _ranked(plans: Plans) -> Tuple[List[int], List[Any]]:
    """Ranks and plans. The rank of a bare plan is its position in the list, from 1."""
    if isinstance(plans, Planned):
        plans = plans.plans
    if isinstance(plans, (ClipPlan, RankedPlan)):
        plans = [plans]
    ranks: List[int] = []
    bare: List[Any] = []
    for number, plan in enumerate(plans, 1):
        document = plain(plan)
        ranks.append(document.get("rank", number) if "plan" in document else number)
        bare.append(document.get("plan", document))
    return ranks, bare
