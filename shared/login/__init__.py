"""Logging in to the pages by OpenID Connect, and who may see which.

    from shared.login import Viewer, signed_in

    @routes.get("/worklist")
    async def worklist(request: Request, viewer: Annotated[Viewer, Depends(signed_in("coordinator"))]) -> Response: …

    @routes.post("/notes")      # form with <input type="hidden" name="csrf" value="{{ viewer.csrf }}">
    async def note(viewer: Annotated[Viewer, Depends(signed_in("coordinator"))], text: Annotated[str, Form()]) …

`viewer` is a `Caller`: handlers take it as they take the caller of an API; `viewer.subject` is the advisor's number for
advisors. GET without a session leads to the login and back; POST is checked against forgery, and kept when the session
had ended.
"""

from shared.login.door import noticed, signed_in
from shared.login.login import Login
from shared.login.routes import install
from shared.look import Viewer

__all__ = ["Login", "Viewer", "install", "noticed", "signed_in"]
