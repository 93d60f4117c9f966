"""The page, and what is there without it."""

from pathlib import Path
from typing import Any

import pytest

from app.http import pages

BROWSER = {"accept": "text/html,application/xhtml+xml"}


async def test_a_browser_gets_graphiql(api: Any) -> None:
    """GET /graphql is the built page, with a policy that lets it load from us only; / leads there."""
    response = await api.http.get("/graphql", headers=BROWSER)
    assert "/static/graphiql/assets/" in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert (await api.http.get("/")).headers["location"] == "/graphql"


async def test_assets_are_compressed_and_kept_for_good(api: Any) -> None:
    """Their names change with their content, so that a browser asks for each once."""
    name = next((pages.STATIC / "graphiql" / "assets").glob("index-*.js")).name
    response = await api.http.get(f"/static/graphiql/assets/{name}")
    assert response.headers["content-encoding"] == "gzip"
    assert "immutable" in response.headers["cache-control"]


async def test_without_npm_the_page_says_what_to_do(
    api: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The API answers all the same, and the page names the command."""
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    page = await api.http.get("/graphql", headers=BROWSER)
    assert "make install" in page.text
    assert (await api.ask("{ site { id } }"))["site"]["id"] == "demo"


async def test_nothing_outside_the_folder_is_served(api: Any) -> None:
    """A path that climbs out is not found."""
    for path in ("/static/../main.py", "/static/%2e%2e/main.py", "/static/..%2f..%2fmain.py"):
        assert (await api.http.get(path)).status_code == 404
