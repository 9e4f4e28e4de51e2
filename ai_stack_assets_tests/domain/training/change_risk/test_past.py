"""What is known of a method on a day: nothing that came later, all that came before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ai_stack_assets.domain.training.change_risk import past

FIRST, DAY = date(2018, 1, 1), date(2022, 6, 1)
A, B, KIN = "CommonModule.Цены.Module.А", "CommonModule.Цены.Module.Б", "CommonModule.ЦеныКлиент.Module.В"
IDS = [A, B, KIN]


def known(*events: tuple[int, str, str]) -> past.Events:
    """Days before (negative) or after the day that is asked about, change, id."""
    rows = [
        {"day": (DAY + timedelta(n)).isoformat(), "what": "method", "change": change, "id": method}
        for n, change, method in events
    ]
    return past.events(
        FIRST, [*rows, {"day": "2022-01-01", "what": "object", "change": "changed", "id": "Catalog.А"}]
    )


def of(method: str, *events: tuple[int, str, str]) -> dict[str, float | None]:
    return past.before(known(*events), IDS, DAY).to_pylist()[IDS.index(method)]


def test_nothing_of_later_is_known():
    later = [(1, "changed", A), (30, "removed", B), (400, "added", KIN)]
    assert past.before(known(*later), IDS, DAY) == past.before(known(), IDS, DAY)


def test_a_change_on_the_very_day_is_known_and_is_no_label():
    found = of(A, (0, "changed", A))
    assert (found["days_since_change"], found["changes_12m"]) == (0, 1)
    assert past.after(known((0, "changed", A)), IDS, DAY) == [False, False, False]


def test_changes_are_counted_within_a_year_and_within_three():
    found = of(A, (-10, "changed", A), (-364, "changed", A), (-365, "changed", A), (-1095, "changed", A))
    assert (found["changes_12m"], found["changes_36m"], found["days_since_change"]) == (2, 3, 10)


def test_what_was_added_and_never_changed_has_an_age_and_no_change():
    found = of(A, (-50, "added", A))
    assert (found["age_days"], found["days_since_change"], found["changes_12m"]) == (50, None, 0)


def test_what_is_older_than_the_history_has_no_age():
    assert of(B)["age_days"] is None


def test_what_a_name_meant_before_it_was_added_again_does_not_count():
    found = of(A, (-300, "changed", A), (-200, "removed", A), (-100, "added", A), (-5, "changed", A))
    assert (found["age_days"], found["changes_12m"]) == (100, 1)


def test_what_happens_around_a_method_counts_per_method():
    found = of(
        A,
        (-9, "changed", B),
        (-9, "added", B),
        (-8, "removed", "CommonModule.Цены.Module.Нет"),
        (-7, "changed", KIN),
    )
    assert (found["module_methods"], found["module_changes_12m"], found["module_added_12m"]) == (2, 1.5, 0.5)
    assert found["family_changes_12m"] == pytest.approx(4 / 3)


@pytest.mark.parametrize(
    ("days", "change", "label"),
    [
        (1, "changed", True),
        (365, "removed", True),
        (366, "changed", False),
        (20, "added", False),
        (-1, "changed", False),
    ],
)
def test_the_label_is_a_change_or_removal_within_a_year(days, change, label):
    assert past.after(known((days, change, A)), [A], DAY) == [label]


def test_no_methods_have_no_rows():
    assert past.before(known(), [], DAY).num_rows == 0
