"""Features of the units of a transcript. `clipkit/src/score/ranker/features.rs` computes the same.

`lexicon` holds word lists, phrases of two words, and VADER's valence of a word (-4 to 4).
"""

import math
import re
from collections import Counter

import numpy as np
from scipy import sparse

NOT_IN_WORDS = re.compile(r"[^\w'’-]")
NOUN_ENDINGS = ("tion", "ment", "ness", "ance", "ence", "sion", "ity", "ism")
AUXILIARIES = frozenset("do did are is can have would".split())
# Lists that only the first word of a unit, or the count of numbers, uses.
FIRST_WORD_LISTS = ("anaph", "imper")
NEIGHBOURS = 12
CONTEXT = 3
MAX_Z = 4.0


def key(text):
    return NOT_IN_WORDS.sub("", text).replace("’", "'").strip("'-").lower()


def unit_features(words, units, lexicon):
    """One row a unit, the names of the columns, and each unit's words."""
    lists = {name: frozenset(entries) for name, entries in lexicon["lists"].items()}
    phrases = {tuple(phrase.split()): name for name, entries in lexicon["phrases"].items() for phrase in entries}
    counted = {}
    for name, entries in lists.items():
        if name not in FIRST_WORD_LISTS and name != "numw":
            for word in entries:
                counted.setdefault(word, []).append("r_" + name)
    names = ["r_" + name for name in lists if name not in FIRST_WORD_LISTS and name != "numw"] + list(lexicon["phrases"])
    valence, stop = lexicon["valence"], lists["stop"]
    rows, said, contents = [], [], []
    for first, end in units:
        raw = [text for text, _, _ in words[first:end]]
        keys = [(key(text), text, place) for place, text in enumerate(raw)]
        keys = [found for found in keys if found[0]]
        own = [found[0] for found in keys]
        count = max(1, len(own))
        root = math.sqrt(count)
        f = dict.fromkeys(names, 0.0)
        for word in own:
            for name in counted.get(word, ()):
                f[name] += 1
        f["r_num"] = sum(word in lists["numw"] or any("0" <= c <= "9" for c in word) for word in own)
        f["r_nominal"] = sum(word.endswith(NOUN_ENDINGS) for word in own)
        f["r_edw"] = sum(word.endswith("ed") for word in own)
        f["r_ingw"] = sum(word.endswith("ing") for word in own)
        f["r_vpos"] = sum(max(0.0, valence.get(word, 0.0)) for word in own)
        f["r_vneg"] = sum(max(0.0, -valence.get(word, 0.0)) for word in own)
        f["commas"] = sum("," in text for text in raw)
        f["names"] = sum(text[:1].isupper() or text[1:2].isupper() for _, text, place in keys if place > 0)
        for name in f:
            if name.startswith("r_") or name in ("commas", "names"):
                f[name] /= root
        for pair in zip(own, own[1:]):
            if pair in phrases:
                f[phrases[pair]] += 1
        f["vabs"] = f["r_vpos"] + f["r_vneg"]
        f["r_wlen"] = sum(map(len, own)) / count
        f["r_longw"] = sum(len(word) >= 8 for word in own) / count
        opening = own[0] if own else ""
        f["anaph"] = float(opening in lists["anaph"])
        f["imper"] = float(opening in lists["imper"])
        f["qfirst"] = float(opening in lists["qword"] or opening in AUXILIARIES)
        f["filfirst"] = float(opening in lists["filler"])
        f["n"], f["logn"], f["short"] = count, math.log(count), float(count < 6)
        f["endq"], f["ende"] = float("?" in raw[-1]), float("!" in raw[-1])
        f["quotes"] = float(sum('"' in text or "“" in text for text in raw))
        f["dash"] = float(sum("—" in text or "--" in text or text == "-" for text in raw))
        f["rate"] = count / max(0.3, words[end - 1][2] - words[first][1])
        content = [word for word in own if word not in stop]
        f["types"] = len(set(own)) / count
        f["reps"] = (len(content) - len(set(content))) / root
        f["content"] = len(content) / count
        rows.append(f)
        said.append(own)
        contents.append(set(content))
    talk_features(rows, contents)
    columns = sorted(rows[0]) if rows else []
    return np.array([[row[name] for name in columns] for row in rows]), columns, said


def talk_features(rows, contents):
    """What a unit is among the others: central, new, rare."""
    count = len(rows)
    spread = Counter(word for content in contents for word in content)
    idf = {word: math.log((count + 1) / seen) for word, seen in spread.items()}
    repeated = {word: n for n, word in enumerate(sorted(word for word, seen in spread.items() if seen >= 2))}
    at, column, value = [], [], []
    for n, (f, content) in enumerate(zip(rows, contents)):
        f["idfep"] = sum(idf[word] for word in content) / max(1, len(content))
        f["hapax"] = sum(spread[word] == 1 for word in content) / math.sqrt(max(1.0, f["n"]))
        mine = [word for word in content if word in repeated]
        norm = math.sqrt(sum(idf[word] ** 2 for word in mine)) or 1.0
        for word in mine:
            at.append(n)
            column.append(repeated[word])
            value.append(idf[word] / norm)
    vectors = sparse.csr_matrix((value, (at, column)), shape=(count, max(1, len(repeated))))
    centre = np.asarray(vectors.sum(axis=0)).ravel()
    central = vectors @ centre / (np.linalg.norm(centre) or 1.0)
    # The similarity of two units is the product of their vectors; it is 0 with itself.
    own = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    weight = np.maximum(1e-6, vectors @ centre - own)
    rank = np.full(count, 1 / max(1, count))
    for _ in range(12):
        passed = 0.85 * rank / weight
        rank = 0.15 / count + vectors @ (vectors.T @ passed) - own * passed
    before, after = np.zeros(count), np.zeros(count)
    for shift in range(1, NEIGHBOURS + 1):
        if shift < count:
            near = np.asarray(vectors[shift:].multiply(vectors[:-shift]).sum(axis=1)).ravel()
            before[shift:] += near
            after[:-shift] += near
    for n, f in enumerate(rows):
        f["central"], f["textrank"] = central[n], rank[n] * count
        f["nov_prev"], f["nov_next"] = before[n] / NEIGHBOURS, after[n] / NEIGHBOURS
        f["localsim"] = f["nov_prev"] + f["nov_next"]
        f["prevq"] = rows[n - 1]["endq"] if n else 0.0


def standardised(matrix):
    """Each column relative to its mean and deviation in the talk, at most 4 either way."""
    deviation = np.maximum(1e-3, matrix.std(axis=0))
    return np.clip((matrix - matrix.mean(axis=0)) / deviation, -MAX_Z, MAX_Z)


def context(z):
    """The mean of up to three units before and three after each unit."""
    count = len(z)
    sums = np.vstack([np.zeros(z.shape[1]), np.cumsum(z, axis=0)])
    low, high = np.maximum(0, np.arange(count) - CONTEXT), np.minimum(count, np.arange(count) + CONTEXT + 1)
    return (sums[high] - sums[low] - z) / np.maximum(1, high - low - 1)[:, None]
