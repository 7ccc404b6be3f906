# In place of prom/prometheus: Debian's.
ARG BASE
FROM ${BASE}
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends prometheus >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
RUN install -d -o nobody -g nogroup /prometheus
USER nobody
EXPOSE 9090
VOLUME ["/prometheus"]
ENTRYPOINT ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
