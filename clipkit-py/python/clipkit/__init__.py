"""clipkit turns one long video into ranked, vertical, captioned short clips.

``clipkit.clip("talk.mp4", out="clips")`` makes them in one call. :class:`Pipeline` composes stages:
built-in ones, and any object with the right method. Its steps are methods of their own. Clip plans
can be changed and rendered again. Every data class has ``to_dict`` and ``from_dict``, and a dict of
the same shape is accepted in its place.
"""

from __future__ import annotations

import atexit

from . import _clipkit, _types
from ._types import *  # noqa: F403
from ._clipkit import Context, Frame
from ._data import Data, Unknown
from ._errors import (
    Cancelled,
    CaptionsError,
    ClipkitError,
    ConfigError,
    ContractError,
    DecodeError,
    DeniedError,
    EncodeError,
    FileError,
    InvalidInputError,
    InvalidPlanError,
    NetworkError,
    NoTranscriptError,
    NotFoundError,
    NothingFoundError,
    RateLimitedError,
    Recovery,
    TimedOutError,
    TooLargeError,
    UnavailableError,
)
from ._jobs import Jobs, Worker
from ._layers import Cache, Concurrency, Layer, RateLimit, Retry, Timeout
from ._made import Candidate, ClipPlan, Degrade, Manifest, ManifestClip, Score, Span
from ._pipeline import Pipeline, clip
from ._stages import (
    AutoSource,
    Captions,
    CenterTracker,
    FaceTracker,
    FfmpegRenderer,
    FileSource,
    Folder,
    Heuristic,
    HttpSource,
    Instagram,
    LocalTranscriber,
    MotionTracker,
    ObjectStorePublisher,
    ObjectStoreSource,
    OnnxTracker,
    OpenAiScorer,
    OpenAiTranscriber,
    Publisher,
    Renderer,
    Scorer,
    Source,
    TikTok,
    Transcriber,
    Webhook,
    YouTube,
    YtDlp,
    stage,
)
from ._tools import (
    Model,
    ModelStore,
    caption_style,
    contact_sheet,
    contact_sheet_async,
    doctor,
    edit,
    frames,
    probe,
    score,
    score_async,
    to_numpy,
    track,
    track_async,
    transcribe,
    transcribe_async,
)
#: The version of the package, and of the crate inside.
__version__: str = _clipkit.version()

__all__ = [
    "AutoSource",
    "Cache",
    "Cancelled",
    "Candidate",
    "Captions",
    "CaptionsError",
    "CenterTracker",
    "ClipPlan",
    "ClipkitError",
    "Concurrency",
    "ConfigError",
    "Context",
    "ContractError",
    "Data",
    "DecodeError",
    "Degrade",
    "DeniedError",
    "EncodeError",
    "FaceTracker",
    "FfmpegRenderer",
    "FileError",
    "FileSource",
    "Folder",
    "Frame",
    "Heuristic",
    "HttpSource",
    "Instagram",
    "InvalidInputError",
    "InvalidPlanError",
    "Jobs",
    "Layer",
    "LocalTranscriber",
    "Manifest",
    "ManifestClip",
    "Model",
    "ModelStore",
    "MotionTracker",
    "NetworkError",
    "NoTranscriptError",
    "NotFoundError",
    "NothingFoundError",
    "ObjectStorePublisher",
    "ObjectStoreSource",
    "OnnxTracker",
    "OpenAiScorer",
    "OpenAiTranscriber",
    "Pipeline",
    "Publisher",
    "RateLimit",
    "RateLimitedError",
    "Recovery",
    "Renderer",
    "Retry",
    "Score",
    "Scorer",
    "Source",
    "Span",
    "TikTok",
    "TimedOutError",
    "TooLargeError",
    "Timeout",
    "Transcriber",
    "UnavailableError",
    "Unknown",
    "Worker",
    "YouTube",
    "YtDlp",
    "__version__",
    "caption_style",
    "clip",
    "contact_sheet",
    "contact_sheet_async",
    "doctor",
    "edit",
    "frames",
    "probe",
    "score",
    "score_async",
    "stage",
    "to_numpy",
    "track",
    "track_async",
    "transcribe",
    "transcribe_async",
]
__all__ += _types.__all__

# Calls in daemon threads are cancelled when the interpreter ends, and their incomplete files
# removed.
atexit.register(_clipkit.shut_down)
