"""AsyncAPI 3.0 of what a service reads and writes, from the event models themselves.

FastStream's own document carries neither key nor headers, and our subscriber takes all topics at once.
"""

from html import escape
from typing import Any

from shared.events import BY_TOPIC, EMITTED, Dossier, Event
from shared.topics import CONSUMED, dead_letter_topic

_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "UUIDv7; the same when delivered again"},
        "ce_source": {"type": "string", "description": "/miglobe/<service>"},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "the message's key"},
        "ce_correlationid": {"type": "string", "description": "the same for all that one call has set off"},
        "ce_causationid": {"type": "string", "description": "ce_id of the event that caused this one"},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
    },
}


def document(service: str, prefix: str = "") -> dict[str, Any]:
    """The AsyncAPI 3.0 document of `service`; topics with the installation's `prefix`."""
    emitted = [event.topic for event in EMITTED[service]]
    read = list(CONSUMED[service])
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic in [*emitted, *read]:
        name = topic.replace(".", "_")
        event = BY_TOPIC[topic]
        messages[name] = _message(event)
        channels[name] = _channel(prefix + topic, name, event)
        action = "send" if topic in emitted else "receive"
        operations[f"{action}_{name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        }
    for topic in read:
        name = f"{topic.replace('.', '_')}_dlq"
        channels[name] = {
            "address": prefix + dead_letter_topic(topic, service),
            "description": "What could not be processed, as it came; the reason stands in the dlq_… headers.",
            "messages": {},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"MiGlobe {service}",
            "version": "1",
            "description": "CloudEvents 1.0, Kafka binary binding. Delivered at least once: ce_id tells repetitions.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _message(event: type[Event]) -> dict[str, Any]:
    key = "advisor_id" if "request_id" not in event.model_fields else "request_id"
    return {
        "name": event.type(),
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _HEADERS,
        "payload": _inlined(event),
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}},
    }


def _inlined(event: type[Event]) -> dict[str, Any]:
    """The JSON schema of `event` without references, so that the message stands alone."""
    schema = event.model_json_schema()
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                target = definitions[node["$ref"].rsplit("/", 1)[-1]]
                return resolve({**target, **{key: value for key, value in node.items() if key != "$ref"}})
            return {key: resolve(value) for key, value in node.items()}
        if isinstance(node, list):
            return [resolve(item) for item in node]
        return node

    resolved: dict[str, Any] = resolve(schema)
    return resolved


def _channel(address: str, name: str, event: type[Event]) -> dict[str, Any]:
    compacted = issubclass(event, Dossier)
    return {
        "address": address,
        "description": "Compacted; a null value erases the subject."
        if compacted
        else "Kept for ever, in order per key.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"kafka": {"topic": address, "bindingVersion": "0.5.0"}},
    }


def http_page(title: str) -> str:
    """The page that shows `openapi.json`, likewise."""
    vendor = "static/vendor/swagger-ui"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} – OpenAPI</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="{vendor}/favicon-32x32.png">
<link rel="stylesheet" href="{vendor}/swagger-ui.css"></head>
<body><main id="swagger"><p>Needs JavaScript; the document: <a href="openapi.json">openapi.json</a></p></main>
<script src="{vendor}/swagger-ui-bundle.js"></script><script src="static/swagger.js"></script></body></html>"""


def page(title: str) -> str:
    """The page that shows `asyncapi.json`; everything on it comes from this service."""
    vendor = "static/vendor/asyncapi"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} – AsyncAPI</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="static/vendor/swagger-ui/favicon-32x32.png">
<link rel="stylesheet" href="{vendor}/default.min.css"></head>
<body><main id="asyncapi"><p>Needs JavaScript; the document: <a href="asyncapi.json">asyncapi.json</a></p></main>
<script src="{vendor}/index.js"></script><script src="static/asyncapi.js"></script></body></html>"""
