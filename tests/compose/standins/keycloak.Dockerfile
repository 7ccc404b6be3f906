# In place of Keycloak: the embedded stack's OpenID provider, at Keycloak's addresses.
ARG PYTHON
FROM ${PYTHON}
WORKDIR /app
COPY requirements.txt ./
RUN pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements.txt
COPY deploy deploy
COPY services services
COPY keycloak.py ./
EXPOSE 8080 9000
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["python", "keycloak.py"]
