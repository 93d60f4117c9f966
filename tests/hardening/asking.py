"""Asks with bodies that are written by hand, and looks for what must not be left of them."""

import json
import logging
from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import KEYS, Api
from tests.hardening.event_values import MARK


async def post(api: Api, query: str, variables: str) -> Any:
    """The response; its status is never that of a server that broke."""
    response = await api.http.post(
        "/graphql",
        content=f'{{"query": {json.dumps(query)}, "variables": {variables}}}',
        headers={
            "Authorization": f"Bearer {KEYS[Scope.ADMIN]}",
            "Content-Type": "application/json",
        },
    )
    assert response.status_code == 200, response.text
    return response


# What is written of every request of an admin, refused ones too, and when a key was used.
LOGS = frozenset({"admin_actions", "api_keys"})


async def all_stored(api: Api, without: frozenset[str] = frozenset()) -> str:
    """Everything in the database, as one text."""
    names = sorted(set(await api.database.list_collection_names()) - without)
    return str([await api.database[name].find({}).to_list(None) for name in names])


def listen(caplog: pytest.LogCaptureFixture) -> None:
    """To everything that Footfall says, and to what others say who log no commands of their own."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "footfall")


def nothing_was_logged(caplog: pytest.LogCaptureFixture) -> None:
    """No value of a client's, at any level, and no error."""
    assert MARK not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
