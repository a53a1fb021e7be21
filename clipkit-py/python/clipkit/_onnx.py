"""The ONNX Runtime library is the one of the installed package ``onnxruntime``."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import threading

from . import _clipkit
from ._errors import ConfigError, NotFoundError

_lock = threading.Lock()
_done = False


def find_library() -> None:
    """Sets the library of the installed package, once per process, unless ``ORT_DYLIB_PATH`` is
    set.

    The package is found, not imported. A process uses one ONNX Runtime, so a program that also
    imports the package shares its library.
    """
    global _done
    with _lock:
        if _done or os.environ.get("ORT_DYLIB_PATH"):
            return
        _done = True
        try:
            package = importlib.util.find_spec("onnxruntime")
        except (ImportError, ValueError):
            return
        for folder in (package.submodule_search_locations or []) if package else []:
            try:
                _clipkit.set_onnx_library(str(pathlib.Path(folder) / "capi"))
            except (ConfigError, NotFoundError):
                # A library is in use already, or the package has none. A stage that needs one says
                # so.
                pass
