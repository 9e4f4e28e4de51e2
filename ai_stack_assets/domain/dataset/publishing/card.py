"""The dataset card: README.md of the published repository, written from its statistics and nothing else.

Header as the Hub reads it (https://huggingface.co/docs/hub/datasets-cards): configs, splits, features, licences, sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.publishing.export import PARQUET, SPLITS, SUFFIXES

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_HUB_LICENCES = {
    "Apache-2.0": "apache-2.0", "MIT": "mit", "BSD-2-Clause": "bsd-2-clause", "BSD-3-Clause": "bsd-3-clause",
    "ISC": "isc", "MPL-2.0": "mpl-2.0", "CC0-1.0": "cc0-1.0", "CC-BY-4.0": "cc-by-4.0", "Unlicense": "unlicense",
    "CC-BY-SA-4.0": "cc-by-sa-4.0", "GPL-3.0-only": "gpl-3.0", "LGPL-3.0-only": "lgpl-3.0", "BSL-1.0": "bsl-1.0",
}  # fmt: skip
"""SPDX → the Hub's own names; the rest is `other`."""
_LIST_TYPE = [
    {"name": name, "dtype": "int32" if name == "start_line" else "string"}
    for name in ("source", "repository", "commit", "path", "start_line", "licence")
]


def card(repository: str, statistics: Mapping[str, Any]) -> str:
    """README.md.

    Args:
        repository: `owner/name`.
        statistics: see `statistics`.
    """
    header = yaml.safe_dump(_header(repository, statistics), allow_unicode=True, sort_keys=False, width=120)
    return f"---\n{header}---\n\n{_body(repository, statistics)}"


def _header(repository: str, s: Mapping[str, Any]) -> dict[str, Any]:
    features = [
        {"name": name, "list": _LIST_TYPE} if kind.startswith("list") else {"name": name, "dtype": kind}
        for name, (kind, _) in records.COLUMNS.items()
    ]
    size = sum(s["splits"][split]["parquet_bytes"] for split in SPLITS)
    return {
        "pretty_name": repository.split("/")[-1],
        "license": sorted({_HUB_LICENCES.get(licence, "other") for licence in s["licences"]}) or ["other"],
        "language": ["ru"],
        "tags": ["code", "bsl", "1c-enterprise"],
        "task_categories": ["text-generation"],
        "size_categories": [next((name for limit, name in _SIZES if s["rows"] < limit), "1M<n<10M")],
        # JSONL is no config of its own: `datasets` takes the format of a whole repository from its first one
        "configs": [{"config_name": "default", "data_files": _data_files()}],
        "dataset_info": {
            "features": features,
            "splits": [
                {"name": split, "num_bytes": s["splits"][split]["parquet_bytes"], "num_examples": s["splits"][split]["rows"]}
                for split in SPLITS
            ],
            "download_size": size,
            "dataset_size": size,
        },
    }  # fmt: skip


def _data_files() -> list[dict[str, str]]:
    return [{"split": split, "path": f"data/{split}-*{SUFFIXES[PARQUET]}"} for split in SPLITS]


def _body(repository: str, s: Mapping[str, Any]) -> str:
    splits = ([name, s["splits"][name]["rows"], s["splits"][name]["parquet_bytes"]] for name in SPLITS)
    places = ([r["repository"], f"`{r['commit'][:12]}`", r["licence"], r["rows"]] for r in s["repositories"])
    share = s["documented_rows"] / s["rows"] if s["rows"] else 0
    histogram = (
        [f"{n / 10:.1f}–{(n + 1) / 10:.1f}", count] for n, count in enumerate(s["quality"]["histogram"])
    )
    return f"""# {repository}

Methods of 1C:Enterprise applications in BSL, one row each: {s["rows"]:,} procedures and functions, {s["tokens"]:,} tokens,
{share:.0%} with a doc comment. Week of {s["week"]}; each week is a tag.

```python
from datasets import load_dataset

methods = load_dataset("{repository}", revision="{s["week"]}")
lines = load_dataset("json", data_files="hf://datasets/{repository}@{s["week"]}/jsonl/train-*.jsonl.zst")
```

## Splits
{_table(("split", "rows", "bytes (Parquet)"), splits)}
Split by group, never by row: all methods of a repository's module, of near-duplicate code and of code that differs by names
alone are in one split. A group keeps its split from week to week.

## Columns
{_table(("column", "type", "meaning"), ([f"`{n}`", f"`{k}`", m] for n, (k, m) in records.COLUMNS.items()))}
## Where the code comes from
{_table(("repository", "commit", "licence", "rows"), places)}
Each row carries its licence and its place; `provenances` lists every other public place of the same code. Keep to the licence
of each row. Owners who want their code left out are on a list that the next week honours.

## How it was built
Sources → methods → exact duplicates collapsed (whitespace normalised) → near-duplicates removed (Jaccard of token
5-grams, each verified exactly) → quality rules → secrets and personal data redacted → splits.

{_stages(s["stages"])}
## Quality
`quality_score` has a mean of {s["quality"]["mean"]:.3f}: documentation, naming, simplicity, size, layout and
cleanliness, from 0 to 1.
{_table(("score", "rows"), histogram)}
## Limitations
- Code that its owners allow to be published: its style and subjects, not those of all 1C applications.
- Comments and identifiers are mostly Russian; there are no translations.
- Redaction finds what has a known form: rare kinds of secrets and names may remain. Report them, and the next week is without.
- Near-duplicates are removed by their tokens; code whose names were changed throughout stays, in the same split.
- The score tells form (documentation, structure, size, naming), not whether the code is right.
"""


def _stages(stages: Mapping[str, Mapping[str, Any]]) -> str:
    rows = ([stage, what, _said(value)] for stage, facts in stages.items() for what, value in facts.items())
    return _table(("stage", "what", "rows"), rows)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_said(part)}" for name, part in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(head: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n" + "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _cell(cell: Any) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell).replace("|", "\\|")
