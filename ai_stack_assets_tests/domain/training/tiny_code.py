"""A task whose model reads features of code: it answers with the method's name and how many parameters it has."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

NAME, METRIC, CODE_VERSION = "tiny_code", "accuracy", "1"
REQUIREMENTS = ()


class Reader:
    def predict(self, rows: pa.Table) -> pa.Table:
        return pa.table({"name": rows["method_name"], "parameter_count": rows["parameter_count"]})


def load(_: Path) -> Reader:
    return Reader()
