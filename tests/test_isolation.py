"""A key of one site can neither read nor change nor learn of another's.

Every root field is walked, with all fields below it: tests/isolation/calls.py has a row for each. Every
path of the server is asked as well.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema

from app.api import build_schema
from app.commands.exports import exports
from app.core.auth import Scope
from app.modules.tracking.known_operations.service import KnownOperations
from tests.conftest import OTHER_SITE_KEYS, OWNER_KEY
from tests.isolation.calls import (
    HARMLESS_ARGUMENTS,
    MUTATIONS,
    OF_THE_OWNER,
    QUERIES,
    SAME_FOR_ALL,
    SUBSCRIPTIONS,
    Call,
)
from tests.isolation.selections import (
    given_paths,
    nested_arguments,
    root_fields,
    text_arguments,
    whole_operation,
)
from tests.isolation.world import (
    MARK,
    NOWHERE,
    SITE,
    STRANGER,
    THEIRS,
    Operation,
    fill,
    masked,
    put_in,
    stored,
)
from tests.sockets import connected

TABLE: dict[str, list[Call]] = {
    "query": QUERIES,
    "mutation": MUTATIONS,
    "subscription": [(name, given) for name, given, _ in SUBSCRIPTIONS],
}
# Every path that the server has. Those that answer differently by what is stored say why they may.
PATHS = {
    "/": "sends to GraphiQL",
    "/graphql": "walked field by field",
    "/health/live": "the process",
    "/health/ready": "the process and the database",
    "/metrics": "numbers of the whole instance, for whoever has its token; no site is named",
    "/static": "the files of the pages",
}
# Every `footfall export`, with the options that show most.
EXPORTS = {
    "events": ["--derived"],
    "report": ["--by", "item", "--start", "2026-06-01", "--end", "2026-06-16"],
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


def operations(schema: GraphQLSchema, kind: str) -> list[Operation]:
    return [
        Operation(name, whole_operation(schema, kind, name, given), given)
        for name, given in TABLE[kind]
    ]


@pytest.mark.parametrize("kind", TABLE)
def test_every_root_field_is_walked(schema: GraphQLSchema, kind: str) -> None:
    """A new field of Query, Mutation or Subscription without a row fails, and a row without a field."""
    assert set(root_fields(schema, kind)) == {name for name, _ in TABLE[kind]}


@pytest.mark.parametrize("kind", TABLE)
def test_wherever_an_id_or_a_text_may_be_given_one_is(schema: GraphQLSchema, kind: str) -> None:
    """A new argument that takes an id, a text (as cursors are) or JSON, in an input object too, fails
    until a row gives it one."""
    for name, field in root_fields(schema, kind).items():
        rows = [given for each, given in TABLE[kind] if each == name]
        given = {path for row in rows for path in given_paths(row)}
        assert not text_arguments(field) - given, name


def test_arguments_below_root_fields_name_nothing(schema: GraphQLSchema) -> None:
    """A new one fails until somebody has looked whether it could reach into another site."""
    assert nested_arguments(schema) == HARMLESS_ARGUMENTS


@pytest.mark.parametrize("over", ["HTTP", "a socket"])
async def test_a_stranger_is_answered_as_if_there_were_nothing(
    make_api: Any, schema: GraphQLSchema, over: str
) -> None:
    """What ids of the other site are answered is what ids of nobody are, and what they are answered
    before there was anything, even right after the other site's own key has asked the very same. Nothing
    of the other site is in an answer, and nothing of it has changed."""
    queries, mutations = operations(schema, "query"), operations(schema, "mutation")
    every = queries + mutations + queries  # again, with things of its own of the very same ids

    empty = await make_api()
    of_nothing = await told_a_stranger(empty, every, THEIRS, over)

    full = await make_api()
    await fill(full)
    of_nobodys = await told_a_stranger(full, every, NOWHERE, over)

    full = await make_api()
    ids = await fill(full)
    own = [await each.answer(full, ids, **asker(each)) for each in queries]
    before = await stored(full)
    of_theirs = await told_a_stranger(full, every, ids, over)
    assert await stored(full) == before
    own += [await each.answer(full, ids, **asker(each)) for each in mutations]

    for asked, theirs, nobodys, nothing in zip(
        every, of_theirs, of_nobodys, of_nothing, strict=True
    ):
        assert MARK not in theirs, asked
        assert theirs == nobodys == nothing, asked
    for asked, theirs, mine in zip(every, of_theirs, own, strict=False):
        # What is answered to the site itself is something else: there is something to be kept apart.
        assert (mine == theirs) == (asked.name in SAME_FOR_ALL), asked


async def told_a_stranger(
    api: Any, asked: Sequence[Operation], ids: Mapping[str, str], over: str
) -> list[str]:
    """What a key of the other site is answered, one after the other."""
    if over == "HTTP":
        return [await each.answer(api, ids, keys=OTHER_SITE_KEYS) for each in asked]
    async with connected(api, Scope.ADMIN, OTHER_SITE_KEYS) as socket:
        return [await each.answer_on(socket, api, ids) for each in asked]


async def test_operations_that_are_known_keep_sites_apart(
    make_api: Any, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracking that was seen before goes another way: what a stranger is answered there is the same
    whether the other site has all of it or there is nothing."""
    went_there: list[bool] = []
    answer_known = KnownOperations.answer

    async def noted(known: KnownOperations, *given: Any) -> Any:
        answer = await answer_known(known, *given)
        went_there.append(answer is not None)
        return answer

    monkeypatch.setattr(KnownOperations, "answer", noted)
    tracking = [each for each in operations(schema, "mutation") if each.name.startswith("track")]
    told = []
    for is_full in (False, True):
        api = await make_api()
        ids = await fill(api) if is_full else THEIRS
        for each in tracking:  # from now on they are known
            await each.answer(api, ids if is_full else NOWHERE)
        before = await stored(api)
        went_there.clear()
        told.append(await told_a_stranger(api, tracking, ids, "HTTP"))
        assert went_there == [True] * len(tracking)
        assert await stored(api) == before
    assert told[0] == told[1]
    assert all("ACCEPTED" in answer or '"accepted": 1' in answer for answer in told[0])
    assert not [answer for answer in told[1] if MARK in answer]


def asker(asked: Operation) -> dict[str, Any]:
    """The key of the site itself that may ask this: its admin's, or the owner's where only that may."""
    if asked.name not in OF_THE_OWNER:
        return {}
    return {"keys": {Scope.ADMIN: OWNER_KEY}, "headers": {"X-Footfall-Site": SITE}}


async def test_a_stranger_cannot_name_another_site(api: Any, schema: GraphQLSchema) -> None:
    """The owner's header does not help: every field is refused, and whether the site exists is not told."""
    ids = await fill(api)
    before = await stored(api)
    for asked in operations(schema, "query") + operations(schema, "mutation"):
        told = []
        for site in (SITE, "no-such-site"):
            headers = {"X-Footfall-Site": site}
            told.append(await asked.answer(api, ids, keys=OTHER_SITE_KEYS, headers=headers))
        assert told[0] == told[1], asked
        assert "FORBIDDEN" in told[0], asked
    assert await stored(api) == before


@pytest.mark.parametrize(
    ("name", "arguments", "messages"), SUBSCRIPTIONS, ids=[f"{n}-{a}" for n, a, _ in SUBSCRIPTIONS]
)
async def test_subscribers_hear_nothing_of_another_site(
    make_api: Any, schema: GraphQLSchema, name: str, arguments: dict[str, Any], messages: int
) -> None:
    """What they are sent is the same whether the other site tracks everything or nothing meanwhile."""
    query = whole_operation(schema, "subscription", name, arguments)
    heard = []
    for other_site_is_busy in (False, True):
        api = await make_api()
        async with connected(api, keys=OTHER_SITE_KEYS) as socket, connected(api) as of_theirs:
            operation = socket.start(query, **put_in(arguments, THEIRS))
            told = [await socket.next(operation)]
            if other_site_is_busy:
                theirs = of_theirs.start(query, **put_in(arguments, THEIRS))
                await of_theirs.next(theirs)
                await fill(api)
                await of_theirs.next(theirs)  # so that it has been there to be heard
            own = {"type": "PAGE_VIEW", "id": "own", "visitorId": "v", "sessionId": "s"}
            await api.track({**own, "itemId": THEIRS["item"]}, keys=OTHER_SITE_KEYS)
            told += [await socket.next(operation) for _ in range(messages - 1)]
            socket.complete(operation)
            assert socket.waiting(operation) == 0
        heard.append(masked(told, THEIRS))
    assert heard[0] == heard[1]
    assert MARK not in heard[1]


async def test_the_same_ids_are_separate_things_on_two_sites(api: Any) -> None:
    """Items, events, sessions, visitors and orders of one name collide with nobody's."""
    ids = await fill(api)
    create = 'mutation ($id: ID!) { createItem(input: {id: $id, title: "Mine"}) { id } }'
    await api.ask(create, {"id": ids["item"]}, keys=OTHER_SITE_KEYS)
    who = {
        "itemId": ids["item"],
        "userId": ids["user"],
        "visitorId": ids["visitor"],
        "sessionId": ids["session"],
    }
    results = await api.track(
        {"type": "IMPRESSION", **who},
        {"type": "CLICK", "id": ids["click"], **who},
        {"type": "CONVERSION", "orderId": ids["order"], **who},
        keys=OTHER_SITE_KEYS,
    )
    assert [result["verdict"] for result in results] == ["ACCEPTED"] * 3
    title = "query ($id: ID!) { item(id: $id) { title } }"
    asked = {"id": ids["item"]}
    assert (await api.ask(title, asked))["item"]["title"] == ids["title"]
    assert (await api.ask(title, asked, keys=OTHER_SITE_KEYS))["item"]["title"] == "Mine"
    clicks = "{ overview { current { clicks } } }"
    assert (await api.ask(clicks, keys=OTHER_SITE_KEYS))["overview"]["current"]["clicks"] == 1


async def test_no_path_of_the_server_tells_of_a_site(make_api: Any) -> None:
    """Every path that there is answers a stranger the same before and after, and none without a word
    here. Only numbers of the whole instance change, and they name no site."""
    empty = await make_api(metrics_token="token-of-metrics")
    assert {route.path for route in empty.app.routes} == set(PATHS)
    before = await ask_paths(empty)
    full = await make_api(metrics_token="token-of-metrics")
    await fill(full)
    after = await ask_paths(full)
    for path, answer in after.items():
        assert MARK not in answer[1], path
        if path == "/metrics":
            assert answer[0] == 200
            assert not {f'"{SITE}"', f'"{STRANGER}"'} & set(answer[1].split())
        else:
            assert answer == before[path], path


async def ask_paths(api: Any) -> dict[str, tuple[int, str]]:
    """What a stranger is answered on every path: status and body."""
    found = {}
    for path in PATHS:
        key = "token-of-metrics" if path == "/metrics" else OTHER_SITE_KEYS[Scope.ADMIN]
        answer = await api.http.get(path, headers={"Authorization": f"Bearer {key}"})
        found[path] = (answer.status_code, answer.text)
    return found


async def test_exported_files_have_one_site_alone(make_api: Any, tmp_path: Path) -> None:
    """Every export of a site has all that is its own, and nothing of another; a new one fails that has
    no row here."""
    assert {command.name for command in exports.registered_commands} == set(EXPORTS)
    api = await make_api(data_retention_days=0)
    await fill(api)
    own = {"type": "VIEW", "id": "own", "itemId": "own-item"}
    await api.track(own, keys=OTHER_SITE_KEYS)

    async def exported(kind: str, site: str) -> str:
        file = tmp_path / f"{kind}-{site}.csv"
        arguments = ["export", kind, str(file), "--site", site, *EXPORTS[kind]]
        environment = {
            **os.environ,
            "FOOTFALL_MONGO_URL": api.settings.mongo_url,
            "FOOTFALL_DATABASE": api.settings.database,
            "FOOTFALL_DATA_RETENTION_DAYS": "0",
        }
        program = Path(sys.executable).parent / "footfall"
        running = await asyncio.create_subprocess_exec(
            program, *arguments, env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        assert await running.wait() == 0
        return file.read_text()

    for kind in EXPORTS:
        of_theirs, of_stranger = await asyncio.gather(
            exported(kind, SITE), exported(kind, STRANGER)
        )
        assert MARK in of_theirs
        assert "own-item" in of_stranger
        assert MARK not in of_stranger
        assert "own-item" not in of_theirs
