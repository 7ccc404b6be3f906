"""Bare inserts: documents that are there already, in batches, without order or transaction."""

import time
from collections.abc import Sequence

from shared.mongo import Document, Mongo


async def insert_many(mongo: Mongo, collection: str, documents: Sequence[Document], batch: int = 500) -> float:
    """Documents per second, acknowledged by the majority and journalled."""
    began = time.perf_counter()
    for start in range(0, len(documents), batch):
        await mongo[collection].insert_many(documents[start : start + batch], ordered=False)
    return len(documents) / (time.perf_counter() - began)
