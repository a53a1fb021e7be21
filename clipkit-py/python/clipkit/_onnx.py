"""The ONNX Runtime library is the one of the installed package ``onnxruntime``."""

from __future__ import annotations

import importlib.util
import pathlib
import threading

from . import _clipkit

_lock = threading.Lock()
_told = False


def find_library() -> None:
    """Tells the crate where the library of the installed package is, once. The package is found, not imported.

    ``ORT_DYLIB_PATH`` goes before it.
    """
    global _told
    with _lock:
        if _told:
            return
        _told = True
        try:
            package = importlib.util.find_spec("onnxruntime")
        except (ImportError, ValueError):
            return
        for folder in (package.submodule_search_locations or []) if package else []:
            _clipkit.onnx_runtime_in(str(pathlib.Path(folder) / "capi"))
