"""Files that are replaced whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_stack_assets.domain.common import files


def test_a_file_is_made_or_replaced(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    for data in (b"first", b"second"):
        files.replace(file, data)
        assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]


def test_what_goes_wrong_while_it_is_written_leaves_the_old_one_and_nothing_beside(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"), files.beside(file) as draft:
        draft.write_bytes(b"ne")
        raise OSError(28, "No space left on device")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_readers_see_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_bytes(b"old")
    with files.beside(file) as draft:
        draft.write_bytes(b"new")
        assert file.read_bytes() == b"old" and draft.name.startswith(".")
    assert file.read_bytes() == b"new"


def test_a_file_that_nothing_was_written_for_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    with files.beside(file):
        pass
    assert not file.exists()
    file.write_bytes(b"old")
    with files.beside(file):
        pass
    assert file.read_bytes() == b"old"
