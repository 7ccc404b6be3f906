# In place of quay.io/keycloak/keycloak: the same release, as its makers publish it for Maven.
ARG BASE
FROM ${BASE}
RUN mkdir -p /usr/share/man/man1 \
    && apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends openjdk-17-jre-headless >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
RUN useradd --uid 1000 --gid 0 --create-home keycloak
COPY --chown=keycloak:0 keycloak /opt/keycloak
RUN install -d -o keycloak -g 0 -m 775 /opt/keycloak/data
USER keycloak
# as there: heard from outside, also in its development mode
ENV KC_RUN_IN_CONTAINER=true LANG=C.UTF-8
EXPOSE 8080 9000
ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]
