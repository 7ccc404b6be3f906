# In place of Docker's python: Debian's 3.11, laid out as there (/usr/local/bin/python with pip, setuptools, wheel).
ARG BASE
FROM ${BASE}
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends netbase python3.11 python3.11-venv tzdata >/dev/null \
    && python3.11 -m venv --copies /usr/local \
    && pip install --quiet --no-cache-dir pip==24.0 setuptools==79.0.1 wheel==0.45.1 \
    && apt-get -qq purge -y --auto-remove python3.11-venv python3-pip-whl python3-setuptools-whl >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && find / -xdev -name __pycache__ -prune -exec rm -rf {} +
CMD ["python3"]
