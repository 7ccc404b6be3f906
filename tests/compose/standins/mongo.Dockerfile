# In place of Docker's mongo: the embedded stack's mongod.
ARG BASE
FROM ${BASE}
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends libcurl4 liblzma5 libssl3 >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
RUN groupadd --gid 999 mongodb && useradd --uid 999 --gid 999 mongodb \
    && install -d -o mongodb -g mongodb /data/db /data/configdb
COPY mongod /usr/bin/mongod
COPY mongo.sh /usr/local/bin/docker-entrypoint.sh
VOLUME ["/data/db", "/data/configdb"]
EXPOSE 27017
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mongod"]
