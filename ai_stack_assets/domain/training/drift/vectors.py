"""What makes the vectors that drift compares: the champion of the embeddings, or LSA when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.training.contract import Model
    from ai_stack_assets.domain.training.drift.report import Vectorise

_SIZE = 64


def lsa(reference: pa.Table, current: pa.Table) -> tuple[str, np.ndarray, np.ndarray]:
    """Fitted on both samples, in a second or two; needs the column `code`.

    On the reference alone, its own texts would lie closer together than unseen ones of the same kind: drift out of nothing.
    """
    from ai_stack_assets.domain.vectorisers.lsa import Lsa

    first, second = reference["code"].to_pylist(), current["code"].to_pylist()
    model = Lsa.fit([first, second], size=_SIZE, texts=len(first) + len(second))
    return "LSA", model.encode_documents(first), model.encode_documents(second)


def champion(model: Model, name: str) -> Vectorise:
    """`model`: of the task `embeddings`, whose predictions have a column `vector`."""

    def vectorise(reference: pa.Table, current: pa.Table) -> tuple[str, np.ndarray, np.ndarray]:
        return name, _vectors(model, reference), _vectors(model, current)

    return vectorise


def _vectors(model: Model, rows: pa.Table) -> np.ndarray:
    import numpy as np

    vectors = model.predict(rows)["vector"].combine_chunks()
    return np.asarray(vectors.flatten(), np.float32).reshape(rows.num_rows, -1)
