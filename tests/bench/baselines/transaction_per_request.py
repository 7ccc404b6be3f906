"""The textbook outbox: each request stores its document and its event in a transaction of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from fastapi import FastAPI
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.mongo import Mongo
from shared.settings import Settings, load
from tests.bench.baselines.validation_only import Answer, RequestModel, serve


def build() -> FastAPI:
    settings = load(Settings)
    mongo = Mongo(settings.mongo, settings.database("textbook"))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for collection in ("requests", "outbox"):  # a transaction that has to create one fails now and then
            await mongo.db.create_collection(collection)
        yield
        await mongo.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/api/requests", status_code=201)
    async def submit(body: RequestModel) -> Answer:
        request_id, now = str(uuid4()), datetime.now(UTC)
        document = {"_id": request_id, "created_at": now, **body.model_dump(mode="json")}
        event = {"_id": str(uuid4()), "topic": "request.created", "key": request_id, "body": body.model_dump_json()}

        async def store(session: AsyncClientSession) -> None:
            await mongo["requests"].insert_one(document, session=session)
            await mongo["outbox"].insert_one(event | {"published_at": None}, session=session)

        await mongo.transaction(store)
        return Answer(request_id=request_id, case_number=body.municipality_ags)

    return app


if __name__ == "__main__":
    serve(build())
