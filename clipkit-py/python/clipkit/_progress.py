"""The progress of a run as one fraction and one line, and its display."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional, Tuple, Union

if TYPE_CHECKING:
    from ._types import Event

Shown = Callable[["Event"], object]
Told = Callable[[float, str], object]

#: The approximate share of a run's time of each stage: once a run, and once a clip.
_ONCE = {"source": 0.03, "transcribe": 0.05, "score": 0.02}
_EACH = {"track": 0.25, "plan": 0.05, "render": 0.65, "publish": 0.05}


class Fraction:
    """The fraction of a run that is done, computed from its events. It never decreases."""

    def __init__(self) -> None:
        self.clips = 0
        self.parts: Dict[Tuple[str, Optional[int]], float] = {}
        self.done = 0.0
        self.doing = ""

    def hear(self, event: Any) -> Tuple[float, str]:
        """The fraction done after an event, and what is being done."""
        stage: str = getattr(event, "stage", "")
        clip: Optional[int] = getattr(event, "clip", None)
        if event.event == "planned":
            self.clips = event.clips
            self.doing = f"{event.clips} clips"
        elif event.event == "started":
            self.doing = stage if clip is None else f"{stage} clip {clip} of {self.clips}"
            self.parts.setdefault((stage, clip), 0.0)
        elif event.event == "progress":
            self.parts[stage, clip] = max(self.parts.get((stage, clip), 0.0), event.fraction)
        elif event.event == "finished":
            self.parts[stage, clip] = 1.0
        once = sum(share * self.parts.get((stage, None), 0.0) for stage, share in _ONCE.items())
        each = sum(_EACH.get(stage, 0.0) * part for (stage, clip), part in self.parts.items() if clip is not None)
        self.done = max(self.done, min(1.0, once + (1 - sum(_ONCE.values())) * each / max(self.clips, 1)))
        return self.done, self.doing


@contextlib.contextmanager
def shown(on_event: Optional[Shown], progress: Union[bool, Told, None]) -> Iterator[Optional[Shown]]:
    """The listener of one run: it calls the user's callback and updates the display."""
    if not progress:
        yield on_event
        return
    with contextlib.ExitStack() as stack:
        tell = progress if callable(progress) else stack.enter_context(_display())
        fraction = Fraction()

        def hear(event: Event) -> None:
            tell(*fraction.hear(event))
            if on_event is not None:
                on_event(event)

        yield hear


def _display() -> contextlib.AbstractContextManager[Told]:
    if importlib.util.find_spec("tqdm"):
        return _tqdm()
    if importlib.util.find_spec("rich"):
        return _rich()
    return _lines()


@contextlib.contextmanager
def _tqdm() -> Iterator[Told]:
    from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]

    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=1.0, bar_format=layout) as bar:

        def tell(done: float, doing: str) -> None:
            bar.set_description(doing, refresh=False)
            bar.update(done - bar.n)

        yield tell


@contextlib.contextmanager
def _rich() -> Iterator[Told]:
    from rich.progress import Progress

    with Progress(transient=True) as bars:
        bar = bars.add_task("", total=1.0)
        yield lambda done, doing: bars.update(bar, completed=done, description=doing)


@contextlib.contextmanager
def _lines() -> Iterator[Told]:
    said = ""

    def tell(done: float, doing: str) -> None:
        nonlocal said
        if doing != said:
            said = doing
            print(f"{done:4.0%} {doing}", file=sys.stderr)

    yield tell
