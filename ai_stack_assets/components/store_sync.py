"""`StoreSync`: one store kept equal to the lake. One more is a `defs.yaml`, a resource and an adapter."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.contract import OpenStore
from ai_stack_assets.domain.stores.doctor import examine
from ai_stack_assets.domain.stores.sync import Difference, compare, synchronise
from ai_stack_assets.orchestration import checks, keys, metadata
from ai_stack_assets.orchestration.conditions import when_gates_pass
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS
from ai_stack_assets.orchestration.progress import progress
from ai_stack_assets.resources.stores import StoreResource


class SyncConfig(dg.Config):
    """Options of one run."""

    allow_shrink: bool = Field(default=False, description="Yes to a store that loses most of its rows")
    rebuild: bool = Field(
        default=False, description="Write everything anew from the lake, also over what cannot be read"
    )


class StoreSync(dg.Component, dg.Model, dg.Resolvable):
    """An asset that writes the difference between a store and the lake, and the check that none is left."""

    asset_key: str = Field(description="`system/namespace/entity`", examples=["postgres/onec/tables"])
    resource: str = Field(description="Name of the store's resource", examples=["postgres"])
    kinds: list[str] = Field(description="Kinds for the UI, the engine first")
    owner: str = Field(description="`team:…`")
    description: str = Field(description="First line: what one row is")
    deps: list[str] = Field(description="Lake assets that the store is a projection of")
    code_version: int = Field(description="Raise when the projection changes")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(assets=[self.asset()])

    def asset(self) -> dg.AssetsDefinition:
        """One op for both: with the asset selected it synchronises, with its check alone it only compares."""
        key = dg.AssetKey.from_user_string(self.asset_key)
        spec = dg.AssetSpec(
            key,
            deps=[dg.AssetKey.from_user_string(dep) for dep in self.deps],
            description=self.description,
            group_name=keys.STORES,
            kinds=set(self.kinds),
            owners=[self.owner],
            code_version=str(self.code_version),
            automation_condition=when_gates_pass(),
            skippable=True,
        )
        parity = dg.AssetCheckSpec(
            checks.PARITY,
            asset=key,
            description="Every row of the lake is in the store with the same content, and no other row.",
            partitions_def=CONFIGURATIONS,
        )

        health = dg.AssetCheckSpec(
            checks.HEALTH,
            asset=key,
            description="Reachable, of a supported version, with the rights it needs, its schema current.",
            partitions_def=CONFIGURATIONS,
        )

        @dg.multi_asset(
            name=key.to_python_identifier(),
            specs=[spec],
            check_specs=[parity, health],
            partitions_def=CONFIGURATIONS,
            can_subset=True,
            required_resource_keys={"lake", "configurations", self.resource},
            pool=self.resource,
        )
        def sync(
            context: dg.AssetExecutionContext, config: SyncConfig
        ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
            resource, failed = getattr(context.resources, self.resource), None
            try:
                with failures(context):
                    yield from worked(context, config, key, resource)
            except (dg.Failure, dg.RetryRequested) as failure:
                failed = failure
            # at the end, so that it tells of what a migration or a rebuild left; also when the work failed
            if is_wanted(context, checks.HEALTH):
                yield checks.health(key, *examine([resource.look()]))
            if failed:
                raise failed

        return sync


def worked(
    context: dg.AssetExecutionContext, config: SyncConfig, key: dg.AssetKey, resource: StoreResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """The difference written when the asset is selected, else found when parity is."""
    lake = context.resources.lake.open()
    if context.selected_asset_keys:
        with resource.open().open(context.partition_key, rebuild=config.rebuild) as store:
            # only now: while this run waited for another one to let go, the lake may have moved on
            version = lake.require(context.partition_key)
            report = synchronise(store, version, allow_shrink=config.allow_shrink, progress=progress(context))
        facts = metadata.store(report, version)
        facts |= metadata.pinned(context.resources.configurations.pin(context.partition_key))
        yield dg.MaterializeResult(asset_key=key, metadata=facts)
        yield checks.parity(key, {context.partition_key: report.differences})
    elif is_wanted(context, checks.PARITY):
        yield checks.parity(key, compared(resource.open(), lake, configurations(context, lake)))


def is_wanted(context: dg.AssetExecutionContext, check: str) -> bool:
    return any(key.name == check for key in context.selected_asset_check_keys)


def configurations(context: dg.AssetExecutionContext, lake: Lake) -> list[str]:
    """All of them in a run of checks alone: the web interface cannot start that for one partition."""
    return [context.partition_key] if context.has_partition_key else lake.configurations()


def compared(client: OpenStore, lake: Lake, names: list[str]) -> dict[str, list[Difference]]:
    found = {}
    for name in names:
        with client.open(name) as store:
            found[name] = compare(store, lake.require(name))
    return found
