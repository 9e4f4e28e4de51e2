"""Decisions about trained models, beside the lake's tables: one row each, never changed."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE ml.model_registry (
    number bigint GENERATED ALWAYS AS IDENTITY,
    id text PRIMARY KEY,
    model text NOT NULL,
    action text NOT NULL
        CHECK (action IN ('promoted', 'staged', 'kept', 'refused', 'rolled_back', 'moved_outside')),
    decided_at timestamptz NOT NULL,
    champion_before integer, champion_after integer,
    reason text NOT NULL,
    outcome text CHECK (outcome IN ('production', 'staging', 'retrain', 'investigate')),
    version integer, run_id text,
    metric text, value double precision, champion_value double precision,
    difference_low double precision, difference_high double precision,
    gates jsonb NOT NULL, metrics jsonb NOT NULL,
    dataset_revision text NOT NULL, git_commit text NOT NULL, decided_by text NOT NULL
)
"""

COMMENTS = {
    "action": "promoted: became champion; staged: became challenger; kept: the champion stays; refused: could not be done; "
    "rolled_back: the champion before is champion again; moved_outside: somebody moved the alias in MLflow",
    "outcome": "what the gates said; empty for what people did",
    "version": "in MLflow, of the model that was decided about; empty when it was not registered",
    "champion_after": "version in use after the decision",
    "difference_low": "of the interval of value - champion_value, paired bootstrap",
    "gates": "name, passed, actual, threshold, said of each",
}


def upgrade() -> None:
    # asked first: a user without the right to create schemas may have been given this one
    if op.get_bind().exec_driver_sql("SELECT to_regnamespace('ml')").scalar() is None:
        op.execute("CREATE SCHEMA ml")
    op.execute(TABLE)
    op.execute("CREATE INDEX ON ml.model_registry (model, number)")
    op.execute(
        "COMMENT ON TABLE ml.model_registry IS 'One row per decision about a trained model; rows are only added'"
    )
    for column, text in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN ml.model_registry.{column} IS '{text}'")
