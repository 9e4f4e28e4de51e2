"""What of a lake version becomes nodes and relationships."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.graph.projection import Projection
from ai_stack_assets.domain.stores.graph.schema import COLLECTIONS
from ai_stack_assets_tests.domain.stores.graph_lake import (
    BALANCE,
    COMMON,
    FORM,
    GOODS,
    ITEM,
    JOB,
    MANAGER,
    ON_CHANGE,
    PRICE,
    QUANTITY,
    RECOUNT,
    ROLE,
    ROOT,
    ROUND,
    STOCK,
    TABLE,
    a_field,
    a_method,
    a_reference,
    lake_version,
    tables,
)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def project(lake, rows=None, version_id="v1"):
    return Projection(lake_version(lake, rows or tables(), version_id))


def links(projection, collection, *columns):
    rows = projection.rows(collection).to_pylist()
    return {(row["from"], row["to"]): tuple(row[c] for c in columns) for row in rows}


def test_everything_but_form_items_is_a_node(lake):
    projection = project(lake)
    assert [projection.rows(label).num_rows for label in ("Object", "Field", "Module", "Method")] == [
        7,
        4,
        3,
        4,
    ]
    assert ITEM not in projection.rows("Field")["id"].to_pylist()


def test_ownership_runs_from_the_configuration_down_to_methods(lake):
    contains = links(project(lake), "CONTAINS")
    chain = [(ROOT, GOODS), (GOODS, FORM), (GOODS, MANAGER), (MANAGER, ROUND), (GOODS, TABLE)]
    assert set(chain) <= set(contains)
    assert (TABLE, f"{TABLE}.Attribute.Товар") in contains
    assert (GOODS, f"{TABLE}.Attribute.Товар") not in contains


def test_call_sites_of_one_caller_are_one_relationship_with_their_number_and_first_line(lake):
    calls = links(project(lake), "CALLS", "calls", "line")
    assert calls[RECOUNT, BALANCE] == (2, 3)
    assert set(calls) == {(RECOUNT, BALANCE), (BALANCE, ROUND), (ON_CHANGE, ROUND), (MANAGER, ROUND)}


def test_a_link_of_a_form_item_starts_at_the_form_and_names_the_item(lake):
    projection = project(lake)
    assert links(projection, "REFERENCES", "kind", "details")[FORM, PRICE] == (
        "DataPath",
        ["ПолеЦены:Объект.Цена"],
    )
    assert links(projection, "HANDLES", "kind", "details")[FORM, ON_CHANGE] == (
        "FormEvent",
        ["ПолеЦены:OnChange"],
    )
    assert links(projection, "HANDLES", "kind", "details")[JOB, RECOUNT] == ("ScheduledJobMethod", [])


def test_rights_of_a_role_on_an_object_are_one_relationship_and_denials_are_none(lake):
    grants = links(project(lake), "GRANTS", "rights", "restricted")
    assert grants == {(ROLE, GOODS): (["Read", "View"], ["Read"])}


def test_queries_read_tables_and_fields_under_any_case_and_totals_suffix(lake):
    reads = links(project(lake), "READS", "queries", "names")
    names = ["РегистрНакопления.Остатки", "РегистрНакопления.Остатки.Остатки"]
    assert reads[BALANCE, STOCK] == (2, names)
    assert reads[BALANCE, QUANTITY][0] == 2
    assert reads[ROUND, f"{TABLE}.Attribute.Товар"] == (1, ["Справочник.Товары.Состав.Товар.Код"])
    assert (ROUND, TABLE) in reads and (ROUND, GOODS) in reads


def test_a_dynamic_list_without_a_query_reads_its_main_table(lake):
    rows = tables()
    rows["fields"].append(a_field(f"{FORM}.Attribute.Список", FORM))
    rows["references"].append(
        a_reference(f"{FORM}.Attribute.Список", "MainTable", STOCK, "object", owner=FORM)
    )
    assert links(project(lake, rows), "READS", "queries", "names")[f"{FORM}.Attribute.Список", STOCK] == (
        0,
        [],
    )


def test_what_points_outside_the_configuration_is_left_out_and_counted(lake):
    projection = project(lake)
    assert "Catalog.НетТакого" not in projection.rows("REFERENCES")["to"].to_pylist()
    for collection in COLLECTIONS:
        projection.rows(collection)
    assert {name: count for name, count in projection.dangling.items() if count} == {"REFERENCES": 1}


def test_an_extension_method_tells_which_method_it_extends(lake):
    rows = tables()
    rows["methods"].append(a_method(f"{MANAGER}.Расш_Цена", 9, '[{"kind":"Around","target":"Цена"}]'))
    methods = {row["id"]: row for row in project(lake, rows).rows("Method").to_pylist()}
    assert (methods[f"{MANAGER}.Расш_Цена"]["annotation"], methods[f"{MANAGER}.Расш_Цена"]["extends"]) == (
        "Around",
        f"{MANAGER}.Цена",
    )
    assert methods[ROUND]["extends"] is None


def test_equal_lakes_give_equal_hashes_whatever_the_order_of_rows(lake):
    def hashes(projection):
        return {
            c: sorted(map(tuple, (r.values() for r in projection.hashes(c).to_pylist()))) for c in COLLECTIONS
        }

    from ai_stack_assets.domain.common.lake import write_version

    turned = {name: list(reversed(rows)) for name, rows in tables().items()}
    other = Projection(write_version(lake, "склад", turned, "v2"))
    assert hashes(project(lake)) == hashes(other)


def test_ids_are_unique_in_every_collection(lake):
    projection = project(lake)
    for collection in COLLECTIONS:
        ids = projection.hashes(collection)["id"].to_pylist()
        assert len(ids) == len(set(ids)) > 0


def test_an_empty_configuration_projects_to_nothing(lake):
    projection = project(lake, {name: [] for name in tables()})
    assert all(projection.rows(collection).num_rows == 0 for collection in COLLECTIONS)


def test_only_the_asked_rows_are_given(lake):
    import pyarrow as pa

    projection = project(lake)
    wanted = f"{BALANCE}>{ROUND}"
    rows = projection.rows("CALLS", pa.array([wanted])).to_pylist()
    assert [(row["id"], row["from_label"], row["to_label"]) for row in rows] == [(wanted, "Method", "Method")]
    assert COMMON not in projection.rows("CALLS")["from"].to_pylist()
