"""Data classes with methods. They take the place of the generated classes."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from . import _clipkit, _jupyter, _types
from ._errors import Recovery as Recovery  # A class of this module, for the generated ones.

C = TypeVar("C", bound="Candidate")


class Span(_types._Span):
    """A span of a timeline in seconds: from ``start`` up to but not including ``end``."""

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return self.end - self.start

    def __contains__(self, at: float) -> bool:
        return self.start <= at < self.end


class Score(_types._Score):
    """How good a span is as a clip: ``total`` is 0 to 100, the parts are 0 to 10."""

    def __init__(
        self,
        total: float = 0.0,
        hook: float = 0.0,
        completeness: float = 0.0,
        density: float = 0.0,
        emotion: float = 0.0,
        moment: Optional[float] = None,
    ) -> None:
        super().__init__(total, hook, completeness, density, emotion)
        self.moment = moment

    @classmethod
    def from_dict(cls, value: Any) -> Score:
        """The score of a dict, or of a number, which is the total."""
        if isinstance(value, Score):
            return value
        return super().from_dict(value) if isinstance(value, Mapping) else cls(float(value))

    def __float__(self) -> float:
        return float(self.total)


class Candidate(_types._Candidate):
    """A span that could become a clip, with its score, title and reason.

    ``Candidate(12.5, 40.0, score=90, title="Opening", reason="first words")``: start and end in
    seconds of the source.
    """

    def __init__(
        self,
        start: Union[float, Span],
        end: Optional[float] = None,
        *,
        score: Union[float, Score] = 0.0,
        title: str = "",
        reason: str = "",
        hook_line: Optional[str] = None,
        description: Optional[str] = None,
        tags: Sequence[str] = (),
    ) -> None:
        if isinstance(start, _types._Span) == (end is not None):
            raise TypeError("a Candidate takes a start and an end in seconds, or a Span")
        span = start if isinstance(start, Span) else Span(start, end)  # type: ignore[arg-type]  # As was just seen.
        super().__init__(
            span, Score.from_dict(score), title, reason, hook_line=hook_line, description=description, tags=list(tags)
        )

    @classmethod
    def from_dict(cls: Type[C], value: Any) -> C:
        """The candidate of a dict.

        ``span`` may be given as ``start`` and ``end``, ``score`` as a number.
        """
        if isinstance(value, cls):
            return value
        given = dict(value)
        span = Span.from_dict(given.pop("span")) if "span" in given else Span(given.pop("start"), given.pop("end"))
        known = {name: given.pop(name) for name in ("score", "title", "reason", "hook_line", "description", "tags") if name in given}
        made = cls(span, **known)
        if "factors" in given:
            given["factors"] = [_types.Factor.from_dict(factor) for factor in given["factors"]]
        made.__dict__.update(given)
        return made


class ClipPlan(_types._ClipPlan):
    """Everything a renderer needs to make one clip. A plan can be changed and rendered again.

    All times but ``span`` are on the clip's timeline, in seconds from its first frame. All
    positions are fractions of the displayed picture.
    """

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]]) -> ClipPlan:
        """Reads the plan file of a clip."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the plan as JSON, atomically, byte for byte as the command and Node do.

        Raises :class:`InvalidInputError` if a field is missing, unknown or of another type.
        """
        text = _clipkit.plan_json(self)
        to = Path(path)
        partial = to.with_name(f".{to.name}.partial")
        try:
            partial.write_bytes(text.encode())
            partial.replace(to)
        finally:
            partial.unlink(missing_ok=True)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, Any]:
        return _jupyter.of_plan(self)


class ManifestClip(_types._ManifestClip):
    """A clip that was made. ``file``, ``plan`` and ``cover`` are as the publisher names them.

    ``path``, ``plan_path`` and ``cover_path`` are the files on this machine.
    """

    _folder: Optional[Path] = None

    def _place(self, name: Optional[str]) -> Optional[Path]:
        if name is None or "://" in name:
            return None
        return Path(name) if self._folder is None else self._folder / name

    @property
    def path(self) -> Union[Path, str]:
        """The clip's file, or its address where it is not on this machine."""
        return self._place(self.file) or self.file

    @property
    def plan_path(self) -> Optional[Path]:
        """The file of its plan. ``None`` where it is not on this machine."""
        return self._place(self.plan)

    @property
    def cover_path(self) -> Optional[Path]:
        """The file of its cover. ``None`` where it is not on this machine."""
        return self._place(self.cover)

    def read_plan(self) -> ClipPlan:
        """Its plan, read from its file."""
        path = self.plan_path
        if path is None:
            raise FileNotFoundError(f"the plan of {self.file} is not on this machine")
        return ClipPlan.load(path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, Any]:
        return _jupyter.of_clip(self)


class Manifest(_types._Manifest):
    """The result of a run: the content of ``clips.json``.

    It is also a sequence of its clips, best first.
    """

    #: The manifest is the last item of ``Pipeline.events``.
    event = "manifest"

    def __iter__(self) -> Iterator[ManifestClip]:
        return iter(self.clips)

    def __len__(self) -> int:
        return len(self.clips)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, Any]:
        return _jupyter.of_manifest(self)


class Degrade(_types._Degrade):
    """What may stand in for a stage that fails, for each kind of stage.

    ``never``, ``always``, or ``built_in``: for a built-in stage, while the exception of a stage of
    the user is the run's. An option of a pipeline: ``degrade=clipkit.Degrade.all("never")``.
    """

    @classmethod
    def all(cls, stand_in: _types.StandIn) -> Degrade:
        """The same for every stage."""
        stages: Dict[str, Any] = {field.name: stand_in for field in dataclasses.fields(cls)}
        return cls(**stages)


def placed(manifest: Manifest, folder: Optional[Path]) -> Manifest:
    """Sets the folder that the names of a manifest's clips are relative to."""
    for clip in manifest.clips:
        clip._folder = folder
    return manifest


