"""The reader of EDT projects: which function reads which role. What is the same in both layouts (rights, data
composition schemas, flowcharts, XDTO packages) is read by the same code.
"""

from __future__ import annotations

from ai_stack_assets.domain.onec.model import Node


def read(role: str, data: bytes) -> Node:
    """What one file of an EDT project says; see `reader.parse_file`."""
    from ai_stack_assets.domain.onec import flowchart, package, schema
    from ai_stack_assets.domain.onec.designer import rights
    from ai_stack_assets.domain.onec.edt import forms, objects, parts

    readers = {
        "object": objects.read_object,
        "form": forms.read_form,
        "rights": rights.read_rights,
        "template": schema.read_template,
        "schedule": parts.read_schedule,
        "command_interface": parts.read_command_interface,
        "flowchart": flowchart.read_flowchart,
        "package": package.read_package,
    }
    return readers[role](data)
