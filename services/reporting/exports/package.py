"""The whole report in a ZIP: PDF, XLSX, CSV, JSON, with a manifest and checksums."""

import hashlib
import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from services.reporting.exports import report, workbook
from services.reporting.exports.text import as_json, tables_of
from services.reporting.figures import Granularity
from services.reporting.reports import Reports
from services.reporting.result import Result


def files(reports: Reports, result: Result, folder: Path, granularity: Granularity, language: str) -> list[Path]:
    """Writes report.pdf, report.xlsx, report.json and a CSV per table; takes seconds, so not on the event loop."""
    made = [folder / "report.pdf", folder / "report.xlsx", folder / "report.json"]
    made[0].write_bytes(report.write(reports, result, granularity, language))
    workbook.write(reports, result, made[1], granularity, language)
    _write(made[2], as_json(reports, result, granularity, language))
    for table in tables_of(reports, result, granularity, language):
        made.append(folder / f"{table.code}.csv")
        _write(made[-1], table.lines(language))
    return made


def write(reports: Reports, result: Result, path: Path, granularity: Granularity, language: str) -> None:
    """The ZIP at `path`: all `files`, manifest.json and SHA256SUMS (as sha256sum checks it)."""
    with TemporaryDirectory(prefix="miglobe-report-") as folder:
        made = files(reports, result, Path(folder), granularity, language)
        sums = {file.name: _digest(file) for file in made}
        manifest = {
            "period": {"from": result.scope.start.isoformat(), "to": result.scope.end.isoformat()},
            "closed": result.closing.at.isoformat() if result.closing else None,
            "made_at": result.made_at.isoformat(),
            "position": result.counted.position,
            "language": language,
            "honoraria": asdict(result.vouchers.sums),
            "files": [{"name": file.name, "bytes": file.stat().st_size, "sha256": sums[file.name]} for file in made],
        }
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in made:
                archive.write(file, file.name)
            archive.writestr("manifest.json", json.dumps(manifest, indent=2) + "\n")
            archive.writestr("SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in sums.items()))


def _write(path: Path, parts: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
