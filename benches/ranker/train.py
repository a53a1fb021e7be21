#!/usr/bin/env python3
"""Trains the model that chooses moments, and prints what it finds in shows left out of training.

usage: train.py EPISODES [--output MODEL.json] [--folds FOLDER] [--date DATE]

EPISODES is a folder of SHOW.jsonl.gz (see episodes.py). The word lists are lists.json; the valence of
words is VADER's (MIT), from the package vaderSentiment.

pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 vaderSentiment==3.3.2
"""

import argparse
import datetime
import json
from collections import Counter
from pathlib import Path

import numpy as np
import vaderSentiment.vaderSentiment as vader

import choice
import episodes
import model

LISTS = json.loads((Path(__file__).parent / "lists.json").read_text())
# A word of VADER's list is kept if so many episodes have it.
VALENCE_EPISODES = 5


def valence(all_episodes):
    """VADER's words that the episodes say."""
    import features

    heard = Counter()
    for episode in all_episodes:
        heard.update({features.key(text) for text, _, _ in episode.words})
    path = Path(vader.__file__).with_name("vader_lexicon.txt")
    entries = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {entry[0]: float(entry[1]) for entry in entries if len(entry) > 1 and heard[entry[0]] >= VALENCE_EPISODES}


def row(name, rows):
    ours, at_random, even = rows.mean(axis=0)
    return {
        "show": name,
        "episodes": len(rows),
        "found": round(float(ours), 3),
        "random": round(float(at_random), 3),
        "even": round(float(even), 3),
        "lift": round(float(ours / max(at_random, even)), 2),
    }


def left_out(talks, shows, fits):
    """What each show's episodes give with the model of the other shows, for both forms."""
    results = {}
    for form, name in enumerate(("punctuated", "bare")):
        measured = []
        for show in shows:
            numbers, fitted = fits[show]
            mine = [talk for talk in talks[form::2] if talk.show == show]
            measured.append(choice.measure([(talk, choice.pick(talk, model.scores(talk, numbers, fitted))) for talk in mine]))
        table = [row(show, rows) for show, rows in zip(shows, measured)]
        low, high = choice.interval(measured)
        lift = choice.lift(measured)
        results[name] = {"shows": table, "lift": round(float(lift), 2), "low": round(float(low), 2), "high": round(float(high), 2)}
        print(name)
        for line in table:
            print("  {show:10} {episodes:4} episodes  found {found:.3f}  random {random:.3f}  even {even:.3f}  lift {lift:.2f}".format(**line))
        print(f"  all        lift {lift:.2f} (95 % {low:.2f} to {high:.2f})", flush=True)
    return results


def trained(talks):
    numbers = model.vocabulary(talks[::2])
    return numbers, model.fit(talks, numbers)


def document(talks, fitted, numbers, lexicon, columns, args, results):
    coefficients, weights, bias = fitted
    count = len(columns)
    scale = float(np.abs(weights).max()) / 127
    number = lambda value: float(f"{value:.5g}")
    return {
        "version": 1,
        "date": args.date,
        "labels": f"Moments that the editors of {len({talk.show for talk in talks})} podcasts put into the opening trailer, "
        f"{len(talks) // 2} episodes, {sum(len(talk.moments) for talk in talks[::2])} moments of at least {episodes.MIN_WORDS} words; "
        "every episode with and without punctuation.",
        "valence_source": "VADER (vaderSentiment 3.3.2), C.J. Hutto and Eric Gilbert, MIT; cut to the words that the episodes say.",
        "left_out": results,
        "bias": number(bias),
        "features": {name: [number(coefficients[n]), number(coefficients[count + n])] for n, name in enumerate(columns)},
        "places": {name: number(coefficients[2 * count + n]) for n, name in enumerate(model.PLACES)},
        "lists": {name: " ".join(entries) for name, entries in lexicon["lists"].items()},
        "phrases": lexicon["phrases"],
        "valence": lexicon["valence"],
        "words_scale": number(scale),
        "words": {word: int(round(weights[n] / scale)) for word, n in numbers.items()},
    }


def write(path, value):
    """JSON with one line an entry of the first level."""
    lines = [f"{json.dumps(key)}: {json.dumps(entry, ensure_ascii=False, separators=(',', ':'))}" for key, entry in value.items()]
    Path(path).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("episodes")
    parser.add_argument("--output", metavar="MODEL.json")
    parser.add_argument("--folds", metavar="FOLDER", help="write the models without each show, to measure on it")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    args = parser.parse_args()
    everything = list(episodes.load(args.episodes))
    lexicon = {**LISTS, "valence": valence(everything)}
    talks = []
    for episode in everything:
        for words in (episode.words, episodes.without_punctuation(episode.words)):
            talks.append(model.Talk(episode, words, lexicon))
    shows = sorted({talk.show for talk in talks})
    fits = {show: trained([talk for talk in talks if talk.show != show]) for show in shows}
    results = left_out(talks, shows, fits)
    columns = talks[0].columns
    if args.folds:
        Path(args.folds).mkdir(parents=True, exist_ok=True)
        for show, (numbers, fitted) in fits.items():
            others = [talk for talk in talks if talk.show != show]
            write(Path(args.folds) / f"without-{show}.json", document(others, fitted, numbers, lexicon, columns, args, {}))
    if args.output:
        numbers, fitted = trained(talks)
        write(args.output, document(talks, fitted, numbers, lexicon, columns, args, results))


if __name__ == "__main__":
    main()
