"""What goes around a stage. The last one given is the outermost and sees a call first: the order matters."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Mapping, Optional, Union

from . import _types
from ._data import plain


class _Layer:
    _layer: ClassVar[str]

    def _config(self) -> Dict[str, Any]:
        return {self._layer: plain(self)}


class Retry(_types._Retry, _Layer):
    """Calls again what failed, where the error's ``recovery`` says that this may help.

    At most ``attempts``, the first included; after ``first`` seconds, then ``factor`` times longer each time, up to ``longest``, with up to
    half as much again at random; as long as the other side asks, where it does.
    """

    _layer = "retry"

    @classmethod
    def times(cls, attempts: int) -> Retry:
        """At most so many attempts, the first included."""
        return cls(attempts=attempts)


class RateLimit(_types._RateLimit, _Layer):
    """Lets so many calls begin in any minute, in any day."""

    _layer = "rate_limit"

    def __init__(self, per_minute: Optional[int] = None, per_day: Optional[int] = None) -> None:
        if per_minute is None and per_day is None:
            per_minute = 5
        super().__init__(per_day=per_day, per_minute=per_minute)


class Concurrency(_types._Concurrency, _Layer):
    """Lets ``at_once`` calls run at a time, in all runs together."""

    _layer = "concurrency"


class Timeout(_types._Timeout, _Layer):
    """Cancels what takes longer than ``seconds``."""

    _layer = "timeout"


class Cache(_types._Cache, _Layer):
    """Does the same work once: for transcribers, scorers and trackers.

    ``store`` is a folder or an address (``s3://bucket/prefix``, ``gs://``, ``az://``); none is the user's cache folder. ``keep`` is in
    seconds. A stage of yours says with ``fingerprint`` (an attribute or a method) what decides its answers besides the input, or ``about`` does.
    """

    _layer = "cache"


#: A layer, or its configuration: ``{"retry": {"attempts": 5}}``.
Layer = Union[Retry, RateLimit, Concurrency, Timeout, Cache, Mapping[str, Any]]


def config_of(layer: Layer) -> Dict[str, Any]:
    """What the crate is told of a layer."""
    return layer._config() if isinstance(layer, _Layer) else dict(layer)
