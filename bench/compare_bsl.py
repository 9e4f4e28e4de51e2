"""Compare the BSL reader with bsl-parser, module by module: `python bench/compare_bsl.py FOLDER …`.

Without a folder: the modules in `bench/reference/bsl/constructs`, which hold every construct of the language.
Counts and lists must be equal: methods, exports, parameters, regions, call sites with method and line,
complexity and statements. Needs Java 17 and Maven; the first run builds `bench/reference/bsl`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference" / "bsl"
BUILT = Path(__file__).parent / ".work" / "bsl-reference"
SHOWN = 20


@dataclass
class Counts:
    """What one module holds, in comparable form."""

    methods: list[tuple] = field(default_factory=list)
    """(name, kind, is_export, names of parameters, start_line, end_line)"""
    measures: list[tuple] = field(default_factory=list)
    """(name, cyclomatic, cognitive, statements)"""
    regions: list[tuple] = field(default_factory=list)
    """(name, line)"""
    calls: list[tuple] = field(default_factory=list)
    """(method index, name, line)"""
    errors: int = 0
    """Error nodes in the reference's tree."""

    def totals(self) -> Counter:
        return Counter(
            methods=len(self.methods),
            exports=sum(m[2] for m in self.methods),
            parameters=sum(len(m[3]) for m in self.methods),
            regions=len(self.regions),
            calls=len(self.calls),
            cyclomatic=sum(m[1] for m in self.measures),
            cognitive=sum(m[2] for m in self.measures),
            statements=sum(m[3] for m in self.measures),
        )


def ours(path: Path) -> Counts | None:
    """None for a module without source."""
    from ai_stack_assets.domain.bsl.decoding import decode
    from ai_stack_assets.domain.bsl.module import parse_module

    decoded = decode(path.read_bytes())
    if decoded.status == "protected":
        return None
    facts = parse_module(decoded.text)
    return Counts(
        [
            (m.name, m.kind, m.is_export, tuple(p.name for p in m.parameters), m.start_line, m.end_line)
            for m in facts.methods
        ],
        [(m.name, m.cyclomatic, m.cognitive, m.statements) for m in facts.methods],
        [(r.name, r.start_line) for r in facts.regions],
        [(c.method, c.name, c.line) for c in facts.calls],
    )


def build_reference() -> None:
    source = max(path.stat().st_mtime for path in REFERENCE.rglob("*") if path.is_file())
    built = BUILT / "bsl-reference-1.jar"
    if not built.exists() or built.stat().st_mtime < source:
        subprocess.run(["mvn", "-q", "-B", "package"], cwd=REFERENCE, check=True)


def reference(paths: list[Path]) -> Iterator[tuple[Path, Counts]]:
    """bsl-parser's view of each file."""
    command = ["java", "-Xss64m", "-cp", f"{BUILT / 'classes'}:{BUILT / 'lib'}/*", "BslReference"]
    names = "\n".join(map(str, paths))
    done = subprocess.run(command, input=names, stdout=subprocess.PIPE, text=True, check=True)
    path, counts = None, Counts()
    for line in done.stdout.split("\n"):
        kind, *values = line.split("\t")
        if kind in ("F", ""):
            if path:
                yield path, counts
            path, counts = Path(values[0]) if values else None, Counts()
        elif kind == "M":
            name, sub, parameters, *numbers = values
            export, start, end, cyclomatic, cognitive, statements = map(int, numbers)
            names = tuple(filter(None, parameters.split(",")))
            counts.methods.append((name, sub, bool(export), names, start, end))
            counts.measures.append((name, cyclomatic, cognitive, statements))
        elif kind == "R":
            counts.regions.append((values[0], int(values[1])))
        elif kind == "C":
            counts.calls.append((int(values[0]), values[1], int(values[2])))
        elif kind == "E":
            counts.errors = int(values[0])


def differences(mine: Counts, theirs: Counts) -> Iterator[str]:
    for name in ("methods", "regions", "calls", "measures"):
        left, right = Counter(getattr(mine, name)), Counter(getattr(theirs, name))
        for row in sorted((left - right).elements(), key=str):
            yield f"  only here       {name}: {row}"
        for row in sorted((right - left).elements(), key=str):
            yield f"  only bsl-parser {name}: {row}"


def compare(folder: Path) -> bool:
    paths = [path for path in sorted(folder.rglob("*.bsl")) if path.is_file()]
    started = time.process_time()
    found = {path: counts for path in paths if (counts := ours(path))}
    seconds = time.process_time() - started
    mine, theirs, different, erroneous = Counter(), Counter(), [], 0
    for path, expected in reference(list(found)):
        mine += found[path].totals()
        theirs += expected.totals()
        erroneous += bool(expected.errors)
        if lines := list(differences(found[path], expected)):
            different.append((path, expected.errors, lines))
    print(f"{folder}: {len(found)} modules in {seconds:.1f} CPU s; {len(paths) - len(found)} without source")
    for name in Counts().totals():
        verdict = "equal" if mine[name] == theirs[name] else f"{mine[name] - theirs[name]:+}"
        print(f"  {name:<12}{mine[name]:>9}{theirs[name]:>9}  {verdict}")
    print(f"  modules that differ: {len(different)}; with errors for bsl-parser: {erroneous}")
    for path, errors, lines in different[:SHOWN]:
        print(f"{path.relative_to(folder)}" + (f" ({errors} error nodes)" if errors else ""))
        print("\n".join(lines[:SHOWN]))
    return not different


if __name__ == "__main__":
    build_reference()
    verdicts = [compare(Path(argument)) for argument in sys.argv[1:] or [REFERENCE / "constructs"]]
    sys.exit(0 if all(verdicts) else 1)
