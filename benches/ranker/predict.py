#!/usr/bin/env python3
"""Has the clipkit command choose clips of episodes, for `clipkit eval choice`.

usage: predict.py CLIPKIT EPISODES FOLDER [--bare] [--limit N] [--show SHOW] [ARGUMENT ...]

EPISODES is a folder of SHOW.jsonl.gz (see episodes.py). Writes FOLDER/ID.json, what `clipkit score` chose of
each episode, and FOLDER/SHOW.jsonl, the moments. --bare leaves out the punctuation, --limit takes the first N
episodes of each show; further arguments go to `clipkit score`. Then:

clipkit eval choice FOLDER FOLDER/*.jsonl --after 200 --min-words 12
"""

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import episodes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clipkit")
    parser.add_argument("episodes")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bare", action="store_true", help="without punctuation")
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--show", action="append", default=[])
    args, further = parser.parse_known_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    seen, lines = Counter(), {}
    for episode in episodes.load(args.episodes, args.show):
        seen[episode.show] += 1
        if seen[episode.show] > args.limit:
            continue
        words = episodes.without_punctuation(episode.words) if args.bare else episode.words
        with tempfile.NamedTemporaryFile("w", suffix=".json") as transcript:
            said = [{"text": text, "start": start, "end": end} for text, start, end in words]
            json.dump({"language": "en", "words": said}, transcript)
            transcript.flush()
            output = args.folder / f"{episode.id}.json"
            subprocess.run(
                [args.clipkit, "score", transcript.name, "--clips", "10", "--scorer", "heuristic", "--output", output, *further], check=True
            )
        moments = [{"start": start, "end": end} for start, end in episode.moments]
        line = {"id": episode.id, "duration": episode.end, "moments": moments}
        lines.setdefault(episode.show, []).append(json.dumps(line))
    for show, found in lines.items():
        (args.folder / f"{show}.jsonl").write_text("\n".join(found) + "\n")


if __name__ == "__main__":
    main()
