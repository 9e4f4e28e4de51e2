"""Sources: what a text means, and folders and zip files as they may come."""

import stat
import zipfile
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec import sources_zip
from ai_stack_assets.domain.onec.sources import FOLDER, GIT, ZIP, SourceSpec, fetch, parse_source


@pytest.mark.parametrize(
    ("text", "location", "ref"),
    [
        ("https://host/group/trade.git", "https://host/group/trade.git", None),
        ("https://host/group/trade.git@main", "https://host/group/trade.git", "main"),
        ("https://user@host/group/trade", "https://user@host/group/trade", None),
        ("https://user:token@host/group/trade@v1.2", "https://user:token@host/group/trade", "v1.2"),
        ("https://host/@group/trade", "https://host/@group/trade", None),
        ("git@host:group/trade.git", "git@host:group/trade.git", None),
        ("git@host:group/trade.git@feature/x", "git@host:group/trade.git", "feature/x"),
        ("ssh://git@host:2222/trade@main", "ssh://git@host:2222/trade", "main"),
        ("file:///srv/trade.git@main", "file:///srv/trade.git", "main"),
    ],
)
def test_a_git_address_keeps_its_own_at_sign(text, location, ref):
    assert parse_source(f" {text} ") == SourceSpec(GIT, location, ref)


def test_a_password_in_an_address_is_never_shown():
    assert parse_source("https://user:secret@host/trade.git@main").uri == "https://host/trade.git"


@pytest.mark.parametrize(
    "text", ["", "  ", "ftp://host/trade", "https://host/dump.zip", "https://u:secret@host/dump.zip"]
)
def test_an_address_that_nothing_can_fetch_is_refused(text):
    with pytest.raises(PermanentError) as refusal:
        parse_source(text)
    assert "secret" not in str(refusal.value)


def test_folders_zip_files_and_repositories_are_told_apart(tmp_path):
    folder = tmp_path / "me@home"
    (folder / "objects").mkdir(parents=True)
    assert parse_source(str(folder)).kind == FOLDER
    assert parse_source(f"{folder}@main") == SourceSpec(GIT, str(folder), "main")
    (folder / "refs").mkdir()
    (folder / "HEAD").touch()
    assert parse_source(str(folder)).kind == GIT
    assert parse_source(str(tmp_path / "dump.zip")).kind == ZIP
    assert parse_source(str(tmp_path / "absent")).kind == FOLDER


def test_a_folder_is_used_as_it_is(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "Configuration.xml").touch()
    with fetch(parse_source(str(source)), tmp_path / "work") as checkout:
        assert checkout.folder == source
        assert (checkout.commit, checkout.ref) == (None, None)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(("name", "words"), [("absent", "does not exist"), ("empty", "is empty")])
def test_a_folder_that_is_missing_or_empty_says_so(tmp_path, name, words):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PermanentError, match=words), fetch(parse_source(str(tmp_path / name)), tmp_path):
        pass


# ---- zip


def archive(path: Path, files: dict[str, bytes], **given: object) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in given.items():
                setattr(info, attribute, value)
            target.writestr(info, content)
    return path


def unpacked(path: Path, work: Path) -> dict[str, bytes]:
    with fetch(parse_source(str(path)), work) as checkout:
        files = (f for f in checkout.folder.rglob("*") if f.is_file())
        return {f.relative_to(checkout.folder).as_posix(): f.read_bytes() for f in files}


def test_a_zip_is_unpacked_and_a_second_time_only_what_changed_is_written(tmp_path):
    path, work = tmp_path / "dump.zip", tmp_path / "work"
    archive(path, {"a/Configuration.xml": b"1", "a/b.bsl": b"2", "gone.xml": b"3"})
    assert unpacked(path, work) == {"a/Configuration.xml": b"1", "a/b.bsl": b"2", "gone.xml": b"3"}
    kept = next(work.rglob("Configuration.xml"))
    before = kept.stat().st_mtime_ns
    archive(path, {"a/Configuration.xml": b"1", "a/b.bsl": b"22"})
    assert unpacked(path, work) == {"a/Configuration.xml": b"1", "a/b.bsl": b"22"}
    assert kept.stat().st_mtime_ns == before


def test_an_interrupted_unpacking_is_done_again_from_nothing(tmp_path):
    path, work = archive(tmp_path / "dump.zip", {"a.xml": b"1"}), tmp_path / "work"
    unpacked(path, work)
    state = next(work.rglob("files.json"))
    (state.parent / "files" / "half-written.xml").touch()
    state.unlink()
    assert unpacked(path, work) == {"a.xml": b"1"}


@pytest.mark.parametrize("encoding", ["cp866", "utf-8"])
def test_russian_names_survive_old_archivers(tmp_path, encoding):
    path = tmp_path / "dump.zip"
    stand_in = "Валюты.xml".encode(encoding).decode("cp437")
    archive(path, {"x" * len(stand_in.encode("cp437")): b"1"})
    path.write_bytes(
        path.read_bytes().replace(b"x" * len(stand_in.encode("cp437")), stand_in.encode("cp437"))
    )
    assert unpacked(path, tmp_path / "work") == {"Валюты.xml": b"1"}


def test_backslashes_are_folders(tmp_path):
    assert unpacked(archive(tmp_path / "d.zip", {"a\\b.xml": b"1"}), tmp_path / "work") == {"a/b.xml": b"1"}


@pytest.mark.parametrize(
    "name", ["../evil.xml", "/etc/evil", "a/../../evil", "C:/evil", "..\\evil", ".git/config"]
)
def test_a_path_out_of_the_folder_condemns_the_zip(tmp_path, name):
    path = archive(tmp_path / "dump.zip", {"a.xml": b"1", name: b"2"})
    with pytest.raises(PermanentError, match="leads out of the folder"):
        unpacked(path, tmp_path / "work")
    assert not list(tmp_path.rglob("evil*"))


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = archive(tmp_path / "dump.zip", {"a": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
    with pytest.raises(PermanentError, match="is a link"):
        unpacked(path, tmp_path / "work")


def test_a_zip_bomb_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_zip, "RATIO_FLOOR_BYTES", 1000)
    path = archive(tmp_path / "dump.zip", {"a.xml": b"0" * 1_000_000})
    with pytest.raises(PermanentError, match="zip bomb"):
        unpacked(path, tmp_path / "work")
    assert not list(tmp_path.rglob("files"))


def test_a_zip_larger_than_any_configuration_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_zip, "MAX_TOTAL_BYTES", 10)
    with pytest.raises(PermanentError, match="no configuration is so large"):
        unpacked(archive(tmp_path / "dump.zip", {"a.xml": b"0" * 11}), tmp_path / "work")


def test_what_is_no_zip_says_so(tmp_path):
    fake, absent, empty = tmp_path / "fake.zip", tmp_path / "absent.zip", archive(tmp_path / "empty.zip", {})
    fake.write_bytes(b"PK but no")
    for path, words in ((fake, "is no zip file"), (absent, "does not exist"), (empty, "holds no files")):
        with pytest.raises(PermanentError, match=words):
            unpacked(path, tmp_path / "work")


def test_a_damaged_zip_says_so(tmp_path):
    path = archive(tmp_path / "dump.zip", {"a.xml": bytes(range(256)) * 50})
    data = bytearray(path.read_bytes())
    data[60:70] = b"0123456789"
    path.write_bytes(data)
    with pytest.raises(PermanentError, match="damaged"):
        unpacked(path, tmp_path / "work")


def test_a_zip_with_a_password_says_so(tmp_path):
    path = archive(tmp_path / "dump.zip", {"a.xml": b"1"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(PermanentError, match="password"):
        unpacked(path, tmp_path / "work")
