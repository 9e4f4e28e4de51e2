"""Facts by content: when others see what was put."""

from pathlib import Path

import pytest

from ai_stack_assets.domain.onec.fact_cache import FactCache


def test_what_waits_for_a_transaction_is_found_and_others_see_it_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "facts.sqlite"
    with FactCache(file) as other, FactCache(file, at_once=3) as cache:
        cache.put({b"1": b"one"})
        cache.put({b"2": b"two"})
        assert cache.get([b"1", b"2"]) == {b"1": b"one", b"2": b"two"}
        assert other.get([b"1", b"2"]) == {}
        cache.put({b"3": b"three"})
        assert other.get([b"1", b"3"]) == {b"1": b"one", b"3": b"three"}
        cache.put({b"4": b"four"})
    with FactCache(file) as later:
        assert later.get([b"3", b"4"]) == {b"3": b"three", b"4": b"four"}


def test_facts_found_before_a_fault_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "facts.sqlite"
    with pytest.raises(ZeroDivisionError), FactCache(file, at_once=100) as cache:
        cache.put({b"1": b"one"})
        raise ZeroDivisionError
    with FactCache(file) as later:
        assert later.get([b"1"]) == {b"1": b"one"}
