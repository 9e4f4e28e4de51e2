"""Search, in the embedded engine and on a server alike; and what concerns the files of the embedded one."""

import multiprocessing
import os
import shutil
import threading
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch
from ai_stack_assets.domain.stores.search.query import highlight, plan
from ai_stack_assets.domain.stores.search.tantivy_store import Tantivy
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.conftest import ENGINES
from ai_stack_assets_tests.domain.stores import table_lake as made

NASTY = """Catalog.x" OR id:* AND (')] \\ \x1f %s"""


@pytest.fixture(params=ENGINES)
def search(request, tmp_path):
    if request.param == "embedded":
        yield Tantivy(tmp_path / "search")
        return
    client = Elasticsearch(request.getfixturevalue("elasticsearch_server").url)
    yield client
    for configuration in client.configurations():
        client.drop(configuration)


EMBEDDED = pytest.mark.parametrize("search", ["embedded"], indirect=True)
"""Tests of its files, or of what is done to them."""


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def sync(search, version, **options):
    with search.open(version.configuration) as store:
        return synchronise(store, version, **options)


def differences(search, version):
    with search.open(version.configuration) as store:
        return {d.collection: d.sample() for d in compare(store, version) if not d.is_empty}


def ids(search, text, **options):
    return [hit.id for hit in search.search("demo", text, **options)]


def index_folder(search) -> Path:
    return (search.folder("demo") / "current").resolve()


def test_a_first_synchronisation_indexes_objects_and_methods(search, lake):
    report = sync(search, made.version(lake, "v1"))

    assert report.differences == []
    assert {name: c.rows for name, c in report.collections.items()} == {"objects": 4, "methods": 2}
    assert report.total("bytes") > 0
    assert search.configurations() == ["demo"]


@pytest.mark.parametrize(
    "text", ["общего назначения", "ОбщегоНазначения", "общегоназначения", "Общее назначение"]
)
def test_an_identifier_is_found_by_its_words_and_as_a_whole(search, lake, text):
    sync(search, made.version(lake, "v1"))
    assert ids(search, text)[0] == made.COMMON


def test_word_forms_and_synonyms_find_an_object(search, lake):
    sync(search, made.version(lake, "v1"))
    assert ids(search, "валюта")[0] == made.RATES
    assert ids(search, "иностранной валюте") == [made.RATES]
    assert ids(search, "справочники") == [made.RATES]


def test_a_name_outranks_a_synonym_a_synonym_a_comment_a_comment_code(search, lake):
    rows = {
        "objects": [
            made.an_object("Catalog.Договор", None),
            made.an_object("Catalog.Б", None, synonym="Договор"),
            made.an_object("Catalog.В", None, comment="Договор"),
        ],
        "methods": [made.a_method("CommonModule.Г.Module.Г", "Договор();")],
    }
    sync(search, made.version(lake, "v1", rows))
    assert ids(search, "договоры") == [
        "Catalog.Договор", "Catalog.Б", "Catalog.В", "CommonModule.Г.Module.Г",
    ]  # fmt: skip


def test_words_standing_together_come_first(search, lake):
    rows = {
        "objects": [
            made.an_object("Catalog.ВалютаИПлатежаДата", None),
            made.an_object("Catalog.ДатаПлатежаВалюта", None),
        ]
    }
    sync(search, made.version(lake, "v1", rows))
    assert ids(search, "дата платежа")[0] == "Catalog.ДатаПлатежаВалюта"


def test_a_search_can_be_limited_by_kind_and_number(search, lake):
    sync(search, made.version(lake, "v1"))
    assert ids(search, "валюта", kinds=("Form",)) == [f"{made.RATES}.Form.ФормаСписка"]
    assert set(ids(search, "валюта", kinds=("Function",))) == {made.VALUE, made.CALLER}
    assert len(ids(search, "валюта", limit=1)) == 1
    assert ids(search, "валюта", kinds=("Document",)) == []


def test_a_hit_shows_the_original_text_with_the_found_words_marked(search, lake):
    sync(search, made.version(lake, "v1"))
    hit = next(h for h in search.search("demo", "договор валют") if h.id == made.VALUE)
    assert hit.highlights["code"] == ["Возврат Ссылка[А]; // **валюта** **договора**"]
    assert (hit.kind, hit.collection, hit.owner_id) == ("Function", "methods", made.COMMON)
    assert hit.facts["module_kind"] == "Module"
    assert hit.facts["signature"] == "ЗначениеРеквизитаОбъекта(А)"

    names = search.search("demo", "значения реквизита")[0].highlights["name"]
    assert names == ["**ЗначениеРеквизита**Объекта"]


@EMBEDDED
def test_nothing_changed_writes_nothing(search, lake):
    version = made.version(lake, "v1")
    sync(search, version)
    before = sorted(p.name for p in index_folder(search).iterdir())
    report = sync(search, version)
    assert sum(report.total(what) for what in ("added", "changed", "removed", "bytes")) == 0
    assert sorted(p.name for p in index_folder(search).iterdir()) == before


def test_changed_rows_alone_are_written_and_removed_ones_vanish(search, lake):
    sync(search, made.version(lake, "v1"))
    rows = made.rows()
    rows["methods"][0] = made.a_method(made.VALUE, "Возврат Контрагент;")
    rows["objects"].pop(1)

    report = sync(search, made.version(lake, "v2", rows))

    assert (report.total("added"), report.total("changed"), report.total("removed")) == (0, 1, 1)
    assert report.differences == []
    assert ids(search, "контрагенты") == [made.VALUE]
    assert ids(search, "договора") == []
    assert f"{made.RATES}.Form.ФормаСписка" not in ids(search, "валюты", limit=100)


@EMBEDDED
def test_documents_damaged_by_hand_are_named_and_repaired(search, lake):
    import tantivy

    version = made.version(lake, "v1")
    sync(search, version)
    writer = tantivy.Index.open(str(index_folder(search))).writer(15_000_000, 1)
    writer.delete_documents_by_term("key", docs.key("methods", made.VALUE))
    writer.commit()
    del writer

    assert differences(search, version) == {"methods": {"missing": [made.VALUE]}}
    assert sync(search, version).total("added") == 1
    assert differences(search, version) == {}


@EMBEDDED
@pytest.mark.parametrize("harm", ["cut", "lost", "meta"])
def test_a_damaged_index_is_no_empty_one_and_the_next_run_builds_it_anew(search, lake, harm):
    version = made.version(lake, "v1")
    sync(search, version)
    folder = index_folder(search)
    victim = folder / "meta.json" if harm == "meta" else next(folder.glob("*.term"))
    victim.write_bytes(
        victim.read_bytes()[: victim.stat().st_size // 2]
    ) if harm != "lost" else victim.unlink()

    with pytest.raises(PermanentError, match="damaged"):
        ids(search, "валюта")
    assert differences(search, version)["objects"]["missing"]
    assert sync(search, version).differences == []
    assert ids(search, "валюта")[0] == made.RATES
    assert not folder.exists()


@EMBEDDED
def test_a_new_mapping_is_built_beside_and_search_never_goes_dark(search, lake, monkeypatch):
    version = made.version(lake, "v1")
    sync(search, version)
    old = index_folder(search)
    monkeypatch.setattr(docs, "MAPPING", "0123abcd")
    seen = []

    report = sync(
        search, version, progress=lambda _: seen.append((ids(search, "валюта")[0], index_folder(search)))
    )

    assert seen == [(made.RATES, old)] * 2
    assert report.total("added") == 6
    assert report.differences == []
    assert index_folder(search).name.startswith("0123abcd")
    assert not old.exists()


def _die_while_writing(root: Path, lake: Path) -> None:
    version = Lake(lake).require("demo")
    sync(Tantivy(root), version, progress=lambda line: "methods" in line and os._exit(9))


@EMBEDDED
@pytest.mark.parametrize("first", [True, False])
def test_a_kill_while_writing_leaves_the_state_before_and_the_next_run_repairs(search, lake, first):
    if not first:
        sync(search, made.version(lake, "v0", {"objects": made.rows()["objects"][:1]}))
    version = made.version(lake, "v1")
    process = multiprocessing.get_context("spawn").Process(
        target=_die_while_writing, args=(search.root, lake.root)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9

    if first:
        assert search.configurations() == []
    else:
        assert ids(search, "общего назначения") == []
        assert ids(search, "валюта") == [made.RATES]
    assert sync(search, version).differences == []
    assert ids(search, "общего назначения")[0] == made.COMMON


@EMBEDDED
def test_two_runs_of_one_configuration_take_turns_and_search_does_not_wait(search, lake):
    version = made.version(lake, "v1")
    sync(search, version)
    failures = []

    def second():
        try:
            assert sync(search, version).total("added") == 0
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=second)
    with search.open("demo") as store:
        thread.start()
        assert ids(search, "валюта")[0] == made.RATES
        synchronise(store, version)
        with pytest.raises(TransientError, match="another run"), Tantivy(search.root, 0.1).open("demo"):
            pass
    thread.join(60)
    assert failures == []


@EMBEDDED
def test_names_are_data_and_never_commands(search, lake):
    rows = made.rows()
    rows["objects"].append(made.an_object(NASTY))
    version = made.version(lake, "v1", rows, configuration='../../it\'s "Конфигурация" */')
    sync(search, version)

    assert differences(search, version) == {}
    assert search.configurations() == [version.configuration]
    assert search.folder(version.configuration).parent == search.root
    assert [h.id for h in search.search(version.configuration, NASTY)] == [NASTY]
    search.drop(version.configuration)
    assert search.configurations() == []


def test_two_configurations_do_not_touch_each_other(search, lake):
    one, other = made.version(lake, "v1"), made.version(lake, "v1", configuration="other")
    sync(search, one)
    sync(search, other)
    assert search.configurations() == ["demo", "other"]
    search.drop("demo")
    assert search.configurations() == ["other"]
    assert differences(search, other) == {}
    with pytest.raises(PermanentError, match="synchronise it first"):
        ids(search, "валюта")


@pytest.mark.parametrize("text", ["", " .,;", 'AND OR NOT ( " * : ^', "слово" * 1000])
def test_any_text_can_be_searched(search, lake, text):
    sync(search, made.version(lake, "v1"))
    assert ids(search, text) == []


def test_a_long_question_needs_most_of_its_words():
    assert [plan("слово " * n).minimum for n in (1, 2, 3, 10, 100)] == [1, 2, 3, 7, 23]


def test_a_highlight_is_cut_to_a_readable_length_around_the_word():
    text = "а б " * 200 + "Валюта" + " в г" * 200
    (fragment,) = highlight(text, set(plan("валюты").words[0]))
    assert "**Валюта**" in fragment
    assert fragment.startswith("…") and fragment.endswith("…")
    assert len(fragment) < 220


def test_the_best_lines_are_shown_in_their_order():
    text = "дата\nничего\nдата платежа\nплатеж\nдата\nдата"
    terms = set(plan("дата платежа").sequence)
    assert highlight(text, terms) == ["**дата**", "**дата** **платежа**", "**платеж**"]


@EMBEDDED
def test_an_index_that_was_copied_elsewhere_still_works(search, lake, tmp_path):
    sync(search, made.version(lake, "v1"))
    shutil.copytree(search.root, tmp_path / "copy", symlinks=True)
    assert ids(Tantivy(tmp_path / "copy"), "валюта")[0] == made.RATES
