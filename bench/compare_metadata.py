"""Metadata found by our readers against mdclasses, the reference reader: by category, the full names must
be the same.

    python bench/compare_metadata.py <folder of a configuration>…

Needs Java 17; the reference is built once with Maven (bench/reference/metadata). What is compared: every
object and field with its uuid, modules by type, value types, form items, attributes and handlers, rights,
data sets, content lists. Standard attributes, which the reference synthesises, are left out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from ai_stack_assets.domain.onec.assembly import GroupRows, assemble
from ai_stack_assets.domain.onec.kinds import EXTERNAL_KINDS, ROOT_KINDS
from ai_stack_assets.domain.onec.layout import Root, discover, list_files
from ai_stack_assets.domain.onec.model import Node, Rejection
from ai_stack_assets.domain.onec.reader import parse_file

HARNESS = Path(__file__).parent / "reference" / "metadata"
BUILT = Path(__file__).parent / ".work" / "metadata-reference"

CLASSES = {
    # our kind: the reference's class, where the names differ
    "Attribute": "ObjectAttribute",
    "TabularSection": "ObjectTabularSection",
    "Form": "ObjectForm",
    "Command": "ObjectCommand",
    "Template": "ObjectTemplate",
    "Column": "DocumentJournalColumn",
    "URLTemplate": "HTTPServiceURLTemplate",
    "Method": "HTTPServiceMethod",
    "Operation": "WebServiceOperation",
    "Parameter": "WebServiceOperationParameter",
    "AddressingAttribute": "TaskAddressingAttribute",
    "Table": "ExternalDataSourceTable",
    "Cube": "ExternalDataSourceCube",
    "DimensionTable": "ExternalDataSourceCubeDimensionTable",
    "Function": "ExternalDataSourceFunction",
    "Field": "ExternalDataSourceTableField",
}
BEYOND = {
    "RecalculationDimension",
    "FormAttributeColumn",
    "FormCommand",
    "FormParameter",
    "PredefinedItem",
    "RestrictionTemplate",
    "RoutePoint",
    "SchemaParameter",
}
"""Kinds that the reference does not model."""

UNTYPED = {"Command", "CommonCommand", "FilterCriterion"}
"""Kinds whose value types the reference does not give."""

LINKS = {
    "RoleRight",
    "RoleRightDenied",
    "SubsystemContent",
    "FunctionalOptionContent",
    "ExchangePlanContent",
    "CommonAttributeContent",
    "RegisterRecord",
    "Owner",
    "SubscriptionHandler",
    "ScheduledJobMethod",
}


PROTECTED = b"\xff\xff\xff\x7f"
"""How a compiled module without source starts, whatever its file is called."""

_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""In place of a name: what a deleted object left in a list. The reference makes nothing of it."""


def build_reference() -> Path:
    if not (BUILT / "metadata-reference.jar").exists():
        subprocess.run(["mvn", "-q", "-B", "package"], cwd=HARNESS, check=True)
    return BUILT


def reference(root: Root) -> dict[str, Counter[str]]:
    target = build_reference()
    kind = "external" if root.kind in EXTERNAL_KINDS else "configuration"
    if root.layout == "designer":
        source = root.path / f"{root.name}.xml" if kind == "external" else root.path
    else:
        source = (
            root.path / f"{root.kind}s/{root.name}/{root.name}.mdo"
            if kind == "external"
            else root.path.parent
        )
    classpath = f"{target / 'metadata-reference.jar'}:{target / 'dependency'}/*"
    done = subprocess.run(
        ["java", "-cp", classpath, "MetadataReference", str(source), kind],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found = json.loads(done.stdout)
    print(f"  mdclasses: {int(found.pop('milliseconds')[0]) / 1000:.1f} s in its process")
    return {category: Counter(names) for category, names in found.items()}


def ours(root: Root) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """By category, full names as the reference writes them; and rejected rows by reason."""
    started = time.process_time()
    files, rejected = list_files(root)
    reasons = Counter(row.reason for row in rejected)
    groups: dict[str, dict[str, Node | None]] = {}
    for file in files:
        facts = groups.setdefault(file.group, {})
        if file.role == "module":
            facts[file.path] = None
            continue
        try:
            facts[file.path] = parse_file(root.layout, file.role, (root.path / file.path).read_bytes())
        except Rejection as rejection:
            reasons[rejection.reason] += 1
    found = _Found()
    for group, facts in groups.items():
        rows = assemble(root, group, facts)
        reasons.update(row.reason for row in rows.rejected)
        found.add(root, rows)
    print(f"  ours: {time.process_time() - started:.1f} s, {sum(len(c) for c in found.names.values())} facts")
    return found.names, reasons


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(len(PROTECTED))


class _Found:
    def __init__(self) -> None:
        self.names: dict[str, Counter[str]] = {}

    def put(self, category: str, name: str) -> None:
        self.names.setdefault(category, Counter())[name] += 1

    def add(self, root: Root, rows: GroupRows) -> None:
        for row in rows.objects:
            self.put(
                CLASSES.get(row.kind, row.kind) if row.kind not in ROOT_KINDS else "Configuration", row.id
            )
            if row.uuid and row.kind not in ROOT_KINDS:
                self.put("uuid", f"{row.id} {row.uuid}")
            if "Types" in (properties := json.loads(row.properties)) and row.kind not in UNTYPED:
                self.types(row.id, properties["Types"])
        for row in rows.fields:
            self.field(row)
        for row in rows.modules:
            owner, _, _ = row.id.rpartition(".")
            self.put(f"module {row.kind}", owner)
            if row.path.endswith(".bin") or (row.path and _head(root.path / row.path) == PROTECTED):
                self.put("module protected", owner)
        for row in rows.references:
            target = row.target_id
            if row.kind in ("SubscriptionHandler", "ScheduledJobMethod"):
                target = target.replace(".Module.", ".", 1)
            if row.kind in LINKS:
                self.put(row.kind, f"{row.source_id} {_UUID.sub('?', target)}")
            elif row.kind == "FormHandler":
                self.put(row.kind, f"{row.source_id} {row.detail} {target.rpartition('.')[2]}")
        for query in rows.queries:
            if query.source == "data_composition":
                self.put("DataSetQuery", query.place_id)

    def field(self, row) -> None:
        if row.kind == "FormItem":
            if "Place" not in json.loads(row.properties):
                self.put("FormItem", f"{row.object_id} {row.name}")
        elif row.kind == "FormAttribute":
            self.put("FormAttribute", f"{row.object_id} {row.name}")
        elif row.kind in ("DataSet", "DataSetField"):
            self.put(row.kind, row.object_id)
        elif row.kind not in BEYOND:
            self.put(CLASSES.get(row.kind, row.kind), row.id)
            if row.uuid:
                self.put("uuid", f"{row.id} {row.uuid}")
            if row.types != "[]":
                self.types(row.id, json.loads(row.types))

    def types(self, row_id: str, types: list[dict]) -> None:
        self.put(
            "Types",
            " ".join([row_id, *sorted(entry["type"].replace("DataCompositionS", "S") for entry in types)]),
        )


def compare(root: Root) -> int:
    print(f"{root.name}: {root.kind}, {root.layout}, {root.path}")
    theirs, (mine, rejected) = reference(root), ours(root)
    if "Types" in theirs:
        theirs["Types"] = Counter(
            name.replace(" DataCompositionS", " S") for name in theirs["Types"].elements()
        )
    for category in ("DataSet", "DataSetField", "DataSetQuery"):
        if category in theirs:
            theirs[category] = Counter(name.split(" ")[0] for name in theirs[category].elements())
    different = 0
    print(f"  {'category':36}{'ours':>8}{'mdclasses':>11}  difference")
    for category in sorted({*mine, *theirs}):
        a, b = mine.get(category, Counter()), theirs.get(category, Counter())
        more, less = a - b, b - a
        different += bool(more or less)
        note = "equal" if not more and not less else f"+{more.total()} -{less.total()}"
        print(f"  {category:36}{a.total():8}{b.total():11}  {note}")
        for sign, names in (("+", more), ("-", less)):
            for name in sorted(names)[:SAMPLES]:
                print(f"      {sign} {re.sub(chr(10), ' ', name)[:150]}")
    print(
        f"  rejected: {dict(rejected)}\n  {'EQUAL' if not different else f'{different} categories differ'}\n"
    )
    return different


SAMPLES = 3


def main(folders: list[str]) -> int:
    return sum(compare(root) for folder in folders for root in discover(Path(folder))) and 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
