"""Reading one group (a top-level object with all its files) and collecting its rows. A file that cannot be read becomes a
rejected row with its reason; the others go on.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import msgspec

from ai_stack_assets.domain.bsl.decoding import decode
from ai_stack_assets.domain.bsl.facts import ModuleFacts
from ai_stack_assets.domain.bsl.module import parse_module
from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.onec import module_rows
from ai_stack_assets.domain.onec.assembly import assemble
from ai_stack_assets.domain.onec.buckets import FileState
from ai_stack_assets.domain.onec.fact_cache import FactCache, facts_key
from ai_stack_assets.domain.onec.layout import Root
from ai_stack_assets.domain.onec.model import FileFacts, Rejection
from ai_stack_assets.domain.onec.reader import parse_file
from ai_stack_assets.domain.onec.tables import TABLES, RejectedRow

MAX_FILE_BYTES = 64 * 2**20
MODULE_ROLE = "module"

_encode = msgspec.msgpack.Encoder().encode
_decode_module = msgspec.msgpack.Decoder(ModuleFacts).decode
_decode_file = msgspec.msgpack.Decoder(FileFacts).decode


class ModuleFile(NamedTuple):
    status: str
    size: int
    blob_hash: str
    text: str
    facts: ModuleFacts
