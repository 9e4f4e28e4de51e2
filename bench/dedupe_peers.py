"""Near-duplicates by datasketch, rensa and datatrove, each as its own documentation has it. None verifies what it finds.

They are given the shingles of ours (datatrove: the tokens, as it makes 5-grams itself), so that all answer the same question and
none pays for reading BSL. Each returns seconds, CPU seconds and a label per record, equal within a component.
"""

from __future__ import annotations

import importlib
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

THRESHOLD, PERMUTATIONS = 0.8, 128

Found = tuple[float, float, np.ndarray]


def shingles_of(version) -> list[np.ndarray]:
    from ai_stack_assets.domain.dataset.dedupe.shingles import shingle

    found = []
    for batch in version.batches("records", ["code"]):
        part = shingle(batch.column(0))
        found += np.split(part.values, np.cumsum(part.sizes)[:-1])
    return found


def datasketch(version) -> Found:
    library = _import("datasketch")
    sets = shingles_of(version)

    def search(components: Components) -> None:
        index = library.MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        empty = library.MinHash(num_perm=PERMUTATIONS, hashfunc=lambda value: value)
        for n, values in enumerate(sets):
            sketch = empty.copy()
            sketch.update_batch((values & np.uint64(0xFFFFFFFF)).tolist())
            for other in index.query(sketch):
                components.unite(n, other)
            index.insert(n, sketch, check_duplication=False)

    return _timed(search, len(sets))


def rensa(version) -> Found:
    library = _import("rensa")
    sets = [[format(v, "x") for v in values.tolist()] for values in shingles_of(version)]

    def search(components: Components) -> None:
        index = library.RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16)
        for n, values in enumerate(sets):
            sketch = library.RMinHash(num_perm=PERMUTATIONS, seed=42)
            sketch.update(values)
            for other in index.query(sketch):
                components.unite(n, other)
            index.insert(n, sketch)

    return _timed(search, len(sets))


def datatrove(version) -> Found:
    document, minhash = _import("datatrove.data").Document, _import("datatrove.pipeline.dedup.minhash")
    hashing, text = _import("datatrove.utils.hashing"), _import("datatrove.utils.text")
    texts = [" ".join(f"{t:x}" for t in tokens) for tokens in _tokens(version)]
    # its own tokenisers are of natural languages, and need spaCy; its xxhash needs an older one than ours
    minhash.load_word_tokenizer = lambda _language: SimpleNamespace(word_tokenize=str.split)
    config = minhash.MinhashConfig(
        hash_config=hashing.HashConfig(precision=64, hash_fc="sha1"),
        norm_config=text.TextNormConfig(False, False, False, False, False),
    )

    def search(components: Components) -> None:
        with tempfile.TemporaryDirectory() as folder:
            signatures, pairs, found = (str(Path(folder) / name) for name in ("signatures", "pairs", "found"))
            minhash.MinhashDedupSignature(signatures, config).run(
                (document(words, str(n)) for n, words in enumerate(texts)), 0, 1
            )
            for rank in range(config.num_buckets):
                minhash.MinhashDedupBuckets(signatures, pairs, config=config).run(
                    None, rank, config.num_buckets
                )
            minhash.MinhashDedupCluster(pairs, found, config, save_cluster_id=True).run(None, 0, 1)
            first: dict[int, int] = {}
            for file in Path(found).glob("*.clusters"):
                for n, cluster in struct.iter_unpack("<II", file.read_bytes()):
                    components.unite(first.setdefault(cluster, n), n)

    return _timed(search, len(texts))


def _import(name: str) -> Any:
    """A library that need not be installed; no checker looks into it."""
    return importlib.import_module(name)


def _tokens(version) -> Iterator[list[int]]:
    from ai_stack_assets.domain.dataset.dedupe.tokens import token_hashes

    for batch in version.batches("records", ["code"]):
        for code in batch.column(0).to_pylist():
            yield token_hashes(code)[0].tolist()


def _timed(search: Callable[[Components], None], count: int) -> Found:
    components = Components(count)
    started = time.perf_counter(), time.process_time()
    search(components)
    return time.perf_counter() - started[0], time.process_time() - started[1], components.labels()


class Components:
    """Records that were found to belong together."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def _find(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = i = self._parent[self._parent[i]]
        return i

    def unite(self, a: int, b: int) -> None:
        a, b = sorted((self._find(a), self._find(b)))
        self._parent[b] = a

    def labels(self) -> np.ndarray:
        return np.array([self._find(i) for i in range(len(self._parent))], np.int64)


PEERS = {"datasketch": datasketch, "rensa": rensa, "datatrove": datatrove}
