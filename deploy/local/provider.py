"""The embedded stack's OpenID provider: oidc-provider-mock with sample people, all of them plainly fictional.

Two things that real providers do are added to it: it remembers who has logged in, so that the next service asks for no
second choice, and it gives no token without the PKCE verifier. There are no passwords: this is for one machine only.

    python -m deploy.local.provider --port 9400
"""

import argparse
import base64
import hashlib
import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import uvicorn
from jinja2 import ChoiceLoader, DictLoader
from oidc_provider_mock import User, app

from deploy.local.people import accounts

COOKIE = "miglobe-provider"
# The mock's own frame loads its style from elsewhere.
_FRAME = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Log in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><style>body { font: 1.1rem sans-serif; max-width: 40rem; margin: 2rem auto }
button { font: inherit; padding: .5rem 1rem; margin: .25rem }</style></head>
<body><main>{% block content %}{% endblock %}</main></body></html>"""


def people() -> list[User]:
    return [
        User(
            sub=one.name,
            claims={"name": one.full_name, "preferred_username": one.name, "email": one.mail, "roles": [one.role]}
            | ({"advisor_id": one.number} if one.number else {}),
        )
        for one in accounts()
    ]


def build(users: list[User] | None = None) -> flask.Flask:
    """The provider as a WSGI application; its issuer is the address at which it is asked."""
    made: flask.Flask = app(user_claims=people() if users is None else users, require_nonce=True)
    made.config["DEBUG"] = False
    made.wsgi_app = made.wsgi_app.app  # type: ignore[method-assign,attr-defined] # without the debugger
    made.jinja_loader = ChoiceLoader([DictLoader({"_base.html": _FRAME}), made.jinja_loader])  # type: ignore[list-item]
    challenges: dict[str, str] = {}

    @made.before_request
    def enter() -> Any:
        request = flask.request
        known = request.cookies.get(COOKIE)
        if request.path == "/oauth2/authorize":
            if request.args.get("code_challenge_method") != "S256":
                return "this provider wants PKCE with S256", 400
            if request.method == "GET" and known and request.args.get("prompt") != "login":
                with made.test_client() as inner:
                    return inner.post(request.full_path, data={"sub": known}, base_url=request.host_url)
        if request.path == "/oauth2/token" and request.form.get("grant_type") == "authorization_code":
            verifier = request.form.get("code_verifier", "").encode()
            made_of = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
            if challenges.pop(request.form.get("code", ""), None) != made_of:
                return {"error": "invalid_grant", "error_description": "the PKCE verifier is wrong"}, 400
        return None

    @made.after_request
    def leave(answer: flask.Response) -> flask.Response:
        request = flask.request
        code = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("code")
        if request.path == "/oauth2/authorize" and request.method == "POST" and code:
            challenges[code[0]] = request.args["code_challenge"]
            answer.set_cookie(COOKIE, request.form["sub"], httponly=True, samesite="Lax")
        if request.path.startswith("/oauth2/end_session") and request.method == "POST":
            answer.delete_cookie(COOKIE)
        return answer

    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9400)
    given = parser.parse_args()
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    uvicorn.run(build(), interface="wsgi", host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
