"""clipkit turns one long video into ranked, vertical, captioned short clips.

``clipkit.clip("talk.mp4", out="clips")`` makes them in one call. :class:`Pipeline` puts stages together: clipkit's own, and objects of yours
with the right method. Clip plans can be changed and rendered again. What is made of data can be given as a dict, too.
"""

from __future__ import annotations

import atexit

from . import _clipkit, _types
from ._types import *  # noqa: F403  # The generated data, all of it.
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
    UnavailableError,
)
from ._layers import Cache, Concurrency, Layer, RateLimit, Retry, Timeout
from ._made import Candidate, ClipPlan, Manifest, ManifestClip, Score, Span
from ._pipeline import Pipeline, clip
from ._stages import (
    Captions,
    CenterTracker,
    FaceTracker,
    FfmpegRenderer,
    FileSource,
    Folder,
    Heuristic,
    LocalTranscriber,
    MotionTracker,
    OnnxTracker,
    OpenAiScorer,
    OpenAiTranscriber,
    Publisher,
    Renderer,
    Scorer,
    Source,
    Transcriber,
    stage,
)
from ._tools import (
    Model,
    ModelStore,
    caption_style,
    contact_sheet,
    contact_sheet_async,
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
    "DeniedError",
    "EncodeError",
    "FaceTracker",
    "FfmpegRenderer",
    "FileError",
    "FileSource",
    "Folder",
    "Frame",
    "Heuristic",
    "InvalidInputError",
    "InvalidPlanError",
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
    "TimedOutError",
    "Timeout",
    "Transcriber",
    "UnavailableError",
    "Unknown",
    "__version__",
    "caption_style",
    "clip",
    "contact_sheet",
    "contact_sheet_async",
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

# What runs in daemon threads stops with the interpreter, and takes its half made files with it.
atexit.register(_clipkit.shut_down)
