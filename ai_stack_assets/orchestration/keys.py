"""Asset keys of the whole platform, `[system, namespace, entity]`: stages name one another without importing.

Every key that more than one file needs stands here; no definitions.
"""

from __future__ import annotations

import dagster as dg

from ai_stack_assets.domain.onec.history.tables import HISTORY_TABLES
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.domain.training.tasks import NAMES

EXTRACTION, STORES = "extraction", "stores"
"""Groups: the stage folders."""


def lake(table: str) -> dg.AssetKey:
    return dg.AssetKey(["lake", "onec", table])


LAKE_TABLES = {name: lake(name) for name in TABLES}
HISTORY_KEYS = {name: lake(name) for name in HISTORY_TABLES}
HISTORY = "history"
"""The group of those, and the op that makes them."""
HISTORY_JOB = "history_stage"
VECTORISER = lake("vectoriser")

POSTGRES_TABLES = dg.AssetKey(["postgres", "onec", "tables"])
NEO4J_GRAPH = dg.AssetKey(["neo4j", "onec", "graph"])
QDRANT_POINTS = dg.AssetKey(["qdrant", "onec", "points"])
ELASTICSEARCH_DOCUMENTS = dg.AssetKey(["elasticsearch", "onec", "documents"])
POSTGRES_TABLE_SIZES = dg.AssetKey(["postgres", "onec", "table_sizes"])
NEO4J_MOST_CALLED = dg.AssetKey(["neo4j", "onec", "most_called_methods"])
QDRANT_SIMILAR = dg.AssetKey(["qdrant", "onec", "similar_methods"])
ELASTICSEARCH_OBJECTS = dg.AssetKey(["elasticsearch", "onec", "objects_by_text"])
STORES_BY_NAME = {
    "postgres": POSTGRES_TABLES,
    "graph": NEO4J_GRAPH,
    "vectors": QDRANT_POINTS,
    "search": ELASTICSEARCH_DOCUMENTS,
}
"""By the name of their resource."""
STORE_KEYS = tuple(STORES_BY_NAME.values())
TRAINING = "training"
"""The group of the training stage, and the pool of its runs."""
POOLS = (EXTRACTION, *STORES_BY_NAME, TRAINING)
"""What limits how many runs read configurations, write a store, or train, at once."""

DATASET = "dataset"
"""The group of what follows."""
DATASET_SOURCES = {
    name: dg.AssetKey(["dataset", "bsl", table])
    for name, table in (("postgres", "postgres_methods"), ("github", "github_files"), ("its", "its_articles"))
}
MERGED, DEDUPLICATED, FILTERED, SPLITS, JSONL, PARQUET = (
    dg.AssetKey(["dataset", "bsl", name])
    for name in ("merged", "deduplicated", "filtered", "splits", "jsonl", "parquet")
)
DATASET_JOB = "dataset_stage"
PUBLISHED = dg.AssetKey(["huggingface", "bsl", "dataset"])

FEATURES, DRIFT, INFERENCE, CLEANUP = (
    dg.AssetKey(["training", "bsl", name]) for name in ("features", "drift", "inference", "cleanup")
)
EXAMPLES, MODELS, EVALUATIONS = (
    {task: dg.AssetKey(["training", "bsl", f"{task}_{what}"]) for task in NAMES}
    for what in ("examples", "model", "evaluation")
)
"""By task."""
REGISTERED = {task: dg.AssetKey(["mlflow", "bsl", task]) for task in NAMES}
CHAMPION = dg.AssetKey(["mlflow", "bsl", "embeddings_champion"])
"""The version of the embeddings that is in use, as observed in the registry: what vectors are made by."""
TRAINING_JOB, FEATURES_JOB, CLEANUP_JOB = "training_stage", "training_features", "training_cleanup"
FIT_TAG = "ai_stack_assets/fit"
"""On steps that fit a model: so many run at once as the machine has cores for."""

EXTRACT = "extract"
"""The op that makes all lake tables."""
PIPELINE = "onec_pipeline"
PRELOAD = "ai_stack_assets.preload"
