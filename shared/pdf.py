"""PDF/UA-1 by typst: a template of the service and its data as JSON, never a source that was put together.

The data reaches the template as `json("data.json")`; whatever it holds is text there and no markup. Fonts come with
us, so a document looks the same on every machine: Fira Sans, and Noto for scripts that it lacks. Typst refuses to
write what has no title, language or alternative texts.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fontpkg_fira_sans
import manimgx_fonts

if TYPE_CHECKING:
    import typst

FONTS = (
    "Fira Sans",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Ethiopic",
    "Noto Sans Armenian",
    "Noto Sans Georgian",
    "Noto Sans Devanagari",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Symbols",
    "Noto Emoji",
)
"""In the order in which they are tried; what none of them has is replaced by ▯."""
_UNKNOWN = re.compile('the text `"(.+?)"` could not be displayed', re.DOTALL)
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


ACCESSIBLE, ARCHIVE = ("ua-1",), ("ua-1", "a-2a")


def render(
    package: str, template: str, data: Mapping[str, Any], at: datetime, standards: Sequence[str] = ACCESSIBLE
) -> bytes:
    """`template` of `package` filled with `data`; `at` is the time that the document bears. For a thread of its own.

    It may import the package's other templates, and finds in its data the `fonts`, the day that it is `made` on, and
    whether characters had to be `replaced`. The same data give the same document.
    """
    import typst  # the compiler takes 30 MB; only who makes documents pays for it

    folder = resources.files(package)
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".typ")}
    files["main.typ"] = files.pop(template)
    made_on = {"year": at.year, "month": at.month, "day": at.day}
    replaced: set[str] = set()
    while True:
        filled = _without(data, replaced) | {"fonts": FONTS, "made": made_on, "replaced": bool(replaced)}
        files["data.json"] = json.dumps(filled).encode()
        try:
            made = typst.compile(  # type: ignore[call-overload]  # it takes several files by name, which its stubs do not say
                files,
                format="pdf",
                font_paths=_fonts(),
                pdf_standards=list(standards),
                timestamp=int(at.timestamp()),
            )
        except typst.TypstError as error:
            unknown = _UNKNOWN.search(str(error))
            if unknown is None:
                raise
            told = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), unknown[1])
            scripts = {_script(character) for character in told}
            if scripts <= replaced:
                raise
            replaced |= scripts
        else:
            return bytes(made)


@cache
def _fonts() -> "typst.Fonts":
    """Ours and no others, whatever the machine has."""
    import typst

    noto, fira = (Path(str(package.__file__)).parent for package in (manimgx_fonts, fontpkg_fira_sans))
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[noto, fira / "files"])


def _script(character: str) -> str:
    """Characters of one script are missing together: `CJK`, `HANGUL`."""
    return unicodedata.name(character, f"U+{ord(character):04X}").split()[0]


def _without(value: Any, scripts: set[str]) -> Any:
    """`value` with ▯ for each character of these scripts."""
    if isinstance(value, str):
        return "".join("▯" if _script(each) in scripts else each for each in value) if scripts else value
    if isinstance(value, Mapping):
        return {name: _without(item, scripts) for name, item in value.items()}
    return [_without(item, scripts) for item in value] if isinstance(value, list | tuple) else value
