"""The command: ``python -m clipkit``."""

from __future__ import annotations

import signal
import sys

from . import _clipkit, _onnx


def main() -> None:
    """Does what the arguments ask for and ends the process with the command's exit code."""
    _onnx.find_library()
    # The command hears of Ctrl-C itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_clipkit.run_command(["clipkit", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
