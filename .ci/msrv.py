"""Reads `cargo metadata` and fails if a dependency asks for a newer Rust than the version given."""

import json
import sys


def version(text):
    return tuple(int(part) for part in text.split("-")[0].split(".")) + (0,) * (2 - text.count("."))


oldest = sys.argv[1]
metadata = json.load(sys.stdin)
built = {node["id"] for node in metadata["resolve"]["nodes"]}
newer = [
    f"{package['name']} {package['version']} needs Rust {package['rust_version']}"
    for package in metadata["packages"]
    if package["id"] in built and package["rust_version"] and version(package["rust_version"]) > version(oldest)
]
if newer:
    sys.exit("\n".join([f"the manifest promises Rust {oldest}, but", *newer]))
