# One image for all processes but the proxy. Static files are collected at build time; nothing is written at run time but
# /tmp and /work. With --build-arg REQUIREMENTS=transcription it can make transcripts, too (the model is not part of it).
FROM node:24-slim AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
COPY archive/display/offline-page.js archive/display/
COPY archive/static archive/static
RUN npm run build

FROM python:3.13-slim
ARG REQUIREMENTS=base
# ONNX Runtime, a part of the extra, would send telemetry.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/app/static SPOOL_DIR=/work ORT_DISABLE_TELEMETRY=1
WORKDIR /app
COPY requirements requirements
# Nothing is installed later, so pip goes.
RUN pip install --no-cache-dir --root-user-action=ignore --require-hashes -r requirements/${REQUIREMENTS}.txt \
    && pip uninstall --yes --quiet --root-user-action=ignore pip
COPY --from=assets /app/node_modules/htmx.org/dist node_modules/htmx.org/dist
COPY --from=assets /app/node_modules/uppy/dist node_modules/uppy/dist
COPY --from=assets /app/node_modules/wavesurfer.js/dist node_modules/wavesurfer.js/dist
COPY --from=assets /app/node_modules/@zip.js/zip.js node_modules/@zip.js/zip.js
COPY manage.py gunicorn.conf.py LICENSE ./
COPY archive archive
COPY --from=assets /app/archive/display/offline-page.bundle.js archive/display/
COPY portal portal
COPY templates templates
# collectstatic needs no engine and no secret, but esbuild, which is not part of the image.
RUN --mount=type=bind,from=assets,source=/app/node_modules/@esbuild,target=/app/node_modules/@esbuild \
    python manage.py collectstatic --no-input
# Processes of a read-only image would compile these files again at each start.
RUN python -m compileall -q --invalidation-mode unchecked-hash archive portal
RUN useradd --no-log-init --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --uid 10001 spacekeep \
    && install -d -m 0700 -o spacekeep -g spacekeep /work
# --build-arg VERSION=1.2.3 --build-arg REVISION=$(git rev-parse HEAD); here, where they let no RUN run again
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title=Spacekeep \
    org.opencontainers.image.description="Archive for recordings of live audio rooms" \
    org.opencontainers.image.licenses=Apache-2.0 \
    org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.revision=$REVISION
USER spacekeep
EXPOSE 8000
# Whether it listens. A request would wait behind those of clients, and restarting a busy portal helps no client.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000), 4)"]
# --keep-alive: longer than the proxy keeps idle connections (proxy/nginx.conf.template).
CMD ["gunicorn", "portal.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=8", "--preload", "--timeout=60", "--keep-alive=60", "--worker-tmp-dir=/dev/shm", "--no-control-socket"]
