"""A scorer that finds laughter in the transcript, and falls back on the heuristic: laughs.py VIDEO
FOLDER

It shows what a custom stage can do: use the context, warn, call another stage, run inside layers.
"""

from __future__ import annotations

import sys

import clipkit

LAUGHTER = ("[laughter]", "(laughs)", "[laughs]", "haha")


class Laughs:
    """Takes the half minute before each laugh."""

    #: Changes whenever the answers would. The cache needs it.
    fingerprint = "laughs 1"

    async def score(self, cx: clipkit.Context, scoring: clipkit.Scoring) -> list[clipkit.Candidate]:
        found: list[clipkit.Candidate] = []
        words = scoring.transcript.words
        for number, word in enumerate(words):
            cx.check()
            cx.progress(number / len(words))
            free = not found or word.end - 30 >= found[-1].span.end
            if free and word.text.lower().strip(".,!") in LAUGHTER and word.end >= 30:
                found.append(clipkit.Candidate(word.end - 30, word.end, score=80, title="They laughed", reason="laughter at its end"))
        if not found:
            cx.warn("nobody laughs: the heuristic chooses")
            return await clipkit.Heuristic().score(cx, scoring)
        return found[: scoring.options.max_clips]


def main() -> None:
    video, out = sys.argv[1:]
    scorer = clipkit.stage(Laughs()).layer(clipkit.Timeout(60), clipkit.Cache())
    for clip in clipkit.clip(video, out, scorer=scorer, clips=4, captions="pop", preset="superfast", progress=True):
        print(clip.path, clip.title, *(warning.message for warning in clip.warnings), sep="\n  ")


if __name__ == "__main__":
    main()
