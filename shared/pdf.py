"""PDF/UA-1 by typst: a template of the service and its data as JSON, never a source that was put together.

The data reaches the template as `json(bytes(sys.inputs.data))`; whatever it holds is text there and no markup. Fonts
come with us, so a document looks the same on every machine: Fira Sans, and Noto for scripts that it lacks.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
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


def render(package: str, template: str, data: Mapping[str, Any], at: datetime) -> bytes:
    """`template` of `package` filled with `data`; `at` is the time that the document bears. For a thread of its own.

    The template finds the fonts under `fonts` of its data, and under `replaced` whether characters had to be.
    """
    import typst  # the compiler takes 30 MB; only who makes documents pays for it

    source = resources.files(package).joinpath(template).read_bytes()
    replaced: set[str] = set()
    while True:
        filled = _without(data, replaced) | {"fonts": FONTS, "replaced": bool(replaced)}
        try:
            made = typst.compile(
                source,
                format="pdf",
                font_paths=_fonts(),
                sys_inputs={"data": json.dumps(filled)},
                pdf_standards=["ua-1"],
                timestamp=at.replace(microsecond=0),
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
