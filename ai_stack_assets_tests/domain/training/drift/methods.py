"""Rows of the features table for tests of drift: written here, drawn with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ai_stack_assets.domain.training.features import definitions

WORDS = ("цен", "скидк", "товар", "склад", "заказ", "клиент", "документ", "остат", "валют", "курс")
FOREIGN = ("websocket", "promise", "await", "mocha", "assert")
_EMPTY: dict[Any, Any] = {pa.string(): "", pa.int32(): 0, pa.bool_(): False, pa.float32(): 0.0}


def methods(
    count: int, *, seed: int, longer: float = 1.0, words: Sequence[str] = WORDS, kind: str = "CommonModule"
) -> pa.Table:
    """`longer`: times that all lengths and complexities are larger."""
    random = np.random.default_rng(seed)
    lines = random.lognormal(2.5, 0.8, count) * longer
    terms = [list(random.choice(words, size=20)) for _ in range(count)]
    made: dict[str, Any] = {
        "content_hash": [f"{seed:04}{number:08}" for number in random.permutation(count)],
        "module_type": [kind if random.random() < 0.7 else "FormModule" for _ in range(count)],
        "is_export": random.random(count) < 0.4,
        "lines": (lines + 2).astype(np.int32),
        "cyclomatic": (1 + lines / 6).astype(np.int32),
        "calls": random.poisson(5 * longer, count).astype(np.int32),
        "code_terms": terms,
        "code": [" ".join(each) for each in terms],
    }
    columns = [
        pa.array(made.get(field.name, [_EMPTY.get(field.type)] * count), field.type)
        for field in definitions.schema()
    ]
    return pa.table(columns, schema=definitions.schema()).sort_by("content_hash")
