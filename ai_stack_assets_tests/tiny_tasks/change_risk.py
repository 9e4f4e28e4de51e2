"""The tiny task under the name of a real one."""

from ai_stack_assets_tests.tiny_tasks.lines import (  # noqa: F401
    CARD,
    CODE_VERSION,
    METRIC,
    PARAMETERS,
    REQUIREMENTS,
    baselines,
    evaluate,
    fit,
    load,
    prepare,
    search_space,
)

NAME = "change_risk"
