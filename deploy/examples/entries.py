"""SKEW's lines from the topic reporting.entry, each once. Needs aiokafka, and the right to read this one topic.

    python entries.py kafka.example:9092 lines.jsonl [topic]    appends what is new, until Ctrl-C; and later again

The file is the bookmark too. If the topic was wiped or refilled meanwhile, something else lies where our last line
was: we say so and stop, instead of skipping lines or repeating them silently.
"""

import asyncio
import json
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer


def kept(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def follow(servers: str, file: Path, topic: str = "reporting.entry") -> None:
    lines = kept(file)
    seen = {line["id"] for line in lines}  # a message may come twice: its ce_id tells
    last = {line["partition"]: (line["offset"], line["id"]) for line in lines}
    async with AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
        for place, end in (await consumer.end_offsets(consumer.assignment())).items():
            if place.partition in last:
                if end <= last[place.partition][0]:
                    sys.exit("The topic was wiped: it ends before our last line. Begin again with an empty file.")
                consumer.seek(place, last[place.partition][0])
        with file.open("a") as out:
            async for message in consumer:
                identity = dict(message.headers)["ce_id"].decode()
                if last.pop(message.partition, None) not in (None, (message.offset, identity)):
                    sys.exit("The topic was refilled: our last line is gone. Begin again with an empty file.")
                if identity not in seen:
                    seen.add(identity)
                    line = {"id": identity, "partition": message.partition, "offset": message.offset}
                    print(json.dumps(line | json.loads(message.value)), file=out, flush=True)


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
