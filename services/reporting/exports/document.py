"""PDFs by Typst, as PDF/UA-1 and PDF/A-2a: it refuses to write one without a title, a language or alternative texts.

The template is ours and never changes with the data, which comes to it as JSON: no text can become markup.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import fontpkg_fira_sans

if TYPE_CHECKING:
    import typst

Column = tuple[float | None, bool]
"""Width as a share, None as wide as it needs; whether it is set to the right."""
_TEMPLATES = resources.files("services.reporting.exports") / "templates"


def pdf(template: str, data: Mapping[str, Any], at: datetime) -> bytes:
    """The document of `template` filled with `data`; the same whenever it is made. Not for the event loop.

    Raises RuntimeError when Typst refuses.
    """
    import typst  # 7 MB that a service at rest need not hold

    made_on = {"year": at.year, "month": at.month, "day": at.day}
    files = {
        "main.typ": (_TEMPLATES / f"{template}.typ").read_bytes(),
        "common.typ": (_TEMPLATES / "common.typ").read_bytes(),
        "data.json": json.dumps({**data, "made": made_on}, ensure_ascii=False).encode(),
    }
    made = typst.compile(  # type: ignore[call-overload]  # it takes several files by name, which its stubs do not say
        files,
        format="pdf",
        font_paths=_fonts(),
        ignore_system_fonts=True,
        pdf_standards=["ua-1", "a-2a"],
        timestamp=int(at.timestamp()),
    )
    assert isinstance(made, bytes)
    return made


def sheet(
    head: Sequence[str], columns: Sequence[Column], rows: Sequence[Sequence[str]], *, total: bool = False, **more: Any
) -> dict[str, Any]:
    """A table as the templates take it; with `total` the last row is set apart."""
    shape = [{"width": "auto" if width is None else width, "right": right} for width, right in columns]
    return {"head": list(head), "columns": shape, "rows": [list(row) for row in rows], "total": total, **more}


@cache
def _fonts() -> "typst.Fonts":
    """Out of a package, so that a document is the same on every machine."""
    import typst

    return typst.Fonts(False, False, [str(fontpkg_fira_sans.ROOT / "files")])
