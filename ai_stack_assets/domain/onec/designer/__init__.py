"""The reader of Designer dumps ("Выгрузить конфигурацию в файлы"): which function reads which role."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ai_stack_assets.domain.onec.model import Node


def read(role: str, data: bytes) -> Node:
    """What one file of a Designer dump says; see `reader.parse_file`."""
    return _readers()[role](data)


@cache
def _readers() -> dict[str, Callable[[bytes], Node]]:
    from ai_stack_assets.domain.onec import flowchart, package, schema
    from ai_stack_assets.domain.onec.designer import forms, objects, parts, rights

    return {
        "object": objects.read_object,
        "form": forms.read_form,
        "rights": rights.read_rights,
        "template": schema.read_template,
        "predefined": parts.read_predefined,
        "content": parts.read_content,
        "schedule": parts.read_schedule,
        "help": parts.read_help,
        "command_interface": parts.read_command_interface,
        "flowchart": flowchart.read_flowchart,
        "package": package.read_package,
    }
