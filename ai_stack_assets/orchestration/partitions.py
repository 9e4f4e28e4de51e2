"""The one partitioning of 1C data: a dynamic partition per configuration listed in `configurations.yaml`."""

from __future__ import annotations

import dagster as dg

CONFIGURATION = "configuration"

CONFIGURATIONS = dg.DynamicPartitionsDefinition(name=CONFIGURATION)

PARTITION_TAG = "dagster/partition"
"""Run tag by which runs of one configuration are found, and kept from overlapping (dagster.yaml)."""
