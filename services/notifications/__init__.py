"""Notifications owns messages and their delivery: it consumes the facts of requests, assignments and sessions and
both dossiers, and emits notification.sent and notification.failed."""
