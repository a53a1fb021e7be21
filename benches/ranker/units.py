"""Cuts a transcript into units: sentences, or phrases where there is little punctuation.

A word is (text, start, end). `clipkit/src/score/ranker/units.rs` does the same.
"""

SHORT_FORMS = frozenset("mr. mrs. ms. dr. st. vs. e.g. i.e. etc. u.s. no. jr. sr.".split())
CONJUNCTIONS = frozenset(
    "and but so because or then well now yeah okay i you we they it that this he she what if when".split()
)
LINKS = frozenset("but so and because".split())
# With fewer sentence ends than one in this many words, pauses and conjunctions cut.
WORDS_PER_END = 45
LONGEST = 40


def ends_sentence(text):
    return text.rstrip("\"”')")[-1:] in tuple(".?!…") and text.lower() not in SHORT_FORMS


def units(words):
    """The units as ranges (first word, after the last word)."""
    ends = sum(1 for text, _, _ in words if text[-1:] in tuple(".?!…"))
    if ends * WORDS_PER_END < len(words):
        return phrases(words)
    found, first = [], 0
    for n in range(len(words)):
        if n + 1 == len(words) or ends_sentence(words[n][0]):
            cut_long(words, first, n + 1, found)
            first = n + 1
    # A unit of up to 3 words joins the next, if that ends within 12 s.
    joined = []
    for first, end in found:
        if joined and joined[-1][1] - joined[-1][0] < 4 and words[first][1] - words[joined[-1][0]][1] < 12:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return joined


def pause(words, n):
    return words[n][1] - words[n - 1][2]


def phrases(words):
    found, first = [], 0
    while first < len(words):
        best, most = None, None
        for n in range(first + 8, min(len(words), first + 25)):
            word = words[n][0].lower()
            worth = min(pause(words, n), 1.0) * 6 - abs(n - first - 14) * 0.12
            worth += 1.2 * (word in CONJUNCTIONS) + 0.6 * (word in LINKS) + 3 * (words[n - 1][0][-1:] in tuple(".?!"))
            if most is None or worth > most:
                best, most = n, worth
        best = len(words) if best is None else best
        found.append((first, best))
        first = best
    return found


def cut_long(words, first, end, found):
    while end - first > LONGEST:
        best, most = None, None
        for n in range(first + 8, min(end - 5, first + 28)):
            worth = 2 * (words[n - 1][0][-1:] in tuple(",;:—-")) + (words[n][0].lower() in LINKS)
            worth += 4 * min(1.0, max(0.0, pause(words, n))) - abs(n - first - 18) * 0.08
            if most is None or worth > most:
                best, most = n, worth
        found.append((first, best))
        first = best
    found.append((first, end))
