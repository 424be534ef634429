# Two images from one file: `server` has no torch, `worker` has. Both are set up by the Makefile's own
# targets, so an image holds what `make setup` gives on any machine.
#   docker build --target server .      docker build --target worker .

FROM python:3.13-slim-trixie AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
# A named volume takes over the owner of the folder that it covers.
RUN useradd --uid 10001 --create-home eigenscope \
    && install --directory --owner=eigenscope --group=eigenscope /var/lib/eigenscope \
    && install --directory /data
# The cache is another file system, so packages are copied from it; compiled here, since the user that
# runs them may not write beside them.
ENV UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/app/.venv/bin:$PATH \
    EIGENSCOPE_HOME=/var/lib/eigenscope \
    EIGENSCOPE_DATA_ROOT=/data
WORKDIR /app
COPY Makefile pyproject.toml ./
COPY requirements ./requirements

FROM base AS server
RUN --mount=type=cache,target=/root/.cache make packages-server
COPY . .
RUN make setup-server
USER eigenscope
EXPOSE 8000
CMD ["eigenscope", "serve"]

FROM base AS worker
RUN --mount=type=cache,target=/root/.cache make packages-runtime
COPY . .
RUN make setup
USER eigenscope
CMD ["eigenscope", "worker"]
