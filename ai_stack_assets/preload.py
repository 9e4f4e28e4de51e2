"""What every step needs, imported once: steps are forked from a process that has imported this module.

Without the storage modules each step spends 1–2 s on importing them. Nothing may start threads here.
"""

import alembic.command  # noqa: F401
import sqlalchemy.dialects.sqlite  # noqa: F401

from ai_stack_assets.definitions import defs

defs()
