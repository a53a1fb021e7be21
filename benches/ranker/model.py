"""The linear model over units: design matrix, fit, scores."""

import math
from collections import Counter, defaultdict

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

import features
import units

PLACES = ["place", "place2", "start", "end"]
# Inverse L2 strength, weight of the words against the features, negatives an episode and form.
STRENGTH, WORDS, NEGATIVES = 0.01, 4.0, 200
# A word has a weight if it is said in this many episodes and shows.
EPISODES, SHOWS = 20, 3


class Talk:
    """The units of an episode, in one form: with or without punctuation."""

    def __init__(self, episode, words, lexicon):
        self.show, self.id, self.moments = episode.show, episode.id, episode.moments
        self.low, self.high = episode.start, episode.end
        self.ranges = units.units(words)
        matrix, self.columns, self.said = features.unit_features(words, self.ranges, lexicon)
        self.start = np.array([words[first][1] for first, _ in self.ranges])
        self.end = np.array([words[end - 1][2] for _, end in self.ranges])
        z = features.standardised(matrix)
        self.matrix = np.hstack([z, features.context(z), places(self.start)]).astype("f4")
        self.share = self.labels()

    def labels(self):
        """A moment's share, 1, split among the units that it covers at least half."""
        share = np.zeros(len(self.start))
        for start, end in self.moments:
            covered = np.minimum(self.end, end) - np.maximum(self.start, start)
            hit = covered >= 0.5 * (self.end - self.start)
            share[hit] = np.maximum(share[hit], 1 / max(1, hit.sum()))
        return share


def places(start):
    """Where a unit starts in the talk, 0 to 1, its square, and its part of the first and last tenth."""
    at = (start - start[0]) / max(1.0, start[-1] - start[0])
    return np.stack([at, at * at, np.maximum(0, 0.1 - at) * 10, np.maximum(0, at - 0.9) * 10], axis=1)


def vocabulary(talks):
    episodes, shows = Counter(), defaultdict(set)
    for talk in talks:
        own = {word for said in talk.said for word in said}
        episodes.update(own)
        for word in own:
            shows[word].add(talk.show)
    kept = sorted(word for word, seen in episodes.items() if seen >= EPISODES and len(shows[word]) >= min(SHOWS, len({t.show for t in talks})))
    return {word: n for n, word in enumerate(kept)}


def word_matrix(talk, numbers):
    """One row a unit: 1 / sqrt(known words) for each different word that has a number."""
    at, column, value = [], [], []
    for n, said in enumerate(talk.said):
        known = {numbers[word] for word in said if word in numbers}
        at += [n] * len(known)
        column += known
        value += [1 / math.sqrt(len(known))] * len(known) if known else []
    return sparse.csr_matrix((value, (at, column)), shape=(len(talk.said), len(numbers)), dtype="f4")


def fit(talks, numbers):
    """Coefficients of the columns, weights of the words, and the bias."""
    draw = np.random.default_rng(0)
    dense, words, labels, shares = [], [], [], []
    for talk in talks:
        total = talk.share.sum()
        if total == 0:
            continue
        positive, negative = np.flatnonzero(talk.share > 0), np.flatnonzero(talk.share == 0)
        negative = draw.choice(negative, min(NEGATIVES, len(negative)), replace=False)
        rows = np.concatenate([positive, negative])
        dense.append(talk.matrix[rows])
        words.append(word_matrix(talk, numbers)[rows] * WORDS)
        labels.append(talk.share[rows] > 0)
        shares.append(np.concatenate([talk.share[positive], np.full(len(negative), total / len(negative))]))
    design = sparse.hstack([sparse.csr_matrix(np.vstack(dense)), sparse.vstack(words)]).tocsr()
    found = LogisticRegression(C=STRENGTH, max_iter=500).fit(design, np.concatenate(labels), sample_weight=np.concatenate(shares))
    columns = dense[0].shape[1]
    return found.coef_[0][:columns], found.coef_[0][columns:] * WORDS, found.intercept_[0]


def scores(talk, numbers, fitted):
    """The probability of each unit, at even odds of both classes."""
    coefficients, weights, bias = fitted
    return 1 / (1 + np.exp(-(talk.matrix @ coefficients + word_matrix(talk, numbers) @ weights + bias)))
