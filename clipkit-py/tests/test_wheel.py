"""The wheel in a new virtual environment, on a machine without FFmpeg's libraries.

The wheel is the one that CLIPKIT_WHEEL names; `.ci/python` builds it. The libraries are hidden in a mount namespace of the test's own.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import textwrap
import zipfile

import pytest

WHEEL = os.environ.get("CLIPKIT_WHEEL")
pytestmark = pytest.mark.skipif(not WHEEL, reason="CLIPKIT_WHEEL names no wheel")

HIDE = """
set -eu
shopt -s nullglob
for library in /usr/lib/*/lib{avcodec,avformat,avfilter,avutil,avdevice,swscale,swresample,postproc,x264,x265,ass}.so*; do
    mount --bind /dev/null "$library"
done
exec "$@"
"""


def unshared():
    """The command that runs another where mounts are its own; none where that is not permitted."""
    for command in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if shutil.which("unshare") and subprocess.run([*command, "mount", "--bind", "/dev/null", "/dev/null"], capture_output=True).returncode == 0:
            return command
    return None


def test_licence_texts_are_inside():
    names = zipfile.ZipFile(WHEEL).namelist()
    inside = {name.split(".dist-info/licenses/", 1)[1] for name in names if ".dist-info/licenses/" in name}
    assert {"LICENSE-MIT", "LICENSE-APACHE", "libraries/README.md", "libraries/GPL-2.txt"} <= inside
    assert any(name.startswith("libraries/libavcodec") for name in inside) and any("x264" in name for name in inside)
    # Each library that is inside is accounted for.
    text = zipfile.ZipFile(WHEEL).read(next(name for name in names if name.endswith("libraries/README.md"))).decode()
    for library in ("libavcodec", "libavfilter", "libx264", "libass"):
        assert f"- {library}" in text and any(f"clipkit_py.libs/{library}" in name for name in names)
    assert "clipkit/py.typed" in names and "clipkit/_clipkit.pyi" in names


def test_it_runs_without_the_systems_ffmpeg(talk, tmp_path):
    private = unshared()
    if private is None:
        pytest.skip("mount namespaces are not permitted here")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WHEEL], check=True)
    program = f"""
        import pathlib, clipkit

        class First:
            def score(self, cx, scoring):
                return [clipkit.Candidate(1, 7, score=90, title="Opening")]

        clips = clipkit.clip({str(talk)!r}, {str(tmp_path / "out")!r}, scorer=First(), min=5, preset="ultrafast", tracker="motion")
        print(clips[0].path, clips[0].warnings)
        maps = pathlib.Path("/proc/self/maps").read_text()
        libraries = {{line.split()[-1] for line in maps.splitlines() if "/libavcodec" in line}}
        assert libraries and all("clipkit_py.libs" in library for library in libraries), libraries
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ORT_DYLIB_PATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")}
    hidden = [*private, "bash", "-c", HIDE, "hide"]
    without = subprocess.run([*hidden, "ffmpeg", "-version"], capture_output=True, text=True)
    assert without.returncode != 0, "the libraries were not hidden"
    run = subprocess.run([*hidden, python, "-c", textwrap.dedent(program)], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stderr
    assert pathlib.Path(run.stdout.split()[0]).is_file()
    command = subprocess.run([*hidden, tmp_path / "venv" / "bin" / "clipkit", "probe", talk], env=environment, capture_output=True, text=True, timeout=60)
    assert command.returncode == 0 and "320" in command.stdout, command.stderr
