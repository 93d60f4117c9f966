"""A real Chromium for the tests of the pages."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

ON_PATH = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = (
    "--no-sandbox",  # root in a container has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that needs the internet fails here, wherever the tests run.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

HOW_TO_GET_ONE = """\
The browser tests need Chromium, and it did not start. Any of these helps:
  - install the package of your system, as in `apt-get install chromium`
  - run `.venv/bin/playwright install chromium`
  - set FOOTFALL_CHROMIUM to the path of a Chromium or Chrome
What was tried: {tried}
{error}"""


# Two cores may be busy with a server, a database and a browser for each test process.
expect.set_options(timeout=20_000)


def find_chromium() -> str | None:
    """The path of a Chromium on this machine; None leaves it to Playwright's own."""
    chosen = os.environ.get("FOOTFALL_CHROMIUM")
    return chosen or next(filter(None, map(shutil.which, ON_PATH)), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of this process."""
    path = find_chromium()
    async with async_playwright() as playwright:
        try:
            chromium = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except PlaywrightError as error:
            tried = path or "Playwright's own"
            pytest.fail(HOW_TO_GET_ONE.format(tried=tried, error=error.message), pytrace=False)
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page with nothing stored, like that of somebody who comes for the first time."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield await context.new_page()
    await context.close()
