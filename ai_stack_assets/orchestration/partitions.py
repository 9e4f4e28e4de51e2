"""The one partitioning of 1C data: a dynamic partition per configuration listed in `configurations.yaml`."""

from __future__ import annotations

import dagster as dg

CONFIGURATION = "configuration"

CONFIGURATIONS = dg.DynamicPartitionsDefinition(name=CONFIGURATION)
