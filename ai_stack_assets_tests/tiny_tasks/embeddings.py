"""The tiny task under the name of a real one."""

from ai_stack_assets_tests.tiny_tasks.lines import *  # noqa: F403

NAME = "embeddings"
