"""Full-text search inside this process: one tantivy index per configuration, in files. Same documents as
elsewhere.

    <root>/<slug>/configuration      its name
    <root>/<slug>/<mapping>-<n>/     an index; complete when it has this name
    <root>/<slug>/current -> …       the one in use: switched by one rename, so search never goes dark

A commit is the atomic switch within an index. One writer at a time by a lock file; readers never wait.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets.domain.stores.room import room
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search import tantivy_files
from ai_stack_assets.domain.stores.search.query import (
    PHRASE_BOOST,
    TIE_BREAKER,
    WHOLE_BOOST,
    Hit,
    Plan,
    hit,
    plan,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import tantivy

    from ai_stack_assets.domain.common.lake import Version

WRITER_HEAP_BYTES = 64_000_000
_TERMS = tuple(map(docs.terms_field, docs.TEXTS))

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tantivy:
    """All indexes under one folder."""

    root: Path
    lock_seconds: float = 300

    @contextlib.contextmanager
    def open(self, configuration: str, *, rebuild: bool = False) -> Generator[TantivyStore]:
        """One at a time per configuration: a second one waits, up to `lock_seconds`. A dead process frees its
        lock."""
        with room(self.root), self._locked(configuration):
            yield TantivyStore(self.folder(configuration), configuration, rebuild=rebuild)

    def configurations(self) -> list[str]:
        return sorted(
            p.read_text() for p in self.root.glob("*/configuration") if (p.parent / "current").exists()
        )

    def drop(self, configuration: str) -> None:
        with self._locked(configuration):
            shutil.rmtree(self.folder(configuration), ignore_errors=True)

    def search(
        self, configuration: str, text: str, kinds: tuple[str, ...] = (), limit: int = 10
    ) -> list[Hit]:
        """Best documents first. `kinds`: `Catalog`, `Form`, `Procedure`, `Function`…; all when empty.

        Raises PermanentError when the configuration has no index, or a damaged one.
        """
        wanted = plan(text, kinds)
        current = self.folder(configuration) / "current"
        if not current.is_symlink():
            raise PermanentError(
                f"{configuration!r} is not in the search index {self.root}: synchronise it first"
            )
        if not wanted.words:
            return []
        with damage_named(current):
            searcher = _opened(current).searcher()
            found = searcher.search(_compiled(wanted), limit, count=False).hits
            sources = [bytes(searcher.doc(address)["source"][0]) for _, address in found]
        return [
            hit(msgspec.json.decode(source), score, wanted)
            for (score, _), source in zip(found, sources, strict=True)
        ]

    def folder(self, configuration: str) -> Path:
        return self.root / slug(configuration)

    @contextlib.contextmanager
    def _locked(self, configuration: str) -> Generator[None]:
        from filelock import FileLock, Timeout

        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / f".{slug(configuration)}.lock", timeout=self.lock_seconds)
        try:
            lock.acquire()
        except Timeout:
            raise TransientError(
                f"search: another run has written {configuration!r} in {self.root} "
                f"for {self.lock_seconds:.0f} s"
            ) from None
        try:
            yield
        finally:
            lock.release()


class TantivyStore:
    """Implements `stores.contract.Store`. Collections are the lake tables that are searched."""

    name = "search"
    writes_in_place = False
    collections = tuple(docs.COLUMNS)

    def __init__(self, folder: Path, configuration: str, *, rebuild: bool = False) -> None:
        self.folder = folder
        self.configuration = configuration
        self._writer: Any = None
        self._held: dict[str, dict[str, str]] | None = None
        """Content hash by id and collection, as last read."""
        self._index = None if rebuild else self._usable()

    def expected(self, version: Version, collection: str) -> pa.Table:
        return version.table(collection, ["id", "content_hash"])

    def actual(self, collection: str) -> pa.Table:
        """From the index's own documents: what each one's source says now must be what its terms say, so that
        an edit of either shows. 42,000 documents of 100 MB: 0.5 s."""
        import pyarrow as pa

        if self._held is None:
            self._held = tantivy_files.held(self._index) if self._index else {}
        found = self._held.get(collection, {})
        return pa.table(
            {
                "id": pa.array(found.keys(), pa.string()),
                "content_hash": pa.array(found.values(), pa.string()),
            }
        )

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        import tantivy

        draft = self.folder / ".draft"
        is_new = self._index is None
        if is_new:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
        index = tantivy.Index(_schema(), str(draft)) if is_new else self._index
        try:
            self._writer = index.writer(WRITER_HEAP_BYTES, 1)
            try:
                yield
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()
            self._writer.wait_merging_threads()
        finally:
            self._writer = None
        if is_new:
            self._switch(draft)
        self._index, self._held = self._usable(), None

    def delete(self, collection: str, ids: pa.Array) -> None:
        for id_ in ids.to_pylist():
            self._writer.delete_documents_by_term("key", docs.key(collection, id_))

    def upsert(self, version: Version, collection: str, ids: pa.Array | None) -> int:
        import tantivy

        if ids is not None:
            self.delete(collection, ids)
        schema, sent = _schema(), 0
        for batch in docs.documents(version, collection, ids):
            for document in batch:
                source = msgspec.json.encode(
                    {name: document[name] for name in (*docs.STORED, "content_hash")}
                )
                fields = {name: document[name] for name in (*_TERMS, "kind")}
                fields["key"] = docs.key(collection, document["id"])
                fields["state"] = tantivy_files.state(source)
                fields["source"] = source
                self._writer.add_document(tantivy.Document.from_dict(fields, schema))
                sent += len(source)
        return sent

    def _usable(self) -> tantivy.Index | None:
        """The current index; None when there is none, or none that can be trusted: then all is written
        anew."""
        current = self.folder / "current"
        if not current.is_symlink():
            return None
        if not current.readlink().name.startswith(docs.MAPPING):
            _log.warning("search: %s has another mapping; a new index is built beside it", self.configuration)
            return None
        try:
            with damage_named(current):
                index = _opened(current)
                tantivy_files.check(current.resolve())
                return index
        except PermanentError as error:
            _log.warning("%s", error)
            return None

    def _switch(self, draft: Path) -> None:
        numbers = [int(p.name.rpartition("-")[2]) for p in self.folder.glob("*-*[0-9]")]
        final = self.folder / f"{docs.MAPPING}-{max(numbers, default=0) + 1}"
        draft.rename(final)
        (self.folder / "configuration").write_text(self.configuration)
        link = self.folder / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(final.name)
        link.replace(self.folder / "current")
        for old in self.folder.glob("*-*[0-9]"):
            if old != final:
                shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def damage_named(folder: Path) -> Generator[None]:
    """tantivy checks the footer of every file that it opens: a missing or cut one shows here."""
    try:
        yield
    except (ValueError, OSError, KeyError) as error:
        raise PermanentError(
            f"the search index {folder} is damaged ({error}): synchronise the configuration to build it anew"
        ) from error


def _opened(folder: Path) -> tantivy.Index:
    import tantivy

    index = tantivy.Index.open(str(folder.resolve()))
    index.searcher()
    return index


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    for name in ("key", "state"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for text in docs.TEXTS:
        positions = "position" if text in docs.PHRASES else "freq"
        builder.add_text_field(docs.terms_field(text), tokenizer_name="whitespace", index_option=positions)
    builder.add_text_field("kind", tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("source", stored=True)
    return builder.build()


def _compiled(wanted: Plan) -> tantivy.Query:
    from tantivy import Occur, Query

    schema = _schema()

    def anywhere(term: str) -> Query:
        return Query.disjunction_max_query(
            [
                Query.boost_query(Query.term_query(schema, docs.terms_field(text), term, "freq"), weight)
                for text, weight in docs.TEXTS.items()
            ],
            TIE_BREAKER,
        )

    words = [Query.boolean_query([(Occur.Must, anywhere(part)) for part in word]) for word in wanted.words]
    clauses = [(Occur.Must, Query.boolean_query([(Occur.Should, word) for word in words], wanted.minimum))]
    clauses += [(Occur.Should, Query.boost_query(anywhere(whole), WHOLE_BOOST)) for whole in wanted.wholes]
    if len(wanted.sequence) > 1:
        for text in docs.PHRASES:
            phrase = Query.phrase_query(schema, docs.terms_field(text), list(wanted.sequence))
            clauses.append((Occur.Should, Query.boost_query(phrase, PHRASE_BOOST * docs.TEXTS[text])))
    if wanted.kinds:
        kinds = Query.term_set_query(schema, "kind", list(wanted.kinds))
        clauses.append((Occur.Must, Query.const_score_query(kinds, 0.0)))
    return Query.boolean_query(clauses)
