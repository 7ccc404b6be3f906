"""Errors that carry their own status and words; `shared/web.py` renders them, `shared/broker.py` sorts them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field: `field` is its path in the body, `code` for machines."""

    field: str
    code: str
    de: str
    en: str


class Problem(Exception):
    """An answer to the caller by RFC 9457: `type` is a slug, the words are German first."""

    status = 500
    type = "internal"
    title_de = "Interner Fehler"
    title_en = "Internal error"

    def __init__(
        self, de: str, en: str, *, fields: tuple[FieldError, ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(en)
        self.de = de
        self.en = en
        self.fields = fields
        self.retry_after = retry_after


class Malformed(Problem):
    status, type, title_de, title_en = 400, "malformed", "Unlesbare Anfrage", "Malformed request"


class Unauthorized(Problem):
    status, type, title_de, title_en = 401, "unauthorized", "Nicht angemeldet", "Not signed in"


class Forbidden(Problem):
    status, type, title_de, title_en = 403, "forbidden", "Nicht erlaubt", "Not allowed"


class NotFound(Problem):
    status, type, title_de, title_en = 404, "not-found", "Nicht gefunden", "Not found"


class Conflict(Problem):
    """The state of the thing forbids it: an assignment already answered, feedback given twice."""

    status, type, title_de, title_en = 409, "conflict", "Nicht mehr möglich", "Conflict"


class TooLarge(Problem):
    status, type, title_de, title_en = 413, "too-large", "Anfrage zu groß", "Request too large"


class Invalid(Problem):
    """The content is wrong; one `FieldError` per field."""

    status, type, title_de, title_en = (
        422,
        "invalid",
        "Bitte prüfen Sie Ihre Angaben",
        "Please check your entries",
    )

    @classmethod
    def of(cls, *fields: FieldError) -> "Invalid":
        return cls("; ".join(f.de for f in fields), "; ".join(f.en for f in fields), fields=fields)


class TooMany(Problem):
    status, type, title_de, title_en = 429, "too-many", "Zu viele Anfragen", "Too many requests"


class Unavailable(Problem):
    """A dependency is away or the queue is full: nothing was stored, try again."""

    status, type, title_de, title_en = (
        503,
        "unavailable",
        "Gerade nicht erreichbar",
        "Temporarily unavailable",
    )

    def __init__(self, de: str, en: str, *, retry_after: int = 5) -> None:
        super().__init__(de, en, retry_after=retry_after)


class Stale(Exception):
    """The document has changed since it was loaded: load, decide and save again."""


class Duplicate(Exception):
    """A unique key stands already. `collection`: where; `keys`: the index's fields."""

    def __init__(self, collection: str, keys: tuple[str, ...]) -> None:
        super().__init__(f"{collection}: {', '.join(keys)} is taken")
        self.collection = collection
        self.keys = keys


class Permanent(Exception):
    """A message that can't be processed however often it is tried; `reason` is a code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
