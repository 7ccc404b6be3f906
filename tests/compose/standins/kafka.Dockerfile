# In place of apache/kafka: the embedded stack's jars, settings from KAFKA_… as there.
ARG BASE
FROM ${BASE}
RUN mkdir -p /usr/share/man/man1 \
    && apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends openjdk-17-jre-headless >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
RUN useradd --uid 1000 --create-home appuser && install -d -o appuser -g appuser /var/lib/kafka/data
COPY libs /opt/kafka/libs
COPY kafka.sh /etc/kafka/docker/run
USER appuser
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
