"""The look of the one site: base template, form fields, words in two languages, formats, security headers.

A service's templates hold its pages only:

    look = Look(settings, "services.intake")          # finds templates/ and locale/ of that package
    routes = APIRouter(route_class=look.route_class)  # errors of its routes are pages that can be read
    return look.show(request, "status.html", case=…)

    {% extends "look/base.html" %}                    # blocks: title, main; optional: breadcrumb, head
    {% import "look/forms.html" as forms %}           # fields with hint and error, error summary
    {% import "look/parts.html" as parts %}           # alert, badge, button, steps, table, pagination, …

Page text is written in German as `{{ _("…") }}` or `{% trans %}…{% endtrans %}`; `make words` collects it into
`locale/en.po`, where the English goes, and `make check` fails while any is missing. Words for codes stand in Python
as (German, English) pairs, and `pick(pair)` shows them.
"""

from shared.look.page import Look
from shared.look.viewer import Viewer

__all__ = ["Look", "Viewer"]
