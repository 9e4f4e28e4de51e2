"""The lake's resource: in the data folder, or where LAKE_URL says; the doctor's look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_stack_assets.defs.shared.resources import resources
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.common.lake_shared import SharedLake
from ai_stack_assets.domain.stores.doctor import examine
from ai_stack_assets.resources.lake import LakeResource


def test_one_setting_moves_the_lake_and_the_models(bucket_url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("AI_STACK_ASSETS_DATA", str(tmp_path))
    monkeypatch.delenv("LAKE_URL", raising=False)
    assert type(resources().resources["lake"].open()) is Lake
    monkeypatch.setenv("LAKE_URL", f"{bucket_url}/platform")
    bound = resources().resources
    lake = bound["lake"].open("dataset/methods")
    assert isinstance(lake, SharedLake)
    assert lake.place == f"{bucket_url}/platform/dataset/methods"
    assert bound["vectorisers"].open().bucket.url == f"{bucket_url}/platform/vectorisers"


def test_an_answer_is_kept_beside_the_lake(bucket_url: str, tmp_path: Path) -> None:
    here = LakeResource(data=str(tmp_path))
    assert here.keep_result("demo", "sizes", b"[]") == (tmp_path / "results/demo/sizes.json").as_uri()
    there = LakeResource(data=str(tmp_path), url=bucket_url)
    assert there.keep_result("demo", "sizes", b"[]") == f"{bucket_url}/results/demo/sizes.json"


def test_the_doctor_finds_a_bucket_well_and_leaves_nothing_in_it(
    bucket_url: str, tmp_path: Path, s3_server
) -> None:
    lake = LakeResource(data=str(tmp_path), url=bucket_url)
    [found] = examine(lake.looks())
    assert found.is_healthy
    assert [finding.step for finding in found.findings] == ["reachable", "rights"]
    assert lake.open().bucket.list("") == []
    assert LakeResource(data=str(tmp_path)).looks() == []


@pytest.mark.parametrize(
    ("url", "refusal", "step", "said"),
    [
        ("s3://nowhere-to-be-found", None, "reachable", "does not exist"),
        ("", (403, "AccessDenied"), "reachable", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_the_doctor_names_what_is_wrong_with_a_bucket(
    bucket_url, s3_server, tmp_path, url, refusal, step, said
) -> None:
    s3_server.refusals[:] = [refusal] * 5 if refusal else []
    [found] = examine(LakeResource(data=str(tmp_path), url=url or bucket_url).looks())
    s3_server.refusals.clear()
    assert not found.is_healthy
    assert (found.findings[-1].step, said in found.problem) == (step, True)
