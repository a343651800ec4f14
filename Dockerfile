# The service (docs/service.md) on a CPU: docker build --tag lrfr-tf . ; compose.yaml runs it.
FROM python:3.11-slim AS build
RUN python -m venv /opt/lrfr
WORKDIR /source
# What is needed changes less often than the code, so it is a layer of its own.
COPY requirements-server.lock ./
RUN /opt/lrfr/bin/python -m pip install --no-cache-dir --disable-pip-version-check --use-pep517 --require-hashes \
    --requirement requirements-server.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY saved_models saved_models
COPY lrfr_tf lrfr_tf
# The networks come with the package. MTCNN's weights are looked at once here, for the image is read only.
RUN /opt/lrfr/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps ".[server]" \
    && LRFR_TF_CACHE=/opt/lrfr/cache /opt/lrfr/bin/python -c "from lrfr_tf.weights.mtcnn import mtcnn_nets; mtcnn_nets()"

FROM python:3.11-slim
# People's faces are in /data: whoever runs here owns that folder, and nothing else.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin lrfr \
    && install --directory --owner=lrfr --group=lrfr --mode=0700 /data
COPY --from=build /opt/lrfr /opt/lrfr
ENV PATH=/opt/lrfr/bin:$PATH \
    LRFR_TF_CACHE=/opt/lrfr/cache \
    KERAS_HOME=/tmp/keras \
    MPLCONFIGDIR=/tmp/matplotlib \
    TF_CPP_MIN_LOG_LEVEL=3 \
    PYTHONUNBUFFERED=1
USER lrfr
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Whoever asks from outside needs a key: lrfr key create. Ready is another question than live: networks may be warming up.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v1/health/live', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["lrfr"]
CMD ["serve", "--gallery=/data/people.db", "--host=0.0.0.0", "--allowed_hosts=localhost"]
