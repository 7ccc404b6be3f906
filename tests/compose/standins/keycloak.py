"""The embedded provider, answering where Keycloak would: below its realm, by the name that browsers know, and healthy.

As with KC_HOSTNAME_BACKCHANNEL_DYNAMIC, what browsers need is named by KC_HOSTNAME, what services need by the address
at which they asked.
"""

import json
import os
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import oidc_provider_mock._app as mock
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from deploy.local.provider import build

REALM = "/realms/miglobe"
PUBLIC = os.environ["KC_HOSTNAME"].rstrip("/")
INNER = ("token_endpoint", "jwks_uri", "userinfo_endpoint")


def main() -> None:
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    usual = mock.OpenIDCode.get_jwt_config

    def of_the_realm(self: Any, grant: Any, client: Any = None) -> dict[str, Any]:
        return {**usual(self, grant, client), "iss": PUBLIC + REALM}

    mock.OpenIDCode.get_jwt_config = of_the_realm
    provider = build()

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked_at = Request(environ).host_url.rstrip("/")
        path = environ["PATH_INFO"]
        if not path.startswith(f"{REALM}/"):
            return Response("nothing here", 404)(environ, start_response)
        environ |= {"SCRIPT_NAME": REALM, "PATH_INFO": path.removeprefix(REALM), "HTTP_HOST": urlsplit(PUBLIC).netloc}
        if not path.endswith("/openid-configuration"):
            return provider(environ, start_response)
        found = json.loads(Response.from_app(provider, environ).get_data()) | {"issuer": PUBLIC + REALM}
        found |= {name: found[name].replace(PUBLIC, asked_at) for name in INNER}
        return Response(json.dumps(found), mimetype="application/json")(environ, start_response)

    def health(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return Response("up")(environ, start_response)

    threading.Thread(target=make_server("0.0.0.0", 9000, health).serve_forever, daemon=True).start()
    make_server("0.0.0.0", 8080, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
