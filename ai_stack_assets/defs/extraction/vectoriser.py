"""The vectoriser that turns methods and objects into vectors, fitted on the lake."""

import dagster as dg

from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.conditions import when_gates_pass
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS
from ai_stack_assets.resources.lake import LakeResource


@dg.asset(
    key=keys.VECTORISER,
    deps=[keys.lake("objects"), keys.lake("methods")],
    group_name=keys.EXTRACTION,
    kinds={"scikitlearn"},
    owners=["team:onec"],
    code_version="1",
    partitions_def=CONFIGURATIONS,
    automation_condition=when_gates_pass(),
)
def vectoriser(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """One file is a model that maps text to a vector: word weights and a projection fitted on the methods of the lake."""
    with failures(context):
        raise NotImplementedError
