"""What is read from the environment: defaults that work, and wrong values named with their setting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ai_stack_assets.defs.shared import settings

READERS = {
    "AI_STACK_ASSETS_TIMEZONE": settings.time_zone,
    "AI_STACK_ASSETS_DATASET_FROM": settings.first_week_of_dataset,
    "AI_STACK_ASSETS_HISTORY_FROM": settings.history,
    "AI_STACK_ASSETS_HISTORY_BY": settings.history,
}


@pytest.mark.parametrize(("name", "read"), READERS.items())
@pytest.mark.parametrize("wrong", ["Mars/Olympus", "2026-02-30", "/etc", "foo"])
def test_a_wrong_value_is_named_with_its_setting(
    name: str, read: Callable[[], object], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(ValueError, match=rf"{name} is .*{wrong}"):
        read()


def test_what_is_not_set_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in READERS:
        monkeypatch.delenv(name, raising=False)
    assert settings.history() == ("2019-01-01", "Europe/Moscow", "month")
    assert settings.first_week_of_dataset() == "2026-01-04"
