"""What can go wrong: one class for each kind, all of them a :class:`ClipkitError`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Type, Union

if TYPE_CHECKING:
    from ._types import ErrorReport


class Recovery:
    """What to do next about an error.

    ``action`` is ``retry`` (not before ``after`` seconds, where that is set),
    ``refresh_credentials``, ``reencode``, ``wait_until`` (the time ``until``) or ``give_up``: the
    same call will fail again.
    """

    __slots__ = ("action", "after", "until")

    def __init__(self, action: str = "give_up", *, after: Optional[float] = None, until: Optional[datetime] = None) -> None:
        self.action = action
        self.after = after
        self.until = until

    @classmethod
    def retry(cls, after: Optional[float] = None) -> Recovery:
        """Try again, not before ``after`` seconds."""
        return cls("retry", after=after)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.action == other
        if not isinstance(other, Recovery):
            return NotImplemented
        return (self.action, self.after, self.until) == (other.action, other.after, other.until)

    def __hash__(self) -> int:
        return hash(self.action)

    def __str__(self) -> str:
        return self.action

    def __repr__(self) -> str:
        more = [f"{name}={value!r}" for name, value in (("after", self.after), ("until", self.until)) if value is not None]
        return f"Recovery({', '.join([repr(self.action), *more])})"

    @classmethod
    def from_dict(cls, value: Union[Recovery, Mapping[str, Any]]) -> Recovery:
        """The recovery of a dict: ``until`` is in seconds since 1970."""
        if isinstance(value, Recovery):
            return value
        until = value.get("until")
        return cls(
            value["action"],
            after=value.get("after"),
            until=None if until is None else datetime.fromtimestamp(until, timezone.utc),
        )

    def to_dict(self) -> Dict[str, Any]:
        """The plain dict, ready for JSON."""
        fields = {"action": self.action, "after": self.after, "until": self.until.timestamp() if self.until else None}
        return {name: value for name, value in fields.items() if value is not None}


class ClipkitError(Exception):
    """An error of clipkit. ``kind`` is its class, ``recovery`` what to do next.

    A stage can raise one to set these: a ``Retry`` around the stage follows its ``recovery``.
    """

    #: ``not_found``, ``invalid_input``, ``no_transcript`` and so on. Each kind has a subclass.
    kind: str = "contract"

    def __init__(
        self,
        message: str,
        *,
        kind: Optional[str] = None,
        stage: Optional[str] = None,
        recovery: Optional[Recovery] = None,
        advice: Optional[str] = None,
        path: Optional[Path] = None,
        at: Optional[float] = None,
        url: Optional[str] = None,
        text: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind
        #: What happened. ``str()`` adds the file's name, the time in it and the advice.
        self.message = message
        #: The stage that failed: ``source``, ``transcribe``, ``score``, ``track``, ``plan``,
        #: ``render``, ``publish``.
        self.stage = stage
        #: What a program can do.
        self.recovery = recovery or Recovery()
        #: What a person can do.
        self.advice = advice
        #: The file concerned.
        self.path = path
        #: The time in it, in seconds.
        self.at = at
        #: The address concerned, without user, password and query.
        self.url = url
        self._text = text

    def report(self) -> ErrorReport:
        """The error as a document, for a queue, a log or a service."""
        from ._types import ErrorReport

        return ErrorReport.from_dict(report(self))

    @staticmethod
    def from_report(report: Union[ErrorReport, Mapping[str, Any]]) -> ClipkitError:
        """The exception that a document describes, of the subclass of its kind."""
        from . import _clipkit

        return _clipkit.exception(report)  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return self._text or self.message

    def __reduce__(self) -> Any:
        return _restore, (type(self), self.message, self.__dict__.copy())


def _restore(cls: Type[ClipkitError], message: str, state: Dict[str, Any]) -> ClipkitError:
    error = cls(message)
    error.__dict__.update(state)
    return error


class NotFoundError(ClipkitError, FileNotFoundError):
    """A file, model or address that was named does not exist."""

    kind = "not_found"

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message, **more)
        # The attributes that every OSError has.
        self.errno = errno.ENOENT
        self.strerror = message
        self.filename = str(self.path) if self.path is not None else None


class InvalidInputError(ClipkitError):
    """An input exists but cannot be used: not media, broken, without a picture, of no length."""

    kind = "invalid_input"


class TooLargeError(ClipkitError, ValueError):
    """An input, a download or an answer exceeds one of the limits."""

    kind = "too_large"


class NoTranscriptError(ClipkitError):
    """There is no transcript and no way to make one."""

    kind = "no_transcript"


class NothingFoundError(ClipkitError):
    """The input is fine, but holds nothing worth a clip."""

    kind = "nothing_found"


class InvalidPlanError(ClipkitError):
    """A plan that cannot be rendered: another version, unknown fields, values out of range."""

    kind = "invalid_plan"


class ConfigError(ClipkitError, ValueError):
    """A setting contradicts another or is out of range."""

    kind = "config"


class Cancelled(ClipkitError):
    """The caller cancelled the work."""

    kind = "cancelled"


class FileError(ClipkitError, OSError):
    """The file system refused: permissions, names, a full disk."""

    kind = "io"


class DecodeError(ClipkitError):
    """A packet or frame of the input could not be decoded."""

    kind = "decode"


class EncodeError(ClipkitError):
    """The encoder or muxer failed."""

    kind = "encode"


class CaptionsError(ClipkitError):
    """The captions of a plan could not be drawn: the text library or its fonts are missing or
    refused them.
    """

    kind = "captions"


class OverlayError(ClipkitError):
    """An overlay of a plan could not be drawn: its image file is missing, too large, or not a
    picture that can be read.
    """

    kind = "overlay"


class UnavailableError(ClipkitError):
    """A library or model needed for this step is not on this machine."""

    kind = "unavailable"


class NetworkError(ClipkitError, ConnectionError):
    """A request over the network failed."""

    kind = "network"


class RateLimitedError(ClipkitError):
    """A server asks for fewer requests."""

    kind = "rate_limited"


class DeniedError(ClipkitError, PermissionError):
    """A server refuses the credentials, or asks for some."""

    kind = "denied"


class TimedOutError(ClipkitError, TimeoutError):
    """A stage took longer than it was given."""

    kind = "timed_out"


class ContractError(ClipkitError):
    """A stage answered something outside its contract."""

    kind = "contract"


_KINDS: Dict[str, Type[ClipkitError]] = {
    cls.kind: cls
    for cls in (
        NotFoundError,
        InvalidInputError,
        TooLargeError,
        NoTranscriptError,
        NothingFoundError,
        InvalidPlanError,
        ConfigError,
        Cancelled,
        FileError,
        DecodeError,
        EncodeError,
        CaptionsError,
        OverlayError,
        UnavailableError,
        NetworkError,
        RateLimitedError,
        DeniedError,
        TimedOutError,
        ContractError,
    )
}


def make(document: str, text: str) -> ClipkitError:
    """The exception for an error report in JSON. ``text`` is what ``str()`` returns.

    A kind that this version does not know is a plain :class:`ClipkitError`.
    """
    fields = json.loads(document)
    path = fields.pop("path", None)
    return _KINDS.get(fields["kind"], ClipkitError)(
        fields.pop("message"),
        recovery=Recovery.from_dict(fields.pop("recovery")),
        path=None if path is None else Path(path),
        text=text,
        **fields,
    )


def report(raised: BaseException) -> Dict[str, Any]:
    """The error report of an exception, as a dict."""
    if isinstance(raised, ClipkitError):
        fields = {
            "kind": raised.kind if raised.kind in _KINDS else "contract",
            "stage": raised.stage,
            "message": raised.message,
            "advice": raised.advice,
            "recovery": raised.recovery.to_dict(),
            "path": None if raised.path is None else str(raised.path),
            "at": raised.at,
            "url": raised.url,
        }
        return {name: value for name, value in fields.items() if value is not None}
    kind, action = "contract", "give_up"
    if isinstance(raised, (asyncio.CancelledError, concurrent.futures.CancelledError)):
        kind = "cancelled"
    elif isinstance(raised, (TimeoutError, asyncio.TimeoutError, concurrent.futures.TimeoutError)):
        kind, action = "timed_out", "retry"
    elif isinstance(raised, ConnectionError):
        kind, action = "network", "retry"
    elif isinstance(raised, FileNotFoundError):
        kind = "not_found"
    elif isinstance(raised, ImportError):
        kind = "unavailable"
    elif isinstance(raised, OSError):
        kind = "io"
    message = " ".join(str(raised).split())
    name = type(raised).__name__
    return {"kind": kind, "message": f"{name}: {message}" if message else name, "recovery": {"action": action}}
