"""Small videos that are drawn here, and a folder of its own for each test."""

import json
import pathlib
import subprocess

import pytest

import clipkit

CASES = pathlib.Path(__file__).parents[2] / "clipkit" / "tests" / "cases" / "cases.json"

#: Quick to make: small, no captions to lay out, no model.
QUICK = {"tracker": "center", "preset": "ultrafast", "captions": "none", "min": 5, "max": 14}


def draw(arguments, out):
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments.replace("{out}", str(out)).split()]
    subprocess.run(command, check=True)


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    """The fixtures of the table of capabilities: videos and transcripts."""
    folder = tmp_path_factory.mktemp("desk")
    fixtures = json.loads(CASES.read_text())["fixtures"]
    for name, arguments in fixtures["videos"].items():
        draw(arguments, folder / name)
    for name, content in fixtures["texts"].items():
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="session")
def talk(desk):
    """36 s of test picture, with the words that are said."""
    return desk / "talk.mp4"


@pytest.fixture(scope="session")
def short_talk(tmp_path_factory, talk):
    """Its first 21 s, enough for one clip: the documented programs run unchanged and quickly."""
    folder = tmp_path_factory.mktemp("short")
    draw(f"-i {talk} -t 21 -c copy {{out}}", folder / "talk.mp4")
    words = json.loads(talk.with_name("talk.words.json").read_text())
    (folder / "talk.words.json").write_text(json.dumps([word for word in words if word[2] < 19.1]))
    return folder / "talk.mp4"


@pytest.fixture(scope="session")
def long_talk(tmp_path_factory, talk):
    """Large enough that its encode can be stopped in the middle."""
    folder = tmp_path_factory.mktemp("long")
    video = folder / "long.mp4"
    draw("-f lavfi -i testsrc2=s=1280x720:r=30:d=60 -f lavfi -i sine=r=48000:d=60 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac {out}", video)
    words = [[f"word{n}.", n * 0.5, n * 0.5 + 0.4] for n in range(1, 115)]
    (folder / "long.words.json").write_text(json.dumps(words))
    return video


class First:
    """Chooses the first seconds."""

    def __init__(self, seconds=6.0):
        self.seconds = seconds
        self.calls = 0

    async def score(self, cx, scoring):
        self.calls += 1
        start = scoring.transcript.words[0].start
        return [clipkit.Candidate(start, start + self.seconds, score=90, title="Opening", reason="first words")]


@pytest.fixture
def first():
    return First()
