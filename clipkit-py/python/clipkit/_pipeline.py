"""Six stages, put together."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from . import _clipkit, _onnx
from ._call import Start, block_on, wait_for
from ._clipkit import Context
from ._data import plain
from ._errors import ConfigError
from ._made import ClipPlan, Manifest, ManifestClip, placed
from ._progress import shown
from ._stages import Captions, Folder, Path, stage_config, stage_of
from ._types import Event, PipelineConfig, Planned, RankedPlan

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._types import OptionsDict

#: The fields of a configuration that are stages, and the method that makes an object one.
_STAGES = {
    "source": "fetch",
    "transcriber": "transcribe",
    "scorer": "score",
    "tracker": "track",
    "renderer": "render",
    "publisher": "publish",
}

#: Is called with each event, in the caller's event loop or thread.
OnEvent = Callable[[Event], object]
#: ``True`` shows bars with tqdm or rich, where one is installed, else lines; or is called with the part done, 0 to 1, and what is done.
Progress = Union[bool, Callable[[float, str], object], None]
Config = Union[PipelineConfig, Mapping[str, Any], str]


class Pipeline:
    """Six stages and what is asked of them. One pipeline may run many times, also at once.

    A stage is one of clipkit's, an object of yours with the right method (``fetch``, ``transcribe``, ``score``, ``track``, ``render``,
    ``publish``; asynchronous or not), a name or configuration (``tracker="center"``), or left out: then it is as ``config`` says, or as the
    command line has it. Options are those of :class:`ClipOptions`.
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
            "publisher": publisher,
        }
        document = _document(config)
        document["options"] = {**document.get("options", {}), **plain(options)}
        stages = []
        for name, method in _STAGES.items():
            stage = given[name]
            if stage is None:
                continue
            config_of_stage = stage_config(stage)
            if config_of_stage is None:
                stages.append(stage_of(method, stage))
            else:
                document[name] = config_of_stage
        self._pipeline = _clipkit.Pipeline(stages, document)

    async def run(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """Makes clips of the video at ``input`` and hands them to the publisher.

        Cancelling the task stops it within a second, and nothing half made stays. An exception of ``on_event`` does the same.
        """
        with shown(on_event, progress) as show:
            return self._placed(await wait_for(self._run(input), context, show))

    def run_sync(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """The same, waited for in this thread. Ctrl-C stops it within a second."""
        with shown(on_event, progress) as show:
            return self._placed(block_on(self._run(input), context, show))

    async def events(self, input: Path) -> AsyncIterator[Union[Event, Manifest]]:
        """Makes clips, and answers what happens while it does; the manifest comes last. Leaving the loop stops the run."""
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

    async def plan(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Planned:
        """Plans clips and makes none."""
        with shown(on_event, progress) as show:
            return await wait_for(self._plan(input), context, show)  # type: ignore[no-any-return]

    def plan_sync(
        self, input: Path, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Planned:
        """The same, waited for in this thread."""
        with shown(on_event, progress) as show:
            return block_on(self._plan(input), context, show)  # type: ignore[no-any-return]

    async def render(
        self, plans: Plans, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """Makes the clips that plans describe: those of :meth:`plan`, changed or not, or plans read from files, in order of rank."""
        with shown(on_event, progress) as show:
            return self._placed(await wait_for(self._render(plans), context, show))

    def render_sync(
        self, plans: Plans, *, on_event: Optional[OnEvent] = None, progress: Progress = None, context: Optional[Context] = None
    ) -> Manifest:
        """The same, waited for in this thread."""
        with shown(on_event, progress) as show:
            return self._placed(block_on(self._render(plans), context, show))

    def _run(self, input: Path) -> Start:
        return lambda call, cx: self._pipeline.start_run(call, cx, input)

    def _plan(self, input: Path) -> Start:
        return lambda call, cx: self._pipeline.start_plan(call, cx, input)

    def _render(self, plans: Plans) -> Start:
        ranks, bare = _ranked(plans)
        return lambda call, cx: self._pipeline.start_render(call, cx, ranks, bare)

    def _placed(self, manifest: Manifest) -> Manifest:
        return placed(manifest, self._pipeline.folder())


#: Plans to be rendered.
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
    """Makes clips of a video into the folder ``out`` and answers them, best first.

    ``transcript`` is a file of captions or word times; without it they are looked for beside the video and inside it. Stages and options are
    those of :class:`Pipeline`.
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
    """Ranks and plans. A plan without a rank has its place in the list."""
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
