"""A provider that signs whatever a test wants, with keys that a test changes."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from shared.auth import Role


class Issuer:
    """`asked`: how often its keys were fetched; `away`: it answers nothing but 503."""

    def __init__(self) -> None:
        self.keys = [RSAKey.generate_key(2048, auto_kid=True)]
        self.asked = 0
        self.away = False
        self.url = ""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if self.away:
            return Response("away", 503)(environ, start_response)
        if Request(environ).path == "/jwks":
            self.asked += 1
            body: Any = KeySet(list(self.keys)).as_dict(private=False)
        else:
            at = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            body = {"issuer": self.url} | {name: self.url + path for name, path in at.items()}
        return Response(json.dumps(body), mimetype="application/json")(environ, start_response)

    def rotate(self) -> None:
        self.keys = [RSAKey.generate_key(2048, auto_kid=True), *self.keys]

    def token(self, role: Role | None = "coordinator", key: RSAKey | None = None, **changed: Any) -> str:
        """A bearer token for our APIs; None as a value leaves a claim out."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": ["miglobe-api", "account"],
            "sub": "f0e1",
            "preferred_username": "koordination",
            "roles": [role] if role else [],
            "iat": now,
            "exp": now + 300,
        }
        claims = {name: value for name, value in (usual | changed).items() if value is not None}
        signing = key or self.keys[0]
        return jwt.encode({"alg": "RS256", "kid": signing.kid or ""}, claims, signing)


@contextmanager
def issuing() -> Iterator[Issuer]:
    made = Issuer()
    server = make_server("127.0.0.1", 0, made, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
