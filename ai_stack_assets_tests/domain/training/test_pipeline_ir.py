"""Steps become the specification that `kfp` makes of them; what is no pipeline is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.pipeline_ir import Step, compiled

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden" / "kubeflow.yaml"
FEATURES = Step(
    "features", "reg/img:1", ["python", "-m", "ai_stack_assets", "train"], ["--only", "features", "${data}"]
)
FIT = Step("fit", "reg/img:1", ["python"], ["fit"], ["features"], {"A": "1"}, "2", "4G", 1, retries=2)


def test_it_is_what_kfp_compiles() -> None:
    golden = yaml.safe_load(GOLDEN.read_text())
    # kfp takes what a step did before for what it does now, unless one says no; this compiler never does
    golden["root"]["dag"]["tasks"]["features"]["cachingOptions"] = {}
    assert compiled("training", [FEATURES, FIT], {"data": "x", "seed": 7}, "d") == golden


def test_a_pipeline_without_parameters_has_no_inputs() -> None:
    made = compiled("training", [Step("fit", "image", ["fit"])])
    assert "inputDefinitions" not in made["root"]
    assert made["deploymentSpec"]["executors"]["exec-fit"]["container"] == {
        "image": "image",
        "command": ["fit"],
    }


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "has no steps"),
        ([Step("Fit it", "image")], "'Fit it' should begin with a-z"),
        ([Step("fit", "image"), Step("fit", "image")], "two steps 'fit'"),
        ([Step("fit", "image", after=["feature"])], "waits for 'feature', which is no step"),
        ([Step("a", "i", after=["b"]), Step("b", "i", after=["a"])], "wait for each other"),
        ([Step("fit", "image", args=["${sed}"])], r"uses \$\{sed\}, which is no parameter"),
        ([Step("fit", "image", memory="4 gigabytes")], "no amount that Kubernetes knows"),
    ],
)
def test_what_is_no_pipeline_is_refused(steps: list[Step], message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        compiled("training", steps)


@pytest.mark.parametrize(
    ("cpu", "memory", "cores", "gigabytes"),
    [("500m", "512Mi", 0.5, 0.536870912), ("1.5", "2Gi", 1.5, 2.147483648)],
)
def test_limits_are_told_as_numbers_too(cpu: str, memory: str, cores: float, gigabytes: float) -> None:
    made = compiled("training", [Step("fit", "image", cpu=cpu, memory=memory)])
    resources = made["deploymentSpec"]["executors"]["exec-fit"]["container"]["resources"]
    assert (resources["cpuLimit"], resources["memoryLimit"]) == (cores, gigabytes)
