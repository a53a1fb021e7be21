"""Layers around a stage. The last layer given is the outermost: it receives a call first."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Mapping, Optional, Union

from . import _types
from ._data import plain


class _Layer:
    _layer: ClassVar[str]

    def _config(self) -> Dict[str, Any]:
        return {self._layer: plain(self)}


class Retry(_types._Retry, _Layer):
    """Repeats a failed call where the error's ``recovery`` is ``retry``.

    There are at most ``attempts`` calls, the first included. The delay is ``first`` seconds, then
    ``factor`` times longer each time, up to ``longest``, plus up to half of it at random. Where the
    server asks for a delay, that is used.
    """

    _layer = "retry"

    @classmethod
    def times(cls, attempts: int) -> Retry:
        """At most this number of attempts, the first included."""
        return cls(attempts=attempts)


class RateLimit(_types._RateLimit, _Layer):
    """Limits how many calls begin in any minute and in any day."""

    _layer = "rate_limit"

    def __init__(self, per_minute: Optional[int] = None, per_day: Optional[int] = None) -> None:
        if per_minute is None and per_day is None:
            per_minute = 5
        super().__init__(per_day=per_day, per_minute=per_minute)


class Concurrency(_types._Concurrency, _Layer):
    """Limits concurrent calls to ``at_once``, over all runs."""

    _layer = "concurrency"


class Timeout(_types._Timeout, _Layer):
    """Cancels a call that takes longer than ``seconds``."""

    _layer = "timeout"


class Cache(_types._Cache, _Layer):
    """Keeps answers of transcribers, scorers and trackers.

    ``store`` is a folder or an address (``s3://bucket/prefix``, ``gs://``, ``az://``). ``None`` is
    the user's cache folder. ``keep`` is in seconds. A Python stage needs a ``fingerprint`` (an
    attribute or a method): a string that changes whenever its answers would. ``about`` is an
    alternative to it.
    """

    _layer = "cache"


#: A layer, or its configuration: ``{"retry": {"attempts": 5}}``.
Layer = Union[Retry, RateLimit, Concurrency, Timeout, Cache, Mapping[str, Any]]


def config_of(layer: Layer) -> Dict[str, Any]:
    """The configuration of a layer."""
    return layer._config() if isinstance(layer, _Layer) else dict(layer)
