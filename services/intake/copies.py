"""The copy of a request to keep: what was asked for, as a PDF."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.intake import sheet, words
from services.intake.domain import Request
from services.intake.words import Pair, pick
from shared import pdf

_WORDS: dict[str, Pair] = {
    "title": ("Kopie Ihrer Anfrage {number}", "Copy of your request {number}"),
    "page": ("Seite", "Page"),
    "number": ("Nummer", "Number"),
    "received": ("Eingegangen", "Received"),
    "channel": ("Gestellt", "Made"),
    "free": (
        "Die Beratung ist für Sie kostenlos. Den Stand sehen Sie jederzeit über den Link in unserer E-Mail.",
        "The consultation is free for you. The link in our e-mail shows the state at any time.",
    ),
    "erased": (
        "Kontakt und Anliegen wurden am {day} gelöscht.",
        "Contact and need were erased on {day}.",
    ),
    "unknown": (
        "Zeichen, die unsere Schriften nicht haben, stehen hier als ▯; gespeichert sind sie, wie Sie sie schrieben.",
        "Characters that our fonts lack appear as ▯ here; they are stored as you typed them.",
    ),
}


def make(request: Request, municipality: str, programme: str, language: str, zone: ZoneInfo, now: datetime) -> bytes:
    """The PDF, made at `now`. `municipality`: its name, so that no other is meant."""

    def said(name: str, **values: str) -> str:
        return pick(_WORDS[name], language).format(**values)

    notes = [said("free")]
    if request.erased_at:
        notes.append(said("erased", day=words.day(request.erased_at.astimezone(zone).date(), language)))
    parts = sheet.of_request(request, municipality, language)
    data = {
        "lang": language,
        "title": said("title", number=request.case_number),
        "programme": programme,
        "case_number": request.case_number,
        "footer": f"{programme} · {request.case_number}",
        "page": said("page"),
        "facts": [
            (said("number"), request.case_number),
            (said("received"), words.start(request.submitted_at, language, zone)),
            (said("channel"), pick(words.CHANNELS[request.channel], language)),
        ],
        "parts": [
            {
                "title": part.title,
                "rows": [{"label": row.label, "values": row.values, "typed": row.typed} for row in part.rows],
            }
            for part in parts
        ],
        "notes": notes,
        "unknown": said("unknown"),
    }
    return pdf.render("services.intake", "copy.typ", data, now)
