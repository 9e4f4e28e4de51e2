"""Vectors and full text as one ranking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ai_stack_assets.domain.stores import hybrid


@dataclass
class Store:
    """Answers both kinds of question with what it was given: ids and scores, best first."""

    found: dict[str, float]
    asked: dict[str, Any] = field(default_factory=dict)

    def similar(self, configuration: str, **asked: Any) -> list[Any]:
        self.asked = asked
        return [_Point({"id": id_}, score) for id_, score in self.found.items()]

    def search(self, configuration: str, text: str, **asked: Any) -> list[Any]:
        self.asked = asked
        return [_Hit(id_, score) for id_, score in self.found.items()]


@dataclass
class _Point:
    payload: dict[str, str]
    score: float


@dataclass
class _Hit:
    id: str
    score: float


def ranked(meaning: dict[str, float], text: dict[str, float], **options: Any) -> list[str]:
    return [found.id for found in hybrid.methods(Store(meaning), Store(text), "demo", "курс", **options)]


def test_what_both_find_comes_before_what_one_finds() -> None:
    assert ranked({"а": 0.9, "б": 0.88, "в": 0.1}, {"б": 12.0, "г": 5.0})[0] == "б"


def test_without_hits_of_one_the_other_decides() -> None:
    assert ranked({"а": 0.9, "б": 0.8}, {}) == ["а", "б"]
    assert ranked({}, {"а": 9.0, "б": 8.0}) == ["а", "б"]
    assert ranked({}, {}) == []


def test_words_weigh_less_than_meaning_unless_one_says_otherwise() -> None:
    meaning, words = {"а": 0.9, "б": 0.1}, {"б": 9.0, "а": 1.0}
    assert ranked(meaning, words)[0] == "а"
    assert ranked(meaning, words, words=5.0)[0] == "б"


def test_ranks_in_both_are_told_and_no_more_are_shown_than_asked_for() -> None:
    [first] = hybrid.methods(
        Store({"а": 0.9, "б": 0.5}), Store({"б": 3.0, "а": 2.0}), "demo", "курс", limit=1
    )
    assert (first.id, first.by_meaning, first.by_words) == ("а", 1, 2)


def test_only_methods_are_asked_for() -> None:
    vectors, search = Store({}), Store({})
    hybrid.methods(vectors, search, "demo", "курс")
    assert vectors.asked["tables"] == ["methods"]
    assert search.asked["kinds"] == hybrid.KINDS


def test_equal_scores_leave_the_order_of_the_vectors() -> None:
    assert ranked({"а": 0.5, "б": 0.5}, {"б": 1.0, "а": 1.0}) == ["а", "б"]
