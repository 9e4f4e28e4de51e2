"""Splits that hold together what belongs together, stay where they are, and let no benchmark in."""

from __future__ import annotations

import random
from collections import Counter

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset import records, stage
from ai_stack_assets.domain.dataset.assignment import SPLITS, SplitRules
from ai_stack_assets.domain.dataset.dedupe.benchmarks import Benchmarks
from ai_stack_assets.domain.dataset.dedupe.deduplicate import deduplicate
from ai_stack_assets.domain.dataset.leaks import crossings
from ai_stack_assets.domain.dataset.splits import split

WEEK = "2026-11-15"


def code(seed, length=60, prefix="слово"):
    """A text that shares nothing with those of other seeds."""
    draw = random.Random(seed)
    return " ".join(f"{prefix}{seed}_{draw.randrange(30)}" for _ in range(length))


def renamed(text):
    return text.replace("слово", "имя")


def altered(text, changes):
    """Every change makes five of the shingles others."""
    words = text.split()
    for n in range(changes):
        words[(n + 1) * len(words) // (changes + 1)] = f"иное{n}"
    return " ".join(words)


def row(text, n, repository="a/b", path=None, **columns):
    return records.record(
        source="github", repository=repository, path=path or f"{n}.bsl", code=text, **columns
    )


class Weeks:
    """The stage week after week, as the pipeline runs it."""

    def __init__(self, folder):
        self.lakes = {name: Lake(folder / name) for name in ("filtered", "deduplicated", "splits")}
        self.count = 0

    def make(self, name, write):
        self.count += 1
        return stage.build(self.lakes[name], f"week-{self.count}", stage.key("1"), write)[0]

    def split(self, rows, previous=None, rules=None, benchmarks=None, clusters=None):
        table = pa.Table.from_pylist(rows, records.schema())
        version = self.make("filtered", lambda parts: parts.write("records", table) or {})
        return self.make(
            "splits",
            lambda parts: split(
                version, parts.write, clusters=clusters, previous=previous, rules=rules, benchmarks=benchmarks
            ),
        )


@pytest.fixture
def weeks(tmp_path):
    return Weeks(tmp_path)


def of_each(version):
    """Split of every record by path."""
    return {path: name for name in SPLITS for path in version.table(name)["path"].to_pylist()}


def some(count, start=0, repository="a/b"):
    return [row(code(n), n, repository) for n in range(start, start + count)]


def test_shares_are_as_asked_by_rows(weeks):
    version = weeks.split(some(400))
    assert Counter(of_each(version).values()) == {"train": 360, "validation": 20, "test": 20}
    assert version.manifest["facts"]["shares"] == {"train": 0.9, "validation": 0.05, "test": 0.05}
    halves = weeks.split(some(400), rules=SplitRules(validation=0, test=0.5))
    assert Counter(of_each(halves).values()) == {"train": 200, "test": 200}


@pytest.mark.parametrize(
    "pair",
    [
        lambda text: renamed(text),
        lambda text: altered(text, 3),
        lambda text: text.upper() + " // иначе",
    ],
    ids=["identifiers renamed", "half of it changed", "other case and a comment"],
)
def test_what_is_alike_stays_together(weeks, pair):
    rows = [row(code(n), n) for n in range(200)] + [row(pair(code(n)), f"{n}-twin") for n in range(200)]
    found = of_each(weeks.split(rows))
    assert len(set(found.values())) == 3
    assert all(found[f"{n}.bsl"] == found[f"{n}-twin.bsl"] for n in range(200))


def test_a_module_stays_together_in_its_file_and_across_versions_of_a_configuration(weeks):
    rows = [row(code(n), n, path=f"{n % 40}.bsl") for n in range(200)]
    place = [
        {"configuration": "УТ", "object": f"Catalog.К{n % 40}", "module_type": "ObjectModule"}
        for n in range(200)
    ]
    rows += [row(code(1000 + n), 0, f"c/{n}", f"{n}-x.bsl", **place[n]) for n in range(200)]
    found = weeks.split(rows)
    modules = {}
    for name in SPLITS:
        for r in found.table(name).to_pylist():
            modules.setdefault((r["repository"], r["path"]), set()).add(name)
            modules.setdefault((r["configuration"], r["object"]), set()).add(name)
    del modules["", ""]
    assert {len(names) for names in modules.values()} == {1}
    assert all(check.passed for check in crossings(found))


def test_small_repositories_stay_whole_and_large_ones_are_named(weeks):
    rows = some(400, 0, "large/one")
    for n in range(100):
        rows += [row(code(1000 + n * 4 + k), f"{n}-{k}", f"small/{n}") for k in range(4)]
    version = weeks.split(rows)
    by_repository = {}
    for name in SPLITS:
        for r in version.table(name).to_pylist():
            by_repository.setdefault(r["repository"], set()).add(name)
    assert all(len(by_repository[f"small/{n}"]) == 1 for n in range(100))
    assert len(by_repository["large/one"]) == 3
    assert version.manifest["facts"]["divided_names"]["repository"] == ["large/one"]


def test_trivial_methods_link_nothing(weeks):
    rows = [row(f"Процедура Имя{n}() Модуль.Выполнить(); КонецПроцедуры", n) for n in range(200)]
    version = weeks.split(rows)
    assert version.manifest["facts"]["groups"] == 200


def test_growing_moves_nothing(weeks):
    rows = some(300)
    first = weeks.split(rows)
    before = of_each(first)
    second = weeks.split(rows + some(700, 300), previous=first)
    after = of_each(second)
    assert {path: after[path] for path in before} == before
    assert Counter(after.values()) == {"train": 900, "validation": 50, "test": 50}
    third = weeks.split(rows[:50] + some(700, 300), previous=second)
    assert all(name == after[path] for path, name in of_each(third).items())
    # what was gone for a week comes back to where it was
    fourth = weeks.split(rows, previous=third)
    assert of_each(fourth) == before


def test_a_method_that_changed_and_what_replaces_a_duplicate_stay_where_they_were(weeks):
    def week(rows, previous=None):
        table = pa.Table.from_pylist(rows, records.schema())
        merged = weeks.make("filtered", lambda parts: parts.write("records", table) or {})
        unique = weeks.make("deduplicated", lambda parts: deduplicate(merged, parts.write))
        return weeks.make(
            "splits", lambda parts: split(unique, parts.write, clusters=unique, previous=previous)
        )

    first = week(some(200))
    before = of_each(first)
    rewritten = [row(code(1000 + n), n) for n in range(200)]
    assert of_each(week(rewritten, first)) == before
    # a documented twin elsewhere is the better one now
    twins = [row(altered(code(n), 1), f"twin-{n}", "c/d", doc_comment="Что делает") for n in range(200)]
    after = of_each(week(some(200) + twins, first))
    assert after == {f"twin-{path}": name for path, name in before.items()}


def test_the_order_of_records_does_not_matter(weeks):
    rows = some(200)
    assert of_each(weeks.split(rows)) == of_each(weeks.split(rows[::-1]))


def linked(weeks, bridge):
    """Two weeks; in the second comes what `bridge` makes of a training text and a test text."""
    rows = some(200)
    first = weeks.split(rows)
    found = of_each(first)
    here = next(r for r in rows if found[r["path"]] == "train")
    there = next(r for r in rows if found[r["path"]] == "test")
    second = weeks.split(rows + bridge(here, there), previous=first)
    return found, of_each(second), second


def test_a_new_record_that_links_two_splits_is_withheld_and_nothing_moves(weeks):
    def bridge(here, there):
        # nearly the one, in the module of the other
        return [
            row(altered(here["code"], 2), "bridge", path=there["path"], method_name="Мост"),
            row(code(900), "beside"),
        ]

    before, after, version = linked(weeks, bridge)
    assert "Мост" not in [
        name for split in SPLITS for name in version.table(split)["method_name"].to_pylist()
    ]
    assert {path: after[path] for path in before} == before
    assert "beside.bsl" in after
    (withheld,) = version.table("withheld").to_pylist()
    assert withheld["reason"] == "links_splits"
    assert all(check.passed for check in crossings(version))


def test_of_new_records_that_link_two_splits_together_the_one_beside_evaluation_is_withheld(weeks):
    before, after, version = linked(
        weeks,
        lambda a, b: [
            row(altered(a["code"], 2), "left", path="new.bsl"),
            row(altered(b["code"], 2), "right", path="new.bsl"),
        ],
    )
    assert version.rows("withheld") == 1
    assert after["new.bsl"] == "train"
    assert all(check.passed for check in crossings(version))
    assert {path: after[path] for path in before} == before


def test_the_link_is_tried_again_when_one_side_is_gone(weeks):
    rows = some(200)
    first = weeks.split(rows)
    found = of_each(first)
    here = next(r for r in rows if found[r["path"]] == "train")
    there = next(r for r in rows if found[r["path"]] == "test")
    bridge = row(altered(here["code"], 2), "bridge", path=there["path"], method_name="Мост")
    second = weeks.split([*rows, bridge], previous=first)
    third = weeks.split([r for r in [*rows, bridge] if r is not there], previous=second)
    assert second.rows("withheld") == 1
    assert "Мост" in third.table("train")["method_name"].to_pylist()


def test_remembered_records_that_come_to_be_linked_leave_the_split_that_matters_least(weeks):
    rows = some(200)
    first = weeks.split(rows)
    found = of_each(first)
    here = next(r for r in rows if found[r["path"]] == "train")
    there = next(r for r in rows if found[r["path"]] == "test")
    # both turn out to be of one module
    for r in (here, there):
        r.update(configuration="УТ", object="Catalog.Товары")
    second = weeks.split(rows, previous=first)
    after = of_each(second)
    assert here["path"] not in after
    assert after[there["path"]] == "test"
    assert all(check.passed for check in crossings(second))


def test_benchmark_code_is_in_no_split(weeks):
    rows = some(100)
    benchmark = code(5000)
    hidden = [
        row(benchmark.upper(), "same"),
        row(altered(benchmark, 1), "near"),
        row(f"{code(6000, 200)} {benchmark} {code(6001, 200)}", "containing"),
    ]
    known = rows[7]["content_hash"]
    listed = Benchmarks((code(7000), benchmark, "А = 1;"), frozenset([known]))
    version = weeks.split(
        [*rows, *hidden, row("А=1;", "short"), row("А=1; Б=2;", "longer")], benchmarks=listed
    )
    withheld = version.table("withheld")
    assert set(withheld["path"].to_pylist()) == {
        "same.bsl",
        "near.bsl",
        "containing.bsl",
        "7.bsl",
        "short.bsl",
    }
    assert set(withheld["reason"].to_pylist()) == {"contaminated"}
    assert len(of_each(version)) == 100


def test_crossings_are_found(weeks):
    rows = [
        row(code(1), 1, path="one.bsl"),
        row(code(2), 2, path="one.bsl"),
        row(code(3), 3),
        row(code(3), 4),
        row(code(5), 5),
        row(renamed(code(5)), 6),
        row(code(7), 7, configuration="УТ", object="Catalog.А"),
        row(code(8), 8, configuration="УТ", object="Catalog.А"),
    ]
    tables = {"train": rows[::2], "validation": [], "test": rows[1::2]}

    def write(parts):
        for name, some_rows in tables.items():
            parts.write(name, pa.Table.from_pylist(some_rows, records.schema()))
        return {}

    kept = pa.table({"kept_ids": [[rows[0]["id"], rows[3]["id"], "not here"]]})
    clusters = weeks.make("deduplicated", lambda parts: parts.write("clusters", kept) or {})
    found = {check.name: check for check in crossings(weeks.make("splits", write), clusters)}
    assert {name: check.count for name, check in found.items()} == {
        "no_content_hash_crosses_splits": 1,
        "no_cluster_crosses_splits": 1,
        "no_module_crosses_splits": 1,
        "no_object_module_crosses_splits": 1,
        "no_group_crosses_splits": 3,
    }
    assert not any(check.passed for check in found.values())
    assert found["no_content_hash_crosses_splits"].sample == [rows[2]["id"], rows[3]["id"]]


def test_clusters_of_deduplication_stay_together(weeks):
    # a chain whose ends are both kept
    rows = some(100)
    rows += [row(altered(code(100, 100), n), f"chain-{n}") for n in range(3)]
    table = pa.Table.from_pylist(rows, records.schema())
    merged = weeks.make("filtered", lambda parts: parts.write("records", table) or {})
    deduplicated = weeks.make("deduplicated", lambda parts: deduplicate(merged, parts.write))
    version = weeks.make("splits", lambda parts: split(deduplicated, parts.write, clusters=deduplicated))
    assert all(check.passed for check in crossings(version, deduplicated))


def test_nothing_gives_empty_splits(weeks):
    version = weeks.split([])
    assert [version.rows(name) for name in (*SPLITS, "assignments", "withheld")] == [0] * 5
    assert all(check.passed for check in crossings(version))
