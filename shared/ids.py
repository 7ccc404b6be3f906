"""Identifiers: UUIDv7, time-ordered; and ids that a rebuild derives again."""

import hashlib
from datetime import datetime

import uuid_utils


def new_id() -> str:
    """A fresh UUIDv7, canonical; ids of one process rise strictly."""
    return str(uuid_utils.uuid7())


def derived_id(at: datetime, *parts: str) -> str:
    """The UUIDv7 for `parts` at `at` (aware): the same arguments give the same id, for rebuilds."""
    rest = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:10])
    bits = int(at.timestamp() * 1000) << 80 | rest
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
