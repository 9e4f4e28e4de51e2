"""One question to each store after it was written: a small table that shows what the store is good for."""

from collections.abc import Callable

import dagster as dg
import msgspec
from pydantic import Field

from ai_stack_assets.domain.stores import questions
from ai_stack_assets.orchestration import keys, metadata
from ai_stack_assets.orchestration.conditions import when_gates_pass
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS


class QuestionConfig(dg.Config):
    """Options of one run."""

    text: str = Field(
        default="", description="What to ask for; empty: what the configuration itself suggests"
    )


def question(
    key: dg.AssetKey, store: dg.AssetKey, resource: str, ask: Callable[..., questions.Rows], description: str
) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=[store],
        group_name=keys.STORES,
        kinds={store.path[0], "json"},
        owners=["team:onec"],
        code_version="1",
        description=description,
        partitions_def=CONFIGURATIONS,
        automation_condition=when_gates_pass(),
        required_resource_keys={"lake", resource},
    )
    def answer(context: dg.AssetExecutionContext, config: QuestionConfig) -> dg.MaterializeResult:
        with failures(context):
            version = context.resources.lake.open().require(context.partition_key)
            rows = ask(getattr(context.resources, resource).open(), version, config.text)
            content = msgspec.json.format(msgspec.json.encode(rows))
            uri = context.resources.lake.keep_result(version.configuration, key.path[-1], content)
        return dg.MaterializeResult(metadata=metadata.answer(rows, uri, version))

    return answer


table_sizes = question(
    keys.POSTGRES_TABLE_SIZES,
    keys.POSTGRES_TABLES,
    "postgres",
    questions.table_sizes,
    "One row is one table of the configuration in PostgreSQL, with its rows and bytes.",
)
most_called_methods = question(
    keys.NEO4J_MOST_CALLED,
    keys.NEO4J_GRAPH,
    "graph",
    questions.most_called_methods,
    "One row is one of the most called methods, with some of its callers.",
)
similar_methods = question(
    keys.QDRANT_SIMILAR,
    keys.QDRANT_POINTS,
    "vectors",
    questions.similar_methods,
    "One row is a pair of methods that are near in meaning.",
)
objects_by_text = question(
    keys.ELASTICSEARCH_OBJECTS,
    keys.ELASTICSEARCH_DOCUMENTS,
    "search",
    questions.objects_by_text,
    "One row is one object that was searched by its synonym, and the rank at which it was found.",
)
