import pyarrow as pa

from ai_stack_assets.domain.common.difference import row_changes


def rows(**hashes):
    return pa.table(
        {
            "id": pa.array(list(hashes), pa.string()),
            "content_hash": pa.array(list(hashes.values()), pa.string()),
        }
    )


def changes(now, before):
    return [ids.to_pylist() for ids in row_changes(now, before)]


def test_rows_are_added_changed_and_removed_by_id_and_hash():
    assert changes(rows(a="1", b="2", c="3"), rows(b="2", c="4", d="5")) == [["a"], ["c"], ["d"]]


def test_equal_rows_in_another_order_and_in_pieces_are_no_change():
    before = pa.concat_tables([rows(c="3"), rows(a="1", b="2")])
    assert changes(rows(a="1", b="2", c="3"), before) == [[], [], []]


def test_nothing_against_something_and_back():
    assert changes(rows(), rows(a="1")) == [[], [], ["a"]]
    assert changes(rows(a="1"), rows()) == [["a"], [], []]
    assert changes(rows(), rows()) == [[], [], []]


def test_a_row_that_lost_its_hash_is_changed():
    assert changes(rows(a="1"), rows(a=None)) == [[], ["a"], []]


def test_a_second_row_with_the_same_id_is_one_too_many():
    assert changes(rows(a="1"), pa.concat_tables([rows(a="1"), rows(a="1")])) == [[], [], ["a"]]
