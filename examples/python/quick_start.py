"""Makes clips of a video with a custom scorer: quick_start.py [VIDEO [FOLDER]]"""

import sys

import clipkit


class Long:
    async def score(self, cx: clipkit.Context, scoring: clipkit.Scoring) -> list[clipkit.Candidate]:
        words = scoring.transcript.words
        return [clipkit.Candidate(words[0].start, words[0].start + 20, score=90, title="Opening", reason="first words")]


video, out = [*sys.argv[1:], *["talk.mp4", "clips"][len(sys.argv) - 1 :]]
for c in clipkit.clip(video, out=out, scorer=Long()):
    print(c.path, c.span.start, c.span.end, c.score.total, c.title, c.warnings)
