"""Insert, then publish and wait for Kafka: a crash between the two loses the event, which no other side here may."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI

from shared.events import RequestCreated
from shared.mongo import Mongo
from shared.settings import Settings, load
from tests.bench.baselines.validation_only import Answer, RequestModel, serve


def build() -> FastAPI:
    settings = load(Settings)
    mongo = Mongo(settings.mongo, settings.database("losing"))
    topic = settings.prefix + RequestCreated.topic
    producers: list[AIOKafkaProducer] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        producers.append(AIOKafkaProducer(bootstrap_servers=settings.kafka, acks="all"))
        await producers[0].start()
        yield
        await producers[0].stop()
        await mongo.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/api/requests", status_code=201)
    async def submit(body: RequestModel) -> Answer:
        request_id, now = str(uuid4()), datetime.now(UTC)
        await mongo["requests"].insert_one({"_id": request_id, "created_at": now, **body.model_dump(mode="json")})
        await producers[0].send_and_wait(topic, body.model_dump_json().encode(), key=request_id.encode())
        return Answer(request_id=request_id, case_number=body.municipality_ags)

    return app


if __name__ == "__main__":
    serve(build())
