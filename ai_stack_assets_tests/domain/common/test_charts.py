"""Charts are well-formed whatever they are given, and their tables stay tables."""

from __future__ import annotations

import pytest
from lxml import etree

from ai_stack_assets.domain.common import charts

VALUES = [{}, {"а": 0}, {"<script>&": 3, "длинное имя " * 9: 2.5}, {str(n): n for n in range(40)}]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("chart", [charts.bars, charts.columns])
def test_a_chart_is_well_formed(chart, values) -> None:
    root = etree.fromstring(chart(values, "Заголовок <1>").encode())
    assert "Заголовок <1>" in "".join(root.itertext())


def test_a_bar_in_a_cell_does_not_split_it() -> None:
    assert charts.table(["a", "b"], [["x|y", 1]]).splitlines()[2] == "| x/y | 1 |"


def test_brackets_do_not_end_the_description() -> None:
    assert charts.image("<svg/>", "a [b]").startswith("![a (b)](data:image/svg+xml;base64,")
