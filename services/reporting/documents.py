"""The read models' collections, and what is kept in them as documents."""

import hashlib
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from services.reporting.claims import Claim
from services.reporting.domain import Case, Row
from services.reporting.findings import Finding
from services.reporting.measures import Measure
from services.reporting.rates import RateCard
from shared.events import ReportingEntry
from shared.mongo import Document

CASES, MEASURES, CLAIMS, FINDINGS = "cases", "measures", "claims", "findings"
READ_MODELS = (CASES, MEASURES, CLAIMS, FINDINGS)
"""What a rebuild drops and makes again, with the cells."""
CELLS = "cells"
"""Sums of the measures."""
ENTRIES, RATES, COUNTERS = "entries", "rates", "counters"

MEASURE, CLAIM, FINDING = TypeAdapter(Measure), TypeAdapter(Claim), TypeAdapter(Finding)
CARD = TypeAdapter(RateCard)
_ROWS: tuple[tuple[str, TypeAdapter[Any]], ...] = ((MEASURES, MEASURE), (CLAIMS, CLAIM), (FINDINGS, FINDING))


def rows_of(case: Case) -> Iterable[tuple[str, Document, str]]:
    """Each row's collection, document and digest."""
    kinds: tuple[tuple[Row, ...], ...] = (case.measures, case.claims, case.findings)
    for (collection, adapter), rows in zip(_ROWS, kinds, strict=True):
        for row in rows:
            document = adapter.dump_python(row, mode="json")
            yield collection, {"_id": document.pop("id"), **document}, _digest(adapter.dump_json(row))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def line_document(line: ReportingEntry) -> Document:
    """A line as it is remembered: what `hold_rates` asks for, and the whole as text; `entries.py` gives it a place."""
    return {
        "_id": line.entry_id,
        "request_id": line.request_id,
        "claim_id": line.claim_id,
        "revision": line.revision,
        "rate_card": line.rate_card,
        "held_on": line.held_on.isoformat(),
        "data": line.model_dump_json(),
        "unplaced": True,
    }


def card_document(card: RateCard) -> Document:
    document: Document = CARD.dump_python(card, mode="json")
    return {"_id": document.pop("code"), **document}


def card_of(document: Document) -> RateCard:
    return CARD.validate_python({"code": document["_id"], **document})
