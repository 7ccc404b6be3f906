"""Collects the text of the pages: `python -m deploy.words` adds what is new to the English catalogs and drops what is
gone; with `check` it changes nothing and fails when any text lacks its English.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from deploy.local.tools import ROOT

PACKAGES = (
    "shared/look",
    "shared/login",
    "services/intake",
    "services/matching",
    "services/notifications",
    "services/reporting",
)
_OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false"}}


def collect(package: Path) -> Catalog:
    """The texts of a package's pages, without any English."""
    found = Catalog(locale="en", charset="utf-8")
    places = extract_from_dir(package / "templates", [("**.html", "jinja2")], _OPTIONS)
    for _file, _line, message, _comments, context in places:
        found.add(message, context=context)
    return found


def merged(package: Path) -> Catalog:
    """The texts of a package's pages with the English that its catalog has."""
    file = package / "locale" / "en.po"
    known = Catalog(locale="en", charset="utf-8")
    if file.exists():
        with file.open("rb") as source:
            known = read_po(source, locale="en")
    found = collect(package)
    for message in found:
        if message.id and (there := known.get(message.id, message.context)):
            message.string = there.string
    return found


def lacking(catalog: Catalog) -> list[str]:
    """The texts without English, or whose English has other placeholders."""
    return [
        str(message.id)
        for message in catalog
        if message.id and (not all(_parts(message.string)) or any(True for _ in message.check(catalog)))
    ]


def _parts(words: object) -> tuple[str, ...]:
    return words if isinstance(words, tuple) else (str(words or ""),)


def written(catalog: Catalog) -> bytes:
    """The catalog as a file that changes only where its texts do."""
    file = BytesIO()
    write_po(file, catalog, width=0, no_location=True, omit_header=True, sort_output=True)
    return file.getvalue()


def main(check: bool) -> int:
    """Returns the exit code."""
    wrong = 0
    for name in PACKAGES:
        package = ROOT / name
        if not (package / "templates").is_dir():
            continue
        catalog, file = merged(package), package / "locale" / "en.po"
        for text in lacking(catalog):
            print(f"{name}/locale/en.po: no English, or other placeholders, for: {text}")
            wrong += 1
        if not len(catalog):
            continue
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(written(catalog))
        elif not file.exists() or file.read_bytes() != written(catalog):
            print(f"{name}/locale/en.po is not as the pages are: run `make words`")
            wrong += 1
    return 1 if wrong and check else 0


if __name__ == "__main__":
    sys.exit(main("check" in sys.argv[1:]))
