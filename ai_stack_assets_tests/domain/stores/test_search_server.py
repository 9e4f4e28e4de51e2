"""What is sent to an Elasticsearch server and what becomes of its errors. What it finds: `integration`."""

import socket

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search import elasticsearch_store
from ai_stack_assets.domain.stores.search.elasticsearch_query import compiled
from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch, alias
from ai_stack_assets.domain.stores.search.query import plan
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.domain.stores import table_lake as made
from ai_stack_assets_tests.domain.stores.elasticsearch_stub import ElasticsearchStub

DEMO = alias("demo")


@pytest.fixture
def stub():
    stub = ElasticsearchStub()
    yield stub
    stub.server.shutdown()
    stub.server.server_close()


@pytest.fixture
def search(stub) -> Elasticsearch:
    return Elasticsearch(stub.url, retries=1)


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def sync(search, version, **options):
    with search.open(version.configuration) as store:
        return synchronise(store, version, **options)


def differences(search, version):
    with search.open(version.configuration) as store:
        return {d.collection: d.sample() for d in compare(store, version) if not d.is_empty}


def test_a_first_synchronisation_fills_an_index_and_then_gives_it_the_alias(stub, search, lake):
    report = sync(search, made.version(lake, "v1"))

    assert report.differences == []
    assert len(stub.documents(DEMO)) == report.total("added") == 6
    assert stub.aliases[DEMO].startswith(f"{DEMO}-v{docs.MAPPING}-")
    bulk = max(i for i, (_, path) in enumerate(stub.requests) if path.endswith("_bulk"))
    assert stub.requests.index(("POST", "_aliases")) > bulk
    assert search.configurations() == ["demo"]


def test_a_document_has_the_original_and_its_terms(stub, search, lake):
    sync(search, made.version(lake, "v1"))
    document = stub.documents(DEMO)[docs.key("objects", made.COMMON)]
    assert document["name"] == "ОбщегоНазначения"
    assert document["name_terms"] == "общегоназначен общ назначен"
    assert set(document) - {"_seq_no"} == set(stub.indexes[stub.aliases[DEMO]]["mappings"]["properties"])


def test_nothing_changed_sends_no_document(stub, search, lake):
    version = made.version(lake, "v1")
    sync(search, version)
    stub.requests.clear()
    assert sync(search, version).total("bytes") == 0
    assert not any(path.endswith("_bulk") for _, path in stub.requests)


def test_the_difference_alone_is_sent_to_a_copy_that_takes_the_alias_over(stub, search, lake):
    sync(search, made.version(lake, "v1"))
    rows = made.rows()
    rows["methods"][0] = made.a_method(made.VALUE, "Возврат 1;")
    rows["objects"].pop(1)
    stub.requests.clear()
    searched, during = stub.aliases[DEMO], []

    report = sync(
        search, made.version(lake, "v2", rows), progress=lambda _: during.append(stub.aliases[DEMO])
    )

    assert during == [searched, searched]
    assert [*stub.indexes] == [stub.aliases[DEMO]] != [searched]
    assert report.differences == []
    assert (report.total("changed"), report.total("removed"), report.total("added")) == (1, 1, 0)
    paths = [path for _, path in stub.requests]
    bulk = [i for i, path in enumerate(paths) if path.endswith("_bulk")]
    assert len(bulk) == 2
    assert sum("_refresh" in path for path in paths[bulk[0] :]) == 1
    assert sum(path == "_aliases" for path in paths) == 1


def test_pages_of_what_it_holds_are_put_together(stub, search, lake, monkeypatch):
    version = made.version(lake, "v1")
    sync(search, version)
    monkeypatch.setattr(elasticsearch_store, "PAGE", 2)
    assert differences(search, version) == {}


def test_damage_by_hand_is_named_and_repaired(stub, search, lake):
    version = made.version(lake, "v1")
    sync(search, version)
    held = stub.documents(DEMO)
    del held[docs.key("methods", made.VALUE)]
    held["extra"] = {"collection": "objects", "id": "extra", "content_hash": "", "_seq_no": 98}
    held[docs.key("objects", made.RATES)]["_seq_no"] = 99

    assert differences(search, version) == {
        "objects": {"different": [made.RATES], "unexpected": ["extra"]},
        "methods": {"missing": [made.VALUE]},
    }
    stub.sequence = 99
    report = sync(search, version)
    assert (report.total("added"), report.total("changed"), report.total("removed")) == (1, 1, 1)
    assert report.differences == []


def test_a_new_mapping_is_filled_beside_and_takes_the_alias_over(stub, search, lake, monkeypatch):
    version = made.version(lake, "v1")
    sync(search, version)
    old, during = stub.aliases[DEMO], []
    monkeypatch.setattr(docs, "MAPPING", "0123abcd")

    report = sync(search, version, progress=lambda _: during.append(stub.aliases[DEMO]))

    assert during == [old, old]
    assert report.differences == []
    [index] = stub.indexes
    assert index.startswith(f"{DEMO}-v0123abcd-")


def test_what_an_interrupted_first_run_left_is_made_anew(stub, search, lake):
    version = made.version(lake, "v1")

    class Killed(BaseException):
        pass

    def kill(_):
        raise Killed

    with pytest.raises(Killed):
        sync(search, version, progress=kill)
    assert search.configurations() == []
    assert set(differences(search, version)) == {"objects", "methods"}
    assert sync(search, version).differences == []


def test_two_configurations_do_not_touch_each_other(stub, search, lake):
    nasty = "it's/..,*\\\" Конфигурация"
    one, other = made.version(lake, "v1"), made.version(lake, "v1", configuration=nasty)
    sync(search, one)
    sync(search, other)
    assert search.configurations() == ["demo", nasty]
    search.drop(nasty)
    assert search.configurations() == ["demo"]
    assert differences(search, one) == {}


@pytest.mark.parametrize(("status", "kind"), [(429, TransientError), (400, PermanentError)])
def test_a_refused_document_is_an_error_that_names_it(stub, search, lake, status, kind):
    stub.refuse = status
    with pytest.raises(kind, match=r"was refused.*ELASTICSEARCH_URL"):
        sync(search, made.version(lake, "v1"))
    assert stub.aliases == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, PermanentError),
        (403, PermanentError),
        (400, PermanentError),
        (429, TransientError),
        (503, TransientError),
    ],
)
def test_a_status_is_worth_another_try_or_not(stub, search, status, kind):
    stub.fail = status
    with pytest.raises(kind, match=f"{status}.*ELASTICSEARCH_URL"):
        search.configurations()
    assert len(stub.requests) == (2 if kind is TransientError else 1)


def test_a_missing_server_names_the_setting_and_no_password():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TransientError, match="ELASTICSEARCH_URL") as caught:
        Elasticsearch(f"http://me:secret@127.0.0.1:{port}", retries=0).configurations()
    assert "secret" not in str(caught.value)


def test_a_silent_server_is_given_up_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = Elasticsearch(f"http://127.0.0.1:{silent.getsockname()[1]}", request_seconds=0.5)
        with pytest.raises(TransientError, match="ELASTICSEARCH_URL"):
            client.configurations()


@pytest.mark.parametrize("url", ["host", "http://host"])
def test_a_bad_url_is_permanent(url):
    with pytest.raises(PermanentError, match="ELASTICSEARCH_URL"):
        Elasticsearch(url).configurations()


def test_another_product_is_permanent(stub, search):
    stub.product = "OpenSearch"
    with pytest.raises(PermanentError, match="ELASTICSEARCH_URL"):
        search.configurations()


def test_a_question_asks_for_all_parts_prefers_the_whole_and_weighs_the_name_most():
    query = compiled(plan("ОбщегоНазначения", ("Catalog",)))["bool"]
    (word,) = query["must"][0]["bool"]["should"]
    parts = [part["dis_max"]["queries"][0]["term"]["name_terms"] for part in word["bool"]["must"]]
    assert parts == [{"value": "общ", "boost": 8.0}, {"value": "назначен", "boost": 8.0}]
    assert query["should"][0]["dis_max"]["queries"][0]["term"]["name_terms"]["value"] == "общегоназначен"
    assert query["filter"] == [{"terms": {"kind": ["Catalog"]}}]
