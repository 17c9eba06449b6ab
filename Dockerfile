# One image a service, each with only the packages that it may import (setup.cfg, [importlinter]):
#     docker build --target write --tag vehicle-tracker/write:1.0.0 \
#         --label org.opencontainers.image.version=1.0.0 --label org.opencontainers.image.revision=$(git rev-parse HEAD) .
# Every process runs as nobody in particular and, on a read-only root file system, writes to /tmp only.
# The connection monitor runs from `write`: it is of that package, appends to the event log and
# knows no read model.

FROM python:3.11-slim-bookworm AS python
RUN groupadd --gid 10001 tracker \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp tracker
WORKDIR /app
# All answer /health/ready on this port, the services among everything else.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HEALTH_PORT=8000
LABEL org.opencontainers.image.licenses=MIT

# Of these only /venv is kept: no pip, no cache, nothing that was needed to build.
FROM python AS requirements
RUN python -m venv --without-pip /venv
ENV PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_REQUIRE_HASHES=1 PIP_DISABLE_PIP_VERSION_CHECK=1

FROM requirements AS requirements-write
COPY requirements/write.lock ./
RUN pip --python /venv/bin/python install -r write.lock

FROM requirements AS requirements-projections
COPY requirements/projections.lock ./
RUN pip --python /venv/bin/python install -r projections.lock

FROM requirements AS requirements-simulator
COPY requirements/simulator.lock ./
RUN pip --python /venv/bin/python install -r simulator.lock

# For docker-compose.yml, which mounts the sources.
FROM requirements-projections AS development
COPY requirements/simulator.lock ./
RUN pip --python /venv/bin/python install -r simulator.lock
ENV PYTHONDONTWRITEBYTECODE=1
USER tracker

FROM python AS service
# A volume that is new takes over whose this is.
RUN install --directory --owner=tracker --group=tracker /archive
COPY deploy/ready.py ./
HEALTHCHECK --interval=5s --timeout=3s --start-period=90s --retries=3 CMD ["python", "-S", "ready.py"]

# Byte code is made here, for it cannot be written later.
FROM service AS write
COPY --from=requirements-write /venv /venv
COPY vehicle_tracker vehicle_tracker
COPY write_service write_service
RUN python -m compileall -q .
USER tracker
LABEL org.opencontainers.image.title="Vehicle tracker: write service and connection monitor"
CMD ["python", "-m", "vehicle_tracker.container", "write_service"]

FROM service AS projections
COPY --from=requirements-projections /venv /venv
COPY migrations migrations
COPY vehicle_tracker vehicle_tracker
COPY projections projections
RUN python -m compileall -q .
USER tracker
LABEL org.opencontainers.image.title="Vehicle tracker: followers and migrations of the read models"
ENTRYPOINT ["python", "-m", "projections"]

FROM service AS read
COPY --from=requirements-projections /venv /venv
COPY migrations migrations
COPY vehicle_tracker vehicle_tracker
COPY projections projections
COPY read_service read_service
RUN python -m compileall -q .
USER tracker
LABEL org.opencontainers.image.title="Vehicle tracker: read service"
CMD ["python", "-m", "vehicle_tracker.container", "read_service"]

FROM python AS simulator
COPY --from=requirements-simulator /venv /venv
COPY simulator simulator
RUN python -m compileall -q .
USER tracker
LABEL org.opencontainers.image.title="Vehicle tracker: simulator"
ENTRYPOINT ["python", "-m", "simulator"]

FROM node:24-bookworm-slim AS dashboard
WORKDIR /frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN NG_CLI_ANALYTICS=false npm run build \
    && find dist/browser -type f -size +1k ! -name '*.woff2' -exec gzip --keep --best --no-name {} +

FROM nginx:1.28-bookworm AS frontend
COPY deploy/nginx.conf /etc/nginx/nginx.conf
COPY --from=dashboard /frontend/dist/browser /dashboard
USER nobody
LABEL org.opencontainers.image.licenses=MIT \
      org.opencontainers.image.title="Vehicle tracker: dashboard"
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ $status = 200 ]"]
