"""The read models' collections, and what is kept in them as documents."""

import hashlib
from collections.abc import Iterable
from datetime import UTC
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

INDEXES: tuple[tuple[str, list[tuple[str, int]], dict[str, Any]], ...] = (
    (MEASURES, [("indicator", 1), ("on", 1), ("_id", 1)], {"name": "lineage"}),
    (CLAIMS, [("held_on", 1), ("_id", 1)], {"name": "days"}),
    (CLAIMS, [("advisor_id", 1), ("held_on", 1), ("_id", 1)], {"name": "advisor"}),
    (CLAIMS, [("request_id", 1), ("held_on", 1), ("_id", 1)], {"name": "request"}),
    (CLAIMS, [("status", 1), ("held_on", 1), ("_id", 1)], {"name": "status"}),
    (FINDINGS, [("request_id", 1), ("_id", 1)], {"name": "request"}),
    (CASES, [("summary.case_number", 1)], {"name": "case_number"}),
    (CASES, [("summary.waiting_since", 1)], {"name": "waiting", "sparse": True}),
)
"""Of the read models: collection, keys, options."""
PROJECTED = "projector"
"""`_id` in `counters`: `seq` is the place in the ledger up to which the read models are made."""
EPOCH = 40
"""Bits of a place in the ledger, above which a case's version has its epoch."""

MEASURE, CLAIM, FINDING = TypeAdapter(Measure), TypeAdapter(Claim), TypeAdapter(Finding)
CARD = TypeAdapter(RateCard)
_VALUES = TypeAdapter(list[Any])
_ROWS: tuple[tuple[str, TypeAdapter[Any]], ...] = ((CLAIMS, CLAIM), (FINDINGS, FINDING))


def rows_of(case: Case) -> Iterable[tuple[str, Document, str]]:
    """Each row's collection, document and digest."""
    kinds: tuple[tuple[Row, ...], ...] = (case.claims, case.findings)
    for measure in case.measures:
        document = measure_document(measure)
        yield MEASURES, document, _digest(document)
    for (collection, adapter), rows in zip(_ROWS, kinds, strict=True):
        for row in rows:
            document = adapter.serializer.to_python(row, mode="json")  # `dump_python` takes twice as long to get there
            digest = _digest(document)
            yield collection, {"_id": document.pop("id"), **document}, digest


def measure_document(measure: Measure) -> Document:
    """As the adapter would make it, at a quarter of the time: most rows are measures."""
    return {
        "_id": measure.id,
        "indicator": measure.indicator,
        "value": measure.value,
        "on": measure.on.isoformat(),
        "request_id": measure.request_id,
        "ags": measure.ags,
        "district": measure.district,
        "fields": [*measure.fields],
        "facts": [*measure.facts],
        "size": measure.size,
        "member": measure.member,
    }


def head_of(case: Case, rows: Iterable[tuple[str, str, str]], epoch: int) -> Document:
    """A case's own document; `rows`: collection, id and digest of each of its rows."""
    version = epoch << EPOCH | case.version
    return {
        "_id": case.request_id,
        "version": version,
        "summary": summary_of(case),
        "rows": [*rows],
    }


def summary_of(case: Case) -> Document:
    summary: Document = {"case_number": case.case_number, "ags": case.ags, "fields": list(case.fields)}
    if case.waiting_since is not None:
        summary["waiting_since"] = case.waiting_since.astimezone(UTC).isoformat(timespec="milliseconds")
    return summary


def _digest(document: Document) -> str:
    return hashlib.blake2b(_VALUES.serializer.to_json([*document.values()]), digest_size=8).hexdigest()


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
