"""Pages as a reader without JavaScript uses them: forms with what stands in them, links, texts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx


@dataclass
class Form:
    """`fields`: what a browser would send without any change; `buttons`: the named ones."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        elif self.forms and (name := given.get("name")):
            self._field(tag, name, given)
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.forms[-1].fields):
            self.forms[-1].fields[self._select] = given.get("value", "")

    def _field(self, tag: str, name: str, given: dict[str, str]) -> None:
        form = self.forms[-1]
        if tag == "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input" and given.get("type") in ("radio", "checkbox"):
            if "checked" in given:
                form.fields[name] = given.get("value", "")
        elif tag == "input" and given.get("type") != "file":
            form.fields[name] = given.get("value", "")
        elif tag == "textarea":
            self._area, form.fields[name] = name, ""
        elif tag == "select":
            self._select = name

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data
        elif data.strip():
            self.words.append(" ".join(data.split()))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            fields = self.forms[-1].fields
            fields[self._area] = fields[self._area].removeprefix("\n")
            self._area = None
        elif tag == "select":
            self._select = None


@dataclass(frozen=True)
class Read:
    """A page that has been read."""

    status: int
    words: str
    links: list[str]
    forms: list[Form]

    @classmethod
    def of(cls, answer: httpx.Response) -> "Read":
        reader = _Reader()
        reader.feed(answer.text)
        return cls(answer.status_code, " ".join(reader.words), reader.links, reader.forms)

    def form(self, action: str) -> Form:
        """The form whose address ends so. Raises StopIteration when there is none."""
        return next(form for form in self.forms if form.action.endswith(action))
