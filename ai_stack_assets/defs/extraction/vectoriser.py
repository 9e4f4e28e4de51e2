"""The vectoriser that turns methods and objects into vectors, fitted on the lake."""

import dagster as dg
from pydantic import Field

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration import keys, metadata
from ai_stack_assets.orchestration.conditions import when_gates_pass
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS
from ai_stack_assets.resources.lake import LakeResource
from ai_stack_assets.resources.vectorisers import VectorisersResource


class VectoriserConfig(dg.Config):
    """Options of one run."""

    refit: bool = Field(
        default=False, description="Fit again even if the present one still suits: all vectors change"
    )


def read() -> list[dg.AssetKey]:
    """The champion, too, if vectors are made by it: another one is then a reason to make them anew."""
    follows = [keys.CHAMPION] if settings.vectoriser() == "champion" else []
    return [keys.lake("objects"), keys.lake("fields"), keys.lake("methods"), *follows]


def vectoriser_asset() -> dg.AssetsDefinition:
    @dg.asset(
        key=keys.VECTORISER,
        deps=read(),
        group_name=keys.EXTRACTION,
        kinds={"numpy"},
        owners=["team:onec"],
        code_version="1",
        partitions_def=CONFIGURATIONS,
        pool=keys.EXTRACTION,
        automation_condition=when_gates_pass(optional=keys.CHAMPION),
    )
    def vectoriser(
        context: dg.AssetExecutionContext,
        config: VectoriserConfig,
        lake: LakeResource,
        vectorisers: VectorisersResource,
    ) -> dg.MaterializeResult:
        """One file is a model that maps a text to a vector.

        The champion of the training stage; until there is one, word weights and a projection fitted on the configuration's
        methods, again only when those have drifted. Another model changes all vectors.
        """
        with failures(context):
            version = lake.open().require(context.partition_key)
            _, record = vectorisers.open().ensure(version, refit=config.refit)
        return dg.MaterializeResult(metadata=metadata.vectoriser(record, version))

    return vectoriser


vectoriser = vectoriser_asset()
