"""Picks windows by the units' scores and measures how many moments they find."""

import random

import numpy as np

CLIPS, FIFTHS = 10, 5


def windows(talk, shortest=30.0, longest=45.0):
    """Spans of whole units, as starts and ends."""
    found = []
    for first, start in enumerate(talk.start):
        ends = talk.end[first : first + 40]
        fits = ends[(ends >= start + shortest) & (ends <= start + longest)][:6]
        found += [(start, end) for end in fits]
    return np.array(found).reshape(-1, 2)


def values(talk, probability, spans):
    """The mean score over a span's time; silence counts as 0."""
    length = np.maximum(0, talk.end - talk.start)
    times = np.maximum.accumulate(np.stack([talk.start, talk.end], axis=1).ravel())
    total = np.concatenate([[0], np.cumsum(probability * length)])
    sums = np.stack([total[:-1], total[1:]], axis=1).ravel()
    inside = np.interp(spans[:, 1], times, sums) - np.interp(spans[:, 0], times, sums)
    return inside / np.maximum(1, spans[:, 1] - spans[:, 0])


def pick(talk, probability):
    """The best windows without overlap, at most 3 of 10 in a fifth of the talk."""
    spans, chosen, fifths = windows(talk), [], [0] * FIFTHS
    most = max(-(-CLIPS * 3 // 10), -(-CLIPS // FIFTHS) + 1)
    first, last = talk.start[0], talk.end[-1]
    for n in np.argsort(-values(talk, probability, spans), kind="stable"):
        start, end = spans[n]
        fifth = min(FIFTHS - 1, int(FIFTHS * (start - first) / max(1e-9, last - first)))
        if fifths[fifth] < most and all(end <= a or start >= b for a, b in chosen):
            chosen.append((start, end))
            fifths[fifth] += 1
        if len(chosen) == CLIPS:
            break
    return chosen


def spread(lengths, low, high, draw=None):
    """Spans of these lengths, evenly spread, or at random places."""
    lengths = list(lengths)
    free = high - low - sum(lengths)
    if free < 0:
        return []
    if draw:
        draw.shuffle(lengths)
        gaps = sorted(draw.uniform(0, free) for _ in lengths)
    else:
        gaps = [free * (n + 0.5) / len(lengths) for n in range(len(lengths))]
    found, at = [], low
    for gap, length in zip(gaps, lengths):
        found.append((at + gap, at + gap + length))
        at += length
    return found


def found(spans, moments):
    """The share of the moments that the spans cover at least half."""
    covered = lambda a, b: sum(max(0.0, min(end, b) - max(start, a)) for start, end in spans)
    return sum(covered(a, b) >= 0.5 * (b - a) for a, b in moments) / len(moments)


def measure(picked):
    """An array of (found by us, at random places, evenly spread) with one row a talk."""
    draw, rows = random.Random(1), []
    for talk, spans in picked:
        lengths = [end - start for start, end in spans]
        at_random = sum(found(spread(lengths, talk.low, talk.high, draw), talk.moments) for _ in range(20)) / 20
        rows.append((found(spans, talk.moments), at_random, found(spread(lengths, talk.low, talk.high), talk.moments)))
    return np.array(rows)


def lift(shows):
    """Mean over shows of what is found, over the mean of the better of random and even places."""
    means = [rows.mean(axis=0) for rows in shows]
    return sum(m[0] for m in means) / sum(max(m[1], m[2]) for m in means)


def interval(shows, draws=2000):
    """The 95 % interval of the lift, episodes drawn with replacement within each show."""
    draw = np.random.default_rng(0)
    lifts = sorted(lift([rows[draw.integers(0, len(rows), len(rows))] for rows in shows]) for _ in range(draws))
    return lifts[draws // 40], lifts[-draws // 40 - 1]
