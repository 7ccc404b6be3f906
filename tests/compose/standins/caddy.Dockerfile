# In place of Docker's caddy: Debian's.
ARG BASE
FROM ${BASE}
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends caddy netcat-openbsd >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
EXPOSE 80 443
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
