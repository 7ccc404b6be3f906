"""What reporting's templates of documents are given."""

from collections.abc import Sequence
from typing import Any

TEMPLATES = "services.reporting.exports.templates"
Column = tuple[float | None, bool]
"""Width as a share, None as wide as it needs; whether it is set to the right."""


def sheet(
    head: Sequence[str], columns: Sequence[Column], rows: Sequence[Sequence[str]], *, total: bool = False, **more: Any
) -> dict[str, Any]:
    """A table as the templates take it; with `total` the last row is set apart."""
    shape = [{"width": "auto" if width is None else width, "right": right} for width, right in columns]
    return {"head": list(head), "columns": shape, "rows": [list(row) for row in rows], "total": total, **more}
