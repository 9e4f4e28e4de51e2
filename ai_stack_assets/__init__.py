"""A Dagster platform that turns 1C:Enterprise configurations into data that AI can use."""
