"""Page texts in English: gettext catalogs with German as the source, read as they are, without a build step."""

from functools import lru_cache
from gettext import NullTranslations
from importlib import resources
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations


@lru_cache(maxsize=32)
def translations(language: str, *packages: str) -> NullTranslations:
    """What `packages` say in `language`, the first one first; German is the source and needs none."""
    if language == "de":
        return NullTranslations()
    found = [_read(package, language) for package in packages]
    for more in found[1:]:
        found[0].add_fallback(more)
    return found[0]


def _read(package: str, language: str) -> NullTranslations:
    file = resources.files(package) / "locale" / f"{language}.po"
    if not file.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled)
