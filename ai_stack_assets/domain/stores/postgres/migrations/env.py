"""Run by alembic: applies the versions over the connection that `migrate.upgrade` passes. No settings of its
own."""

from alembic import context

from ai_stack_assets.domain.stores.postgres.schema import SCHEMA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    version_table_schema=SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
