# Three stages: the GraphiQL page, the Python environment, and an image that has only their results.

FROM node:22-slim AS pages
WORKDIR /build/web/graphiql
COPY web/graphiql/package.json web/graphiql/package-lock.json web/graphiql/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/graphiql/ ./
# Writes /build/app/http/static/graphiql.
RUN npm run build

FROM python:3.12-slim AS environment
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY app/ app/
COPY --from=pages /build/app/http/static/ app/http/static/
# Without the extra `embedded`: the database is a service of its own here. The environment is made
# without pip, which is needed to install into it and not to run what is in it.
RUN python -m venv --without-pip /opt/footfall \
 && python -m pip --python /opt/footfall/bin/python install --no-cache-dir --compile .

FROM python:3.12-slim
RUN useradd --system --no-create-home --uid 10001 footfall
# A new volume takes its owner from here.
RUN install --directory --owner=footfall --mode=0700 /srv/salts
COPY --from=environment /opt/footfall /opt/footfall
ENV PATH=/opt/footfall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FOOTFALL_HOST=0.0.0.0 \
    FOOTFALL_PORT=8000
WORKDIR /srv
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['FOOTFALL_PORT'] + '/health/ready', timeout=4)"]
CMD ["footfall", "serve"]
