"""The lake tables, one partition per configuration, with keys, indexes and full-text columns.

Frozen: what a release has applied is never edited. A change of `domain.onec.tables` needs a new version
beside this one.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = 'text COLLATE "C"'
"""Identifiers and hashes: compared byte by byte, as the lake sorts them, whatever the database's language."""

TABLES = {
    "objects": f"""
        id {ID} NOT NULL, kind text NOT NULL, name text NOT NULL, uuid text NOT NULL, synonym jsonb NOT NULL,
        comment text NOT NULL, owner_id {ID}, belonging text NOT NULL, properties jsonb NOT NULL,
        path text NOT NULL,
        content_hash {ID} NOT NULL,
        search tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('russian', name || ' ' || onec.split_words(name)), 'A')
            || setweight(jsonb_to_tsvector('russian', synonym, '["string"]'), 'B')
            || setweight(to_tsvector('russian', comment), 'C')) STORED""",
    "fields": f"""
        id {ID} NOT NULL, kind text NOT NULL, name text NOT NULL, uuid text NOT NULL, object_id {ID} NOT NULL,
        parent_id {ID}, position integer NOT NULL, synonym jsonb NOT NULL, comment text NOT NULL,
        types jsonb NOT NULL,
        data_path text NOT NULL, belonging text NOT NULL, properties jsonb NOT NULL,
        content_hash {ID} NOT NULL""",
    "references": f"""
        id {ID} NOT NULL, kind text NOT NULL, source_id {ID} NOT NULL, source_object_id {ID} NOT NULL,
        target_id {ID} NOT NULL, target_kind text NOT NULL, detail text NOT NULL, properties jsonb NOT NULL,
        content_hash {ID} NOT NULL""",
    "modules": f"""
        id {ID} NOT NULL, kind text NOT NULL, object_id {ID} NOT NULL, path text NOT NULL,
        status text NOT NULL,
        size_bytes integer NOT NULL, lines integer NOT NULL, is_server boolean, is_client_managed boolean,
        is_client_ordinary boolean, is_external_connection boolean, is_server_call boolean, is_global boolean,
        is_privileged boolean, return_values_reuse text, regions jsonb NOT NULL, variables jsonb NOT NULL,
        blob_hash {ID} NOT NULL, content_hash {ID} NOT NULL""",
    "methods": f"""
        id {ID} NOT NULL, module_id {ID} NOT NULL, object_id {ID} NOT NULL, name text NOT NULL,
        kind text NOT NULL,
        is_export boolean NOT NULL, is_async boolean NOT NULL, directive text, annotations jsonb NOT NULL,
        region text NOT NULL, signature text NOT NULL, parameters jsonb NOT NULL, doc_comment text NOT NULL,
        doc jsonb NOT NULL, start_line integer NOT NULL, end_line integer NOT NULL,
        cyclomatic integer NOT NULL,
        cognitive integer NOT NULL, statements integer NOT NULL, body text NOT NULL, body_hash {ID} NOT NULL,
        content_hash {ID} NOT NULL,
        search tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('russian', name || ' ' || onec.split_words(name)), 'A')
            || setweight(to_tsvector('russian', doc_comment), 'C')) STORED""",
    "calls": f"""
        id {ID} NOT NULL, caller_id {ID} NOT NULL, module_id {ID} NOT NULL, receiver text, name text NOT NULL,
        line integer NOT NULL, resolution text NOT NULL, target_id {ID}, content_hash {ID} NOT NULL""",
    "queries": f"""
        id {ID} NOT NULL, source text NOT NULL, place_id {ID} NOT NULL, object_id {ID} NOT NULL,
        line integer NOT NULL,
        text text NOT NULL, is_fragment boolean NOT NULL, tables jsonb NOT NULL, fields jsonb NOT NULL,
        parameters jsonb NOT NULL, temporary_tables jsonb NOT NULL, content_hash {ID} NOT NULL""",
    "rejected": f"""
        id {ID} NOT NULL, path text NOT NULL, reason text NOT NULL, message text NOT NULL, line integer,
        "column" integer, is_lost boolean NOT NULL, content_hash {ID} NOT NULL""",
}

INDEXES = {
    # every foreign key needs one: PostgreSQL looks for referring rows whenever a row is deleted
    "objects": ("owner_id", "kind", "lower(name)", "USING gin (search)"),
    "fields": ("object_id", "parent_id", "lower(name)"),
    "references": ("source_object_id", "source_id", "target_id"),
    "modules": ("object_id",),
    "methods": ("module_id", "object_id", "lower(name)", "USING gin (search)"),
    "calls": ("module_id", "caller_id", "target_id"),
    "queries": ("object_id", "place_id"),
}

TRIGRAM = ("objects", "methods")

FUNCTIONS = r"""
CREATE FUNCTION onec.split_words(identifier text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(regexp_replace(replace(identifier, '_', ' '),
        '([а-яёa-z0-9])([А-ЯЁA-Z])|([А-ЯЁа-яёA-Za-z])([0-9])', '\1\3 \2\4', 'g'),
        '([А-ЯЁA-Z])([А-ЯЁA-Z][а-яёa-z])', '\1 \2', 'g')
$$;
CREATE FUNCTION onec.mark_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.content_hash := 'edited by ' || current_user;
    RETURN NEW;
END $$;
"""

MARK_EDITED = """
CREATE TRIGGER mark_edited BEFORE INSERT OR UPDATE ON onec."{table}" FOR EACH ROW
WHEN (current_setting('onec.synchronising', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION onec.mark_edited()
"""
"""A row written by anybody but the synchronisation loses its hash, so the next comparison names it and puts
it right. Cheaper than a hash computed by the database: nothing runs on a first load, where the trigger comes
after the rows."""


def upgrade() -> None:
    op.execute(FUNCTIONS)
    for table, columns in TABLES.items():
        op.execute(
            f'CREATE TABLE onec."{table}" (configuration {ID} NOT NULL, {columns}, '
            "PRIMARY KEY (configuration, id)) PARTITION BY LIST (configuration)"
        )
        op.execute(MARK_EDITED.format(table=table))
        for index in INDEXES.get(table, ()):
            op.execute(
                f'CREATE INDEX ON onec."{table}" {index if index.startswith("USING") else f"({index})"}'
            )
    if op.get_bind().exec_driver_sql("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'").scalar():
        for table in TRIGRAM:
            op.execute(f'CREATE INDEX ON onec."{table}" USING gin (lower(name) gin_trgm_ops)')
