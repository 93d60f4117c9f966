"""The pages that Footfall serves itself, built from web/ by `make install`."""

from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response

STATIC = Path(__file__).parent / "static"

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
        return FileResponse(page, headers={"Cache-Control": "no-cache"})
    return HTMLResponse(_NOT_BUILT)
