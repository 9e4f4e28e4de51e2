"""Methods by the hash of their body: the same code in several places, and where a body came from."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ON onec.methods (body_hash)")
