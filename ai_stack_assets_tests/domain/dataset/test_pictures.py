"""The pictures hold the numbers they were given, and say so when there are none."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from lxml import etree

from ai_stack_assets.domain.dataset import pictures


def shown(markdown: str) -> str:
    """All text of the SVG in the markdown; fails when it is not well-formed."""
    found = re.search(r"\(data:image/svg\+xml;base64,([^)]+)\)", markdown)
    assert found
    return " ".join(etree.fromstring(base64.b64decode(found[1])).itertext())


def test_rows_by_source_come_as_a_picture_and_a_table() -> None:
    markdown = pictures.by_source({"postgres": 1200, "github": 300}, {"postgres": 1000, "github": 300})
    assert "1,200" in shown(markdown)
    assert "| postgres | 1,200 | 1,000 | 200 |" in markdown


def test_the_most_frequent_reason_stands_first() -> None:
    text = shown(pictures.by_reason({"too_short": 5, "parse_errors": 70}, 1000))
    assert text.index("parse_errors") < text.index("too_short")
    assert "75 of 1,000 rows" in text


def test_redactions_are_a_table() -> None:
    assert pictures.by_kind({"email": 2, "inn": 7}).splitlines()[2:] == ["| inn | 7 |", "| email | 2 |"]


def test_the_score_names_its_mean_and_what_it_must_exceed() -> None:
    assert "mean 0.881, must exceed 0.8" in shown(pictures.score_histogram([0] * 19 + [7], 0.881, 0.8))


def test_clusters_are_counted_by_ranges_of_size() -> None:
    text = shown(pictures.cluster_sizes({2: 40, 4: 3, 5: 4, 2000: 1}))
    assert "4–5: 7" in text
    assert "101+: 1" in text
    assert "48 clusters" in text


def test_splits_show_their_share() -> None:
    assert "90.0%" in shown(pictures.split_sizes({"train": 900, "validation": 50, "test": 50}))


@pytest.mark.parametrize(
    ("picture", "arguments"),
    [
        (pictures.by_source, ({}, {})),
        (pictures.by_reason, ({}, 0)),
        (pictures.by_kind, ({},)),
        (pictures.score_histogram, ([0] * 20, None, 0.8)),
        (pictures.cluster_sizes, ({1: 500},)),
        (pictures.split_sizes, ({},)),
    ],
)
def test_without_numbers_there_is_no_picture(picture: Any, arguments: tuple) -> None:
    assert picture(*arguments) == pictures.NOTHING
