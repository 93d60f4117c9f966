"""GraphiQL at /graphql, in a real browser against the real server."""

import json
import re
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from playwright.async_api import Locator, Page, Response, expect

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "web" / "graphiql" / "src" / "examples").glob("*.graphql"))


class LiveServer(Protocol):
    url: str
    write_key: str
    read_key: str
    admin_key: str


@pytest.fixture(scope="module")
def address(live_server: LiveServer) -> str:
    return f"{live_server.url}/graphql"


def status(page: Page) -> Locator:
    return page.locator("#key-status")


def documentation(page: Page) -> Locator:
    return page.get_by_role("region", name="Documentation Explorer")


async def use_key(page: Page, key: str) -> None:
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Use key").click()


async def run(page: Page, operation: str) -> dict[str, Any]:
    """Runs what is in the open tab; what the server answered."""

    def is_answer(response: Response) -> bool:
        body = response.request.post_data_json or {}
        return operation in body.get("query", "")

    async with page.expect_response(is_answer) as answer:
        await page.get_by_role("button", name="Execute query").click()
    answered: dict[str, Any] = await (await answer.value).json()
    return answered


@pytest.fixture(scope="module", autouse=True)
def item_of_the_examples(address: str, live_server: LiveServer) -> None:
    """The demonstration data's first item, of which the examples speak."""
    create = 'mutation { createItem(input: {id: "lot-001", title: "Vase"}) { id } }'
    assert ask(address, live_server.admin_key, create)["data"]["createItem"]["id"] == "lot-001"


def ask(address: str, key: str, query: str, variables: object = None) -> dict[str, Any]:
    answer = httpx.post(
        address,
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {key}"},
    )
    answered: dict[str, Any] = answer.json()
    return answered


async def test_page_needs_no_other_server(page: Page, live_server: LiveServer) -> None:
    """The page loads, editors and all, from this server alone and without an error."""
    requested: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    # Without its worker Monaco still shows text: only that colours and checks come tells.
    async with page.expect_worker(lambda worker: "graphql.worker" in worker.url):
        await page.goto(f"{live_server.url}/graphql")
    await expect(page.locator(".graphiql-query-editor")).to_contain_text("query StartHere")
    await expect(documentation(page)).to_contain_text("Use a read key")

    own = (f"{live_server.url}/", "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []
    assert problems == []
    await expect(status(page)).to_contain_text("No key yet")


async def test_read_key_loads_schema_with_descriptions(
    page: Page, address: str, live_server: LiveServer
) -> None:
    """With a read key the documentation shows the fields as the schema describes them."""
    await page.goto(address)
    await use_key(page, live_server.read_key)
    await expect(status(page)).to_contain_text("Key accepted")

    described = ask(
        address,
        live_server.read_key,
        '{ __type(name: "Query") { fields { name description } } }',
    )["data"]["__type"]["fields"]
    overview = next(field for field in described if field["name"] == "overview")
    await documentation(page).get_by_role("link", name="Query").click()
    await expect(documentation(page)).to_contain_text("overview(")
    # The page renders Markdown: the words are the same, the marks around them are gone.
    words = re.split(r"[^\w ]", overview["description"])[0].strip()
    assert len(words) > 5
    await expect(documentation(page)).to_contain_text(words)


async def test_first_example_runs(page: Page, address: str, live_server: LiveServer) -> None:
    """The first tab runs as it is, and its result shows numbers."""
    await page.goto(address)
    await use_key(page, live_server.read_key)
    await expect(status(page)).to_contain_text("Key accepted")

    answer = await run(page, "query StartHere")

    assert "errors" not in answer
    assert answer["data"]["overview"]["current"]["impressions"] >= 0
    result = page.get_by_role("region", name="Result Window")
    await expect(result).to_contain_text('"impressions"')


async def test_a_subscription_runs(page: Page, address: str, live_server: LiveServer) -> None:
    """What is subscribed to comes into the result, over the socket and with the page's key."""
    await page.goto(address)
    await use_key(page, live_server.read_key)
    await expect(status(page)).to_contain_text("Key accepted")
    await page.get_by_role("button", name="New tab").click()
    await page.get_by_role("region", name="Operation Editor").locator(".view-lines").click()
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.insert_text("subscription { realtime { activeVisitors } }")

    await page.get_by_role("button", name="Execute query").click()

    result = page.get_by_role("region", name="Result Window")
    await expect(result).to_contain_text('"activeVisitors"')
    await page.get_by_role("button", name="Stop query").click()


async def test_without_a_key_it_says_how_to_see_the_documentation(
    page: Page, address: str, live_server: LiveServer
) -> None:
    """The schema is private, which is no error: the pane says so, and fills once there is a key."""
    await page.goto(address)
    await expect(documentation(page)).to_contain_text("Use a read key")
    await expect(page.locator(".graphiql-doc-explorer-error")).to_have_count(0)
    await use_key(page, live_server.read_key)
    await expect(documentation(page)).to_contain_text("Root Types")


async def test_wrong_key_is_refused(page: Page, address: str) -> None:
    """A key that the server does not know is called refused, next to where it was entered."""
    await page.goto(address)
    await use_key(page, "no-such-key")
    await expect(status(page)).to_have_text("This key was refused.")


async def test_write_key_cannot_read(page: Page, address: str, live_server: LiveServer) -> None:
    """A write key is told apart from a wrong one."""
    await page.goto(address)
    await use_key(page, live_server.write_key)
    await expect(status(page)).to_contain_text("can only track")


async def test_read_key_cannot_track(page: Page, address: str, live_server: LiveServer) -> None:
    """A mutation with a read key says which key it needs."""
    await page.goto(address)
    await use_key(page, live_server.read_key)
    await expect(status(page)).to_contain_text("Key accepted")
    await page.get_by_role("tab", name="Track", exact=True).click()

    answer = await run(page, "mutation Track")

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    await expect(status(page)).to_contain_text("tracking a write key")


async def test_key_in_the_address(page: Page, address: str, live_server: LiveServer) -> None:
    """A link with #key= works at once, and the key is gone from the address bar and its history."""
    await page.goto(f"{address}#key={live_server.read_key}")
    await expect(status(page)).to_contain_text("Key accepted")

    assert page.url == address
    assert await page.evaluate("history.length") <= 2
    await expect(page.get_by_label("API key")).to_have_value(live_server.read_key)


async def test_key_is_kept_for_the_tab_only(
    page: Page, address: str, live_server: LiveServer
) -> None:
    """The key survives a reload, but another tab has it only once it shall be remembered."""
    await page.goto(address)
    await use_key(page, live_server.read_key)
    await page.reload()
    await expect(status(page)).to_contain_text("Key accepted")

    other = await page.context.new_page()
    await other.goto(address)
    await expect(status(other)).to_contain_text("No key yet")

    await page.get_by_label("Remember on this computer").check()
    await other.reload()
    await expect(status(other)).to_contain_text("Key accepted")


async def test_example_comes_back(page: Page, address: str) -> None:
    """An example that was closed is in the menu, and opens in a tab with its variables."""
    await page.goto(address)
    tab = page.get_by_role("tab", name="OneItem")
    await tab.click()
    await page.get_by_role("button", name="Close Tab").and_(page.locator(":visible")).click()
    await expect(tab).to_have_count(0)

    await page.get_by_label("Open an example").select_option(label="One item's analytics")

    await expect(tab).to_have_count(1)
    await expect(page.get_by_role("region", name="Variables")).to_contain_text("itemId")


async def test_key_is_hidden_until_shown(page: Page, address: str) -> None:
    """Whoever looks over one's shoulder sees dots, until the key is to be shown."""
    await page.goto(address)
    await expect(page.get_by_label("API key")).to_have_attribute("type", "password")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_label("API key")).to_have_attribute("type", "text")


async def test_nothing_overlaps_on_a_phone(
    page: Page, address: str, live_server: LiveServer
) -> None:
    """At the width of a phone everything fits, and a tap on the documentation reaches its button."""
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"{address}#key={live_server.read_key}")
    await expect(page.locator(".graphiql-query-editor")).to_contain_text("Start here")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390

    await page.get_by_role("button", name="Show Documentation Explorer").click()
    await expect(documentation(page).get_by_role("link", name="Query")).to_be_visible()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_answered(example: Path, address: str, live_server: LiveServer) -> None:
    """Every example runs as it is, with the key that its first lines ask for."""
    query = example.read_text()
    variables_file = example.with_suffix(".json")
    variables = json.loads(variables_file.read_text()) if variables_file.exists() else None
    key = live_server.write_key if "\nmutation " in query else live_server.read_key

    answer = ask(address, key, query, variables)

    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())
