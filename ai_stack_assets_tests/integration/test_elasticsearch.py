"""Against a real Elasticsearch: the embedded engine stands beside it, both must find the same."""

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch
from ai_stack_assets.domain.stores.search.tantivy_store import Tantivy
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.domain.stores import table_lake as made


@pytest.fixture
def search(elasticsearch_server):
    elasticsearch_server.empty()
    client = Elasticsearch(elasticsearch_server.url)
    client.drop("demo")
    yield client
    client.drop("demo")


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def sync(client, version, **options):
    with client.open("demo") as store:
        return synchronise(store, version, **options)


@pytest.mark.parametrize(
    "text",
    [
        *("общего назначения", "ОбщегоНазначения", "валюта", "иностранной валюте", "справочники", "AND (*:"),
        *("значения реквизита объекта", "договор валют", "КурсВалюты"),
    ],
)
def test_both_engines_find_the_same_and_show_the_same(search, lake, tmp_path, text):
    embedded = Tantivy(tmp_path / "search")
    version = made.version(lake, "v1")
    for client in (search, embedded):
        assert sync(client, version).differences == []

    there, here = search.search("demo", text), embedded.search("demo", text)

    assert {(h.id, str(h.highlights)) for h in there} == {(h.id, str(h.highlights)) for h in here}
    assert [h.id for h in there][:1] == [h.id for h in here][:1]


def test_a_change_is_one_document_and_shows_after_the_run(search, lake):
    sync(search, made.version(lake, "v1"))
    rows = made.rows()
    rows["methods"][0] = made.a_method(made.VALUE, "Возврат Контрагент;")
    rows["objects"].pop(1)
    during = []

    report = sync(
        search,
        made.version(lake, "v2", rows),
        progress=lambda _: during.append([h.id for h in search.search("demo", "контрагенты")]),
    )

    assert during[0] == []
    assert (report.total("changed"), report.total("removed"), report.differences) == (1, 1, [])
    assert [h.id for h in search.search("demo", "контрагенты")] == [made.VALUE]
    assert sync(search, made.version(lake, "v3", rows)).total("bytes") == 0


def test_a_new_mapping_takes_over_without_a_gap(search, lake, monkeypatch):
    version = made.version(lake, "v1")
    sync(search, version)
    monkeypatch.setattr(docs, "MAPPING", "0123abcd")
    seen = []
    sync(search, version, progress=lambda _: seen.append(len(search.search("demo", "валюта"))))
    assert seen[0] == seen[1] > 0
    with search.open("demo") as store:
        assert all(d.is_empty for d in compare(store, version))
    assert search.configurations() == ["demo"]


def test_kinds_limit_a_search(search, lake):
    sync(search, made.version(lake, "v1"))
    assert [h.kind for h in search.search("demo", "валюта", ("Form",))] == ["Form"]
