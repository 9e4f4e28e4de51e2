"""Do three sources together take as long as the slowest? The stage with simulated sources, one latency per item for all.

    python -m bench.dataset_stage [seconds per item]

Prints the wall time of the run beside the slowest source plus the tail (merge to upload), and beside all of it in sequence; then
the same week again, in which nothing has changed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

ITEMS = {"postgres": 150, "github": 200, "its": 90}
"""Proportions of a stack that took 290 minutes in sequence."""
METHODS_PER_ITEM = 20
LATENCY = 0.2


class SimulatedSources(dg.ConfigurableResource):
    """Each item costs the same wait, whichever the source, and gives some methods."""

    latency: float

    def open(self, name: str) -> Any:
        from ai_stack_assets.domain.dataset.sources.collect import Source

        return Source(
            name, lambda report: ("1", ITEMS[name]), lambda items, report: _read(name, items, self.latency)
        )


def _read(name: str, items: int, latency: float) -> Iterator[Any]:
    import pyarrow as pa

    from ai_stack_assets.domain.dataset import records

    for item in range(items):
        time.sleep(latency)
        rows = [_record(name, item, number) for number in range(METHODS_PER_ITEM)]
        yield pa.Table.from_pylist(rows, schema=records.schema())


def _record(source: str, item: int, number: int) -> dict[str, Any]:
    from ai_stack_assets.domain.dataset import records

    name = f"{source.title()}Считать{item}Вид{number}"
    body = "\n".join(
        f"\tИтог = Итог + Получить{source}{(item * 31 + number * 17 + k) % 9973}(Цена);" for k in range(12)
    )
    code = f"Функция {name}(Цена) Экспорт\n\tИтог = 0;\n{body}\n\tВозврат Итог;\nКонецФункции"
    return records.record(
        source=source, repository=f"owner/{source}{item}", path=f"src/CommonModules/М{item}/Ext/Module.bsl", licence="MIT",
        is_publishable=True, module_type="CommonModule", method_name=name, signature=f"Функция {name}(Цена) Экспорт",
        is_export=True, doc_comment="Считает итог по цене.\nПараметры:\n Цена - Число\nВозвращаемое значение:\n Число", code=code,
        tokens=120,
    )  # fmt: skip


def job() -> dg.JobDefinition:
    from ai_stack_assets.definitions import defs
    from ai_stack_assets.defs.shared import resources
    from ai_stack_assets.orchestration import keys

    location = defs()
    own = {
        **(resources.resources().resources or {}),
        "dataset_sources": SimulatedSources(latency=float(os.environ["LATENCY"])),
    }
    stage = dg.define_asset_job("bench", dg.AssetSelection.groups(keys.DATASET))
    made = dg.Definitions(location.assets, resources=own, jobs=[stage], executor=location.executor)
    return made.resolve_job_def("bench")


def run(instance: dg.DagsterInstance) -> tuple[float, dict[str, tuple[float, float]]]:
    weeks = job().partitions_def
    assert weeks is not None
    week = weeks.get_last_partition_key()
    started = time.perf_counter()
    with dg.execute_job(
        dg.reconstructable(job), instance=instance, tags={"dagster/partition": week}
    ) as result:
        wall = time.perf_counter() - started
        steps = instance.get_run_step_stats(result.run_id)
        assert result.success
    return wall, {s.step_key: (s.start_time or 0.0, s.end_time or 0.0) for s in steps}


def main(latency: float) -> None:
    os.environ["LATENCY"] = str(latency)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AI_STACK_ASSETS_DATA"] = folder
        settings = Path(folder) / "dataset.yaml"
        settings.write_text("quality: {least_mean_score: 0.1}\n")
        os.environ["AI_STACK_ASSETS_DATASET"] = str(settings)
        from ai_stack_assets.cli.run import open_instance

        with open_instance() as instance:
            wall, steps = run(instance)
            again, _ = run(instance)
    sources = {
        key: end - start
        for key, (start, end) in steps.items()
        if key.endswith(("methods", "files", "articles"))
    }
    first = min(start for start, _ in steps.values())
    sources_end = max(end for key, (_, end) in steps.items() if key in sources)
    tail = max(end for _, end in steps.values()) - sources_end
    slowest, sequence = max(sources.values()), sum(sources.values())
    print(
        f"sources {', '.join(f'{key} {seconds:.1f}' for key, seconds in sources.items())}; merge to upload {tail:.1f} s"
    )
    stage = max(end for _, end in steps.values()) - first
    print(
        f"stage {stage:.1f} s (process {wall:.1f}); slowest + tail {slowest + tail:.1f}: ratio {stage / (slowest + tail):.2f}"
    )
    print(
        f"in sequence {sequence + tail:.1f} s: ratio {stage / (sequence + tail):.2f} (290 → 205 minutes is 0.71)"
    )
    print(f"nothing changed {again:.1f} s: {again / wall:.0%} of the first build")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else LATENCY)
