"""Ends well if all of requirements-dev.txt is installed: then no index has to be asked."""

import importlib.metadata
import pathlib
import re

for line in pathlib.Path(__file__).with_name("requirements-dev.txt").read_text().splitlines():
    if name := re.match(r"[A-Za-z0-9_-]+", line):
        importlib.metadata.version(name.group())
