"""The vector store on both engines: the embedded one, and qdrant-client's local mode as the server."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from qdrant_client import QdrantClient

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, write_version
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
from ai_stack_assets.domain.stores.vectors.engine import Engine, Where
from ai_stack_assets.domain.stores.vectors.points import point_id
from ai_stack_assets.domain.stores.vectors.server import ServerEngine
from ai_stack_assets.domain.stores.vectors.store import VectorStores
from ai_stack_assets.domain.vectorisers import fitting
from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers
from ai_stack_assets_tests.domain.stores.vector_lake import BODIES, MAIL, RATES, lake_version

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
SEND = f"{MAIL}.ОтправитьПисьмо"


class Bench:
    """A lake and a vector store side by side."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.lake, self.engine = Lake(folder / "lake"), engine
        self.vectorisers = Vectorisers(folder / "vectorisers")
        self.stores = VectorStores(engine, self.vectorisers)

    def write(self, version_id: str, bodies=BODIES, configuration: str = "Торговля", line: int = 1):
        return lake_version(self.lake, configuration, version_id, bodies, line)

    def sync(self, version, *, refit: bool = False, **options):
        self.vectorisers.ensure(version, refit=refit)
        with self.stores.open(version.configuration) as store:
            return synchronise(store, version, **options)

    def differences(self, version):
        with self.stores.open(version.configuration) as store:
            return {d.collection: d for d in compare(store, version) if not d.is_empty}

    def ids(self, configuration: str = "Торговля", **query):
        query = query or {"row_id": SEND}
        return [found.payload["id"] for found in self.stores.similar(configuration, limit=20, **query)]


@pytest.fixture(params=["embedded", "server"])
def bench(request, tmp_path, monkeypatch):
    """One method of five is a large share: the model is fitted again only where a test asks for it."""
    monkeypatch.setattr(fitting, "MAX_DRIFT", 1.0)
    if request.param == "embedded":
        return Bench(tmp_path, EdgeEngine(tmp_path / "vectors", wait_seconds=5))
    client = QdrantClient(":memory:")
    return Bench(tmp_path, ServerEngine("http://qdrant:6333", connect=lambda: client))


def changed(id_: str = SEND, body: str = "Связь.Закрыть(); Получатели.Очистить();") -> dict[str, str]:
    return {**BODIES, id_: body}


def test_the_first_synchronisation_writes_every_object_and_method(bench):
    report = bench.sync(bench.write("v1"))
    rows = {name: (c.rows, c.added, c.changed, c.removed) for name, c in report.collections.items()}
    assert rows == {"objects": (2, 2, 0, 0), "methods": (5, 5, 0, 0)}
    assert report.differences == []
    assert report.total("bytes") > 0
    assert bench.stores.configurations() == ["Торговля"]


def test_nothing_changed_writes_nothing(bench):
    version = bench.write("v1")
    bench.sync(version)
    before = bench.engine.published("Торговля")
    report = bench.sync(version)
    assert (report.total("added"), report.total("changed"), report.total("bytes")) == (0, 0, 0)
    assert bench.engine.published("Торговля") == before


def test_one_changed_method_is_the_only_one_written(bench):
    bench.sync(bench.write("v1"))
    report = bench.sync(bench.write("v2", changed()))
    assert report.collections["methods"].changed == 1
    assert report.collections["objects"].changed == 0
    assert report.differences == []


def test_methods_that_only_moved_to_other_lines_are_not_written_again(bench):
    bench.sync(bench.write("v1"))
    report = bench.sync(bench.write("v2", line=40))
    assert report.total("changed") == 0


def test_removed_methods_vanish_from_the_answers(bench):
    bench.sync(bench.write("v1"))
    left = {id_: body for id_, body in BODIES.items() if id_ != f"{MAIL}.ОтправитьПисьма"}
    report = bench.sync(bench.write("v2", left))
    assert report.collections["methods"].removed == 1
    assert f"{MAIL}.ОтправитьПисьма" not in bench.ids()


def test_a_row_may_change_there_and_back_many_times(bench):
    versions = [bench.write("v1"), bench.write("v2", changed())]
    for turn in range(5):
        report = bench.sync(versions[turn % 2])
        assert report.differences == []
    assert len(bench.ids()) == 6


def test_damage_is_named_and_repaired_by_writing_only_that(bench):
    version = bench.write("v1")
    bench.sync(version)
    lost, spoilt = SEND, f"{RATES}.КурсВалюты"
    with bench.stores.open("Торговля") as store:
        store.space.delete(Where({"name": "ОтправитьПисьмо"}))
        store.space.set_payload([point_id("Торговля", spoilt, 0)], {"content_hash": "0"})
    found = bench.differences(version)["methods"].sample()
    assert found == {"missing": [lost], "different": [spoilt]}
    report = bench.sync(version)
    assert (report.total("added"), report.total("changed")) == (1, 1)
    assert bench.differences(version) == {}


def test_a_point_written_by_hand_is_unexpected_and_removed(bench):
    version = bench.write("v1")
    bench.sync(version)
    with bench.stores.open("Торговля") as store:
        vectors = store.vectoriser.encode_documents(["почта"])
        payload = {"id": "Чужой", "table": "methods", "configuration": "Торговля", "valid_from": 1}
        store.space.upsert(["5f5c1a53-0000-4000-8000-000000000001"], vectors, [payload])
    assert bench.differences(version)["methods"].sample() == {"unexpected": ["Чужой"]}
    assert bench.sync(version).differences == []
    assert bench.differences(version) == {}


def test_lost_points_are_never_passed_off_as_an_answer(bench):
    bench.sync(bench.write("v1"))
    with bench.stores.open("Торговля") as store:
        store.space.delete(Where({"table": "methods"}))
    with pytest.raises(PermanentError, match="2 of 7 are left"):
        bench.ids(text="почта")


def test_an_interrupted_synchronisation_leaves_the_last_one_visible(bench):
    bench.sync(bench.write("v1"))
    before, published = bench.ids(), bench.engine.published("Торговля")
    version = bench.write("v2", changed() | {f"{MAIL}.Новый": "Письмо.Закрыть();"})
    with bench.stores.open("Торговля") as store, pytest.raises(KeyboardInterrupt), store.transaction():
        store.delete("methods", pa.array([f"{MAIL}.НовоеСоединениеПочты"]))
        store.upsert(version, "methods", pa.array([SEND, f"{MAIL}.Новый"]))
        raise KeyboardInterrupt
    assert bench.engine.published("Торговля") == published
    assert bench.ids() == before
    report = bench.sync(version)
    assert (report.total("added"), report.total("changed"), report.total("removed")) == (1, 1, 0)
    assert report.differences == []
    assert f"{MAIL}.Новый" in bench.ids()


def test_what_a_run_replaced_is_deleted_by_the_next_one(bench):
    bench.sync(bench.write("v1"))
    bench.sync(bench.write("v2", changed()))
    with bench.stores.open("Торговля") as store:
        assert store.space.count(Where()) == 8
    bench.sync(bench.write("v3", changed(body="Письмо = Неопределено;")))
    with bench.stores.open("Торговля") as store:
        assert store.space.count(Where()) == 8


def test_two_configurations_do_not_see_each_other(bench):
    first, second = bench.write("v1"), bench.write("v1", {SEND: "Письмо.Отправить();"}, "Склад")
    bench.sync(first)
    bench.sync(second)
    bench.stores.drop("Склад")
    assert bench.stores.configurations() == ["Торговля"]
    assert bench.differences(first) == {}
    with pytest.raises(PermanentError, match="no vectors of Склад"):
        bench.ids("Склад")


def test_two_configurations_of_one_vectoriser_keep_their_rows_apart(bench):
    """Equal texts make equal models, so both lie in one collection of a server."""
    for name in ("Торговля", "Склад"):
        bench.sync(bench.write("v1", configuration=name))
    bench.stores.drop("Склад")
    assert bench.differences(bench.lake.require("Торговля")) == {}


def test_what_was_dropped_can_be_written_again(bench):
    version = bench.write("v1")
    bench.sync(version)
    bench.stores.drop("Торговля")
    assert bench.sync(version).collections["methods"].added == 5


def test_dropping_what_was_never_there_is_no_error(bench):
    bench.stores.drop("Никогда")


def test_a_new_model_writes_every_point_anew_and_search_answers_all_the_while(bench):
    bench.sync(bench.write("v1"))
    version = bench.write("v2", changed())
    bench.vectorisers.ensure(version, refit=True)
    before = bench.ids(text="курс валюты")
    with bench.stores.open("Торговля") as store, pytest.raises(KeyboardInterrupt), store.transaction():
        store.upsert(version, "objects", None)
        raise KeyboardInterrupt
    assert bench.ids(text="курс валюты") == before
    report = bench.sync(version)
    assert (report.total("added"), report.differences) == (7, [])
    assert len(bench.ids(text="курс валюты")) == 7


def test_the_space_of_an_older_model_is_removed_in_the_end(bench):
    bench.sync(bench.write("v1"))
    old = bench.engine.published("Торговля").space
    bench.sync(bench.write("v2", changed()), refit=True)
    bench.sync(bench.write("v3", changed(body="Письмо = Неопределено;")))
    with pytest.raises(PermanentError), bench.engine.open("Торговля", old):
        pass


def test_a_configuration_that_shrinks_to_nothing_is_refused(bench):
    bench.sync(bench.write("v1"))
    empty = write_version(bench.lake, "Торговля", {}, "v2")
    with pytest.raises(PermanentError, match="would shrink from 7 rows to 0"):
        bench.sync(empty)
    assert len(bench.ids()) == 6
    bench.sync(empty, allow_shrink=True)
    assert bench.differences(empty) == {}


def test_publishing_over_another_run_is_refused(bench):
    version = bench.write("v1")
    bench.sync(version)
    with bench.stores.open("Торговля") as store:
        synchronise(store, version)
        with pytest.raises(Exception, match="published by another run"), store.transaction():
            other = bench.engine.published("Торговля")
            bench.engine.publish("Торговля", type(other)(other.space, other.generation + 1, other.rows))


def test_similar_methods_of_a_method_come_first_and_without_itself(bench):
    bench.sync(bench.write("v1"))
    found = bench.ids(row_id=SEND, tables=["methods"])
    assert found[0] == f"{MAIL}.ОтправитьПисьма"
    assert SEND not in found


def test_words_find_methods_by_split_and_stemmed_identifiers(bench):
    bench.sync(bench.write("v1"))
    assert (
        bench.ids(text="загрузить курсы по валютам", tables=["methods"])[0] == f"{RATES}.ЗагрузитьКурсыВалют"
    )


def test_an_object_is_found_by_the_names_of_its_fields(bench):
    bench.sync(bench.write("v1"))
    assert bench.ids(text="наценка", tables=["objects"])[0] == "Catalog.Валюты"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"module_kind": "ManagerModule"}, 2),
        ({"module_kind": ["ManagerModule", "CommonModule"]}, 5),
        ({"is_export": True}, 3),
        ({"object_id": "Catalog.Валюты"}, 3),
        ({"kind": "Catalog"}, 1),
    ],
)
def test_answers_can_be_narrowed(bench, filters, expected):
    bench.sync(bench.write("v1"))
    assert len(bench.ids(text="почта курс", filters=filters)) == expected


def test_an_unknown_filter_is_refused_with_those_that_there_are(bench):
    with pytest.raises(PermanentError, match="by kind, module_kind"):
        bench.ids(text="почта", filters={"colour": "red"})


@pytest.mark.parametrize("text", ["", "  ", "zzz qqq"])
def test_a_text_without_known_words_is_an_error_and_not_an_empty_answer(bench, text):
    bench.sync(bench.write("v1"))
    with pytest.raises(PermanentError):
        bench.stores.similar("Торговля", text=text)


def test_an_unknown_row_is_named(bench):
    bench.sync(bench.write("v1"))
    with pytest.raises(PermanentError, match=r"Нет\.Такого is not among"):
        bench.stores.similar("Торговля", row_id="Нет.Такого")


def test_opening_before_the_vectoriser_is_fitted_says_so(bench):
    with pytest.raises(PermanentError, match="fit the vectoriser first"), bench.stores.open("Торговля"):
        pass


def test_names_that_are_injections_elsewhere_are_just_names(bench):
    name = '../../x\'; DROP (n) \\ "$" {{0}}'
    version = bench.write("v1", configuration="Обычная")
    lake_version(bench.lake, "Обычная", "v2", {f"{MAIL}.{name.replace('.', '')}": "Письмо();"} | BODIES)
    version = bench.lake.require("Обычная")
    assert bench.sync(version).differences == []


def test_a_drifted_model_is_fitted_again_and_one_changed_method_is_no_drift(bench, monkeypatch):
    monkeypatch.setattr(fitting, "MAX_DRIFT", 0.3)
    first = bench.vectorisers.ensure(bench.write("v1"))[1]
    same = bench.vectorisers.ensure(bench.write("v2", changed()))[1]
    other = bench.vectorisers.ensure(bench.write("v3", {id_: f"{b} Иное();" for id_, b in BODIES.items()}))[1]
    assert (first.is_refitted, same.is_refitted, other.is_refitted) == (True, False, True)
    assert same.version == first.version != other.version
