"""Episodes with the moments that their editors chose: SHOW.jsonl.gz, one episode a line.

`rows` [[second, text]], `moments` [{start, end, words}], `duration`.
"""

import gzip
import json
import re
from pathlib import Path

# The opening trailer, from which the labels come, is before this second.
OPENING = 200.0
# Shorter repeats are often chance.
MIN_WORDS = 12
MARKS = re.compile(r"[.,?!;:…\"“”()—]")


class Episode:
    def __init__(self, show, line):
        self.show, self.id = show, line["id"]
        self.start, self.end = OPENING, line["duration"]
        moments = [m for m in line["moments"] if (m.get("words") or 99) >= MIN_WORDS]
        self.moments = [(m["start"], m["end"]) for m in moments]
        self.words = timed_words(line["rows"], self.start, self.end)


def load(folder, shows=()):
    """The episodes of more than 10 minutes with a moment."""
    for path in sorted(Path(folder).glob("*.jsonl.gz")):
        show = path.name.removesuffix(".jsonl.gz")
        if shows and show not in shows:
            continue
        with gzip.open(path, "rt") as lines:
            for line in lines:
                episode = Episode(show, json.loads(line))
                if episode.moments and episode.end > 600 and episode.words:
                    yield episode


def timed_words(rows, low, high):
    """The words of the rows that start in the range; a row's time is shared by letters."""
    words = []
    for n, (start, text) in enumerate(rows):
        said = text.split()
        end = rows[n + 1][0] if n + 1 < len(rows) else start + 0.35 * max(1, len(said))
        if not said or not low <= start <= high:
            continue
        end = min(max(end, start + 0.05 * len(said)), start + 0.6 * len(said) + 1)
        letters, at = sum(len(word) + 1 for word in said), start
        for word in said:
            length = (end - start) * (len(word) + 1) / letters
            words.append((word, round(at, 3), round(at + length, 3)))
            at += length
    return words


def without_punctuation(words):
    bare = [(MARKS.sub("", text).lower(), start, end) for text, start, end in words]
    return [word for word in bare if word[0] and word[0] != "-"]
