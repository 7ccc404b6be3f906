"""What answers tell browsers to refuse.

Pages load nothing but this site's own files and run no script or style that stands in the page itself. The
addresses of pages hold tokens: other sites never see them (`same-origin`; with `no-referrer` browsers would send
`Origin: null` with our own forms too, and a forged form could no longer be told from ours).
"""

_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

PAGE = {
    "Content-Security-Policy": _PAGE_POLICY,
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
"""Of every page, besides those of every answer."""

ASYNCAPI = {"Content-Security-Policy": _PAGE_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")}
"""Of /asyncapi alone, which shows nothing that people typed: its viewer, made by others, compiles schemas."""

EVERY = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"permissions-policy", _PERMISSIONS.encode()),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)
"""Of every answer that doesn't say otherwise."""
