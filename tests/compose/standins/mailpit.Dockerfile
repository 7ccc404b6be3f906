# In place of axllent/mailpit: the embedded stack's mail sink, with Mailpit's list and raw view of the mails.
ARG PYTHON
FROM ${PYTHON}
WORKDIR /app
COPY requirements.txt ./
RUN pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements.txt
COPY deploy deploy
COPY mailpit.py ./
EXPOSE 1025 8025
HEALTHCHECK --interval=3s --timeout=3s --start-period=30s --retries=10 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8025/livez', timeout=2)"]
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
CMD ["python", "mailpit.py"]
