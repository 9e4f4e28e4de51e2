"""The definition itself, slowly: token 5-grams by a regular expression, every pair compared, components by flood."""

from __future__ import annotations

import itertools
import random
import re

_TOKEN = re.compile(
    r'(?P<skip>\s+|//[^\n]*)|"(?P<string>(?:[^"\n]|"")*)"|\'[^\'\n]*\'|\d(?:\w|\.(?=\d))*|\w+|<>|<=|>=|.'
)


def tokens(code: str) -> list[str]:
    """Strings of one line only: what is compared here has no others."""
    found = []
    for match in _TOKEN.finditer(code):
        if match["string"] is not None:
            found.append('"' + " ".join(match["string"].split()))
        elif match["skip"] is None:
            found.append(match[0].lower())
    return found


def shingles(code: str) -> frozenset[tuple[str, ...]]:
    words = tokens(code)
    width = min(5, len(words))
    return (
        frozenset(tuple(words[i : i + width]) for i in range(len(words) - width + 1))
        if words
        else frozenset()
    )


def jaccard(a: frozenset, b: frozenset) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0


def components(sets: list[frozenset], threshold: float) -> list[int]:
    """Per set the lowest set of its component."""
    label = list(range(len(sets)))
    for i, j in itertools.combinations(range(len(sets)), 2):
        if jaccard(sets[i], sets[j]) >= threshold and label[i] != label[j]:
            low, high = sorted((label[i], label[j]))
            label = [low if x == high else x for x in label]
    return label


def variants(seed: int, families: int, of_each: int, length: int, changes: int) -> list[str]:
    """Methods in families: the more changes, the farther apart; many pairs lie right at a threshold."""
    draw = random.Random(seed)
    words = [f"Имя{n}" for n in range(60)]
    codes = []
    for _ in range(families):
        base = draw.choices(words, k=draw.randint(length // 2, length))
        for _ in range(of_each):
            code = list(base)
            for _ in range(draw.randint(0, changes)):
                at = draw.randrange(len(code))
                code[at : at + draw.randint(0, 2)] = draw.choices(words, k=draw.randint(0, 2))
            codes.append(" ".join(code))
    draw.shuffle(codes)
    return codes
