"""What the documentation shows runs as it is written, and so do the examples."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

import clipkit
import snippets

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "clipkit-py" / "README.md"]
#: The first one of each is the quick start.
PROGRAMS = [(path, number) for path in DOCUMENTS for number, _ in enumerate(snippets.of(path)) if number > 0]


@pytest.fixture
def folder(short_talk, tmp_path):
    for name in ("talk.mp4", "talk.words.json"):
        (tmp_path / name).symlink_to(short_talk.with_name(name))
    return tmp_path


def run(*arguments, cwd):
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("path", "number"), PROGRAMS, ids=lambda value: value.parent.name if isinstance(value, pathlib.Path) else value)
def test_a_readmes_program_runs(path, number, folder):
    (folder / "program.py").write_text(snippets.of(path)[number])
    assert run("program.py", cwd=folder).strip()


def test_the_quick_start_runs_as_written_everywhere(folder):
    first, second = (snippets.of(path)[0] for path in DOCUMENTS)
    assert first == second
    (folder / "program.py").write_text(first)
    path, start, end, score, title = run("program.py", cwd=folder).split(maxsplit=5)[:5]
    assert path == "clips/01-opening.mp4" and (folder / path).is_file() and title == "Opening"
    assert float(end) - float(start) == pytest.approx(20, abs=0.8) and float(score) == 90
    # The example is the same program, with a video and a folder to choose and with types.
    untyped = re.sub(r": clipkit\.\w+| -> [\w.\[\]]+", "", (ROOT / "examples" / "python" / "quick_start.py").read_text())
    same = first.replace('"talk.mp4", out="clips"', "video, out=out")
    assert all(line in untyped for line in same.splitlines() if line)


@pytest.mark.parametrize("name", ["laughs", "edit_plans", "progress", "steps", "jobs"])
def test_an_example_runs(name, folder):
    out = run(ROOT / "examples" / "python" / f"{name}.py", "talk.mp4", folder / "clips", cwd=folder)
    assert ".mp4" in out and list((folder / "clips").glob("*.mp4"))


def test_faces_by_mediapipe(folder):
    example = ROOT / "examples" / "python" / "mediapipe_faces.py"
    if importlib.util.find_spec("mediapipe") is None:
        # It says what it needs.
        done = subprocess.run([sys.executable, example, "talk.mp4", "clips"], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "pip install" in done.stderr
        pytest.skip("mediapipe is not installed")
    assert "faces followed" in run(example, "talk.mp4", folder / "clips", cwd=folder)


def test_the_documentation_names_what_there_is():
    text = (ROOT / "clipkit-py" / "README.md").read_text()
    for name in re.findall(r"clipkit\.([A-Za-z_]+)", text):
        assert hasattr(clipkit, name), name
