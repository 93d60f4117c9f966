"""The examples of docs/item-tokens.md: signed as the page says, and accepted by a running server."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app.modules.tracking.item_tokens.token import make_token
from tests.docs.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "item-tokens.md"
ITEM = 'Vase "blåu" \U0001f3fa'

Signer = Callable[..., str]


def example(language: str) -> str:
    [text] = [block.text for block in blocks(PAGE) if block.language == language]
    return text


def sign_in_python(secret: str, site: str, item: str, **options: Any) -> str:
    """The page's Python, run."""
    names: dict[str, Any] = {}
    exec(compile(example("python"), str(PAGE), "exec"), names)  # noqa: S102
    return str(names["item_token"](secret, site, item, **options))


def sign_in_node(secret: str, site: str, item: str, **options: Any) -> str:
    """The page's JavaScript, run by Node."""
    node = shutil.which("node")
    assert node, "Node 20 is needed, as for the pages"
    arguments = ", ".join(json.dumps(value) for value in (secret, site, item, options))
    program = f"{example('js')}\nprocess.stdout.write(itemToken({arguments}));"
    ran = subprocess.run(
        [node, "--input-type=module", "-"],
        input=program,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


@pytest.fixture(scope="module")
def ask(live_server: Any) -> Iterator[Callable[..., Any]]:
    """`ask(key, query, variables)`: the data of the live server's answer."""
    with httpx.Client(base_url=live_server.url) as client:

        def ask(key: str, query: str, variables: dict[str, Any] | None = None) -> Any:
            request = {"query": query, "variables": variables}
            headers = {"Authorization": f"Bearer {key}"}
            answer = client.post("/graphql", json=request, headers=headers).json()
            assert "errors" not in answer, answer["errors"]
            return answer["data"]

        yield ask


@pytest.fixture(scope="module")
def secret(ask: Any, live_server: Any) -> Iterator[str]:
    """The site's secret, made and required by the page's own mutations."""
    graphql = [block.text for block in blocks(PAGE) if block.language == "graphql"]
    rotate, require = graphql[:2]
    made = ask(live_server.admin_key, rotate)["rotateItemTokenSecret"]
    assert ask(live_server.admin_key, require) == {"updateSite": {"requireItemToken": True}}
    yield made["secret"]
    ask(live_server.admin_key, require.replace("true", "false"))


@pytest.mark.parametrize("sign", [sign_in_python, sign_in_node])
def test_what_the_examples_sign_is_accepted(
    sign: Signer, secret: str, ask: Any, live_server: Any
) -> None:
    """For an item beyond ASCII, with a session and types; and not for another session."""
    session = f"of {sign.__name__}"
    token = sign(secret, "demo", ITEM, session=session, types="impression-click", seconds=60)
    track = """mutation ($input: TrackInput!) {
        trackImpression(input: $input) { verdict reason message } }"""
    event = {"itemId": ITEM, "itemToken": token}
    good = ask(live_server.write_key, track, {"input": {**event, "sessionId": session}})
    assert good == {"trackImpression": {"verdict": "ACCEPTED", "reason": None, "message": None}}
    bad = ask(live_server.write_key, track, {"input": {**event, "sessionId": "another"}})
    assert bad["trackImpression"]["reason"] == "BAD_SIGNATURE"
    item = f"item of {sign.__name__}"
    plain = {"itemId": item, "itemToken": sign(secret, "demo", item)}
    good = ask(live_server.write_key, track, {"input": plain})
    assert good["trackImpression"]["verdict"] == "ACCEPTED"


def test_the_examples_in_the_table_are_right() -> None:
    """Whoever writes a signer in another language compares with them."""
    rows = re.findall(
        r"^\| `(.+?)` \| (?:`(.+?)` )?\| `(.+?)` \| (\d+) \| `(.+?)` \|$",
        PAGE.read_text(),
        re.MULTILINE,
    )
    assert len(rows) == 2
    for item, session, types, expires, token in rows:
        signed = make_token(
            "ff_item_1_example",
            1,
            site="shop",
            item=item,
            kinds=types,
            expires=int(expires),
            session=session or None,
        )
        assert signed == token
