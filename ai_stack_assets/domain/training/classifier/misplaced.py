"""Methods that look like code of another subsystem than their object's: a list for people to go through. No model here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

LEAST = 0.9
"""Of 7,636 methods in unseen modules 300 were moved to objects of other subsystems: 0.9 lists 380, 120 of them moved; 0.99 lists
128, 56 of them moved. Of the others some look like another subsystem's code and are none: a person decides."""


def misplaced(rows: pa.Table, answers: pa.Table, *, least: float = LEAST) -> pa.Table:
    """The surest first: `id`, `object`, `method_name`, `subsystem`, `code_subsystem`, `code_score`.

    Args:
        rows: of the features table; with the label `subsystem` where it is known, else the vote of the object counts.
        answers: what `Classifier.predict` said of them.
        least: score of the text from which a method is listed.
    """
    import pyarrow.compute as pc

    belongs = answers["subsystem"]
    if "subsystem" in rows.schema.names:
        belongs = pc.coalesce(rows["subsystem"], belongs)
    listed = rows.select(["id", "object", "method_name"]).append_column("subsystem", belongs)
    for name in ("code_subsystem", "code_score"):
        listed = listed.append_column(name, answers[name])
    is_strange = pc.and_(
        pc.not_equal(listed["code_subsystem"], listed["subsystem"]),
        pc.greater_equal(listed["code_score"], least),
    )
    return listed.filter(is_strange).sort_by([("code_score", "descending"), ("id", "ascending")])
