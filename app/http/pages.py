"""The pages that Footfall serves itself, built from web/ by `make install`."""

from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

STATIC = Path(__file__).parent / "static"

# GraphiQL's editor sets styles inline and carries its font and some images as data.
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Footfall: GraphiQL is not built</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>GraphiQL is not built</h1>
<p>The API runs: send queries with POST to this address. Only this page is missing, because npm was
not found when Footfall was installed.</p>
<p>Install Node 20 or newer, run <code>make install</code> in Footfall's folder, and load this page again.</p>
</body></html>
"""


def graphiql_page() -> Response:
    """GraphiQL, or what to do where it was not built."""
    page = STATIC / "graphiql" / "index.html"
    if page.is_file():
        return FileResponse(page, headers=_HEADERS)
    return HTMLResponse(_NOT_BUILT, headers=_HEADERS)


class _Assets(StaticFiles):
    """Built files. Those under assets/ have a hash of their content in the name and never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A worker has the policy that its own script came with.
        response.headers["Content-Security-Policy"] = _HEADERS["Content-Security-Policy"]
        if "/assets/" in path and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def static_files() -> ASGIApp:
    """The files that the pages load, compressed; 404 for all where nothing was built."""
    return GZipMiddleware(_Assets(directory=STATIC, check_dir=False), minimum_size=1024)
