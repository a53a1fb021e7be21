#!/usr/bin/env python3
"""Writes what the crate's test compares its features and scores with.

usage: fixture.py MODEL.json > FIXTURE.json      The text is made for it.
"""

import json
import sys

import numpy as np

import episodes
import features
import model
import units

TEXT = """So I was nineteen, and my father told me the shop would close in May. "Nobody is coming to save it," he said. Why would they?
The truth is that we had never counted the bread that went into the bin — 412 loaves a week! I didn't sleep. Do you know what fear does
to a baker? It's not about flour, it's about people: the reason the shop survived is the smallest thing you can imagine. Welcome back to
the podcast, everybody, thanks for listening. Um, I mean, you know, it was kind of a mess. Dr. Weber and Mrs. Okafor lent us twelve
thousand dollars. We're going to pay them back, all of it, next year. What if the oven dies? Then I'd kill the whole plan and
start again. Yes. No. In the end the bread was better because the recipe was slower and the dough had a day, a night and another day to
rest in the cold room where my grandmother used to keep the apples and the jars of plums and the letters that nobody in the family had ever
wanted to read aloud again, which is the saddest and the most beautiful thing I know about that house. The shop is open. The bread is
sold out by ten. "Is it luck?" people ask. I don't believe in luck; I believe in counting. It doesn’t matter who counts. If you lose
something every single day, you stop seeing it, and then it owns you. Building trust takes patience, honesty, and government-free
afternoons... Build it anyway. You should want to see the data, and yet you don't need a computer: a damn pencil is enough, although men
and women in the relationship of a shop rarely agree on the pencil.""".split()


def timed(texts):
    """Words of 0.08 s a letter, with a pause after each fifth and, longer, after marks."""
    words, at = [], 0.5
    for n, text in enumerate(texts):
        length = 0.08 * (len(text) + 1)
        words.append((text, round(at, 3), round(at + length, 3)))
        at += length + (0.15 if n % 5 == 4 else 0.0) + (0.4 if text[-1] in ".?!" else 0.0)
    return words


def main():
    document = json.load(open(sys.argv[1], encoding="utf-8"))
    lexicon = {
        "lists": {name: entries.split(" ") for name, entries in document["lists"].items()},
        "phrases": document["phrases"],
        "valence": document["valence"],
    }
    numbers = {word: n for n, word in enumerate(document["words"])}
    weights = np.array(list(document["words"].values())) * document["words_scale"]
    cases = []
    for words in (timed(TEXT), timed([word[0] for word in episodes.without_punctuation(timed(TEXT))])):
        ranges = units.units(words)
        matrix, columns, said = features.unit_features(words, ranges, lexicon)
        z = features.standardised(matrix)
        unit, around = np.array([document["features"][name] for name in columns]).T
        places = model.places(np.array([words[first][1] for first, _ in ranges]))
        score = document["bias"] + z @ unit + features.context(z) @ around + places @ np.array([document["places"][name] for name in model.PLACES])
        for n, own in enumerate(said):
            known = {numbers[word] for word in own if word in numbers}
            score[n] += sum(weights[word] for word in known) / max(1, len(known)) ** 0.5
        rounded = lambda values: [float(f"{value:.9g}") for value in values]
        cases.append(
            {
                "words": words,
                "units": ranges,
                "features": {name: rounded(matrix[:, n]) for n, name in enumerate(columns)},
                "scores": rounded(1 / (1 + np.exp(-score))),
            }
        )
    lines = [
        "{" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}" for key, value in case.items()) + "}"
        for case in cases
    ]
    print("[" + ",\n".join(lines) + "]")


if __name__ == "__main__":
    main()
