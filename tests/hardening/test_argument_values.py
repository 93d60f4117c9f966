"""Hostile values in arguments: each is refused by its name, and nothing happens."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import (
    GraphQLArgument,
    GraphQLField,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from app.api import build_schema
from tests.conftest import Api, api_maker
from tests.hardening.argument_values import ALIKE, ALIKE_TEXTS, BAD, LIMIT, ROWS, ArgumentRow
from tests.hardening.asking import LOGS, all_stored, listen, nothing_was_logged, post
from tests.hardening.event_values import MARK

SCHEMA = build_schema()._schema
# What a field needs besides the argument that is tried.
NEEDED = {
    "ID": '"lot-1"',
    "FunnelStepInput": '[{"type": "VIEW"}, {"type": "CLICK"}]',
}


@pytest_asyncio.fixture(scope="module")
async def api(mongo_url: str, database_name: str) -> AsyncIterator[Any]:
    """One application for all rows, with an item and an event."""
    async with api_maker(mongo_url, database_name) as make:
        made = await make()
        await made.ask('mutation { createItem(input: {id: "lot-1", title: "Vase"}) { id } }')
        await made.ask("mutation { rotateItemTokenSecret { __typename } }")
        await made.track({"type": "CLICK", "itemId": "lot-1", "id": "click-1"})
        yield made


@pytest_asyncio.fixture(scope="module")
async def stored(api: Api) -> AsyncIterator[str]:
    """What is stored before any row, and must be all the same after each; no value is in a log."""
    yield await all_stored(api, LOGS)
    assert MARK not in await all_stored(api)


async def check(
    api: Api,
    operation: str,
    variables: str,
    codes: set[str],
    stored: str,
    caplog: pytest.LogCaptureFixture,
) -> Any:
    """Ask, and see that it is refused with one of these codes, and that nothing came of it."""
    listen(caplog)
    response = await post(api, operation, variables)
    errors = response.json().get("errors")
    assert errors, response.text
    assert {error["extensions"]["code"] for error in errors} <= codes, response.text
    assert MARK not in response.text
    assert await all_stored(api, LOGS) == stored
    nothing_was_logged(caplog)
    return errors[0]


@pytest.mark.parametrize("row", [row for row in ROWS if row.code], ids=lambda row: row.name)
async def test_a_bad_value_is_refused_by_its_name(
    api: Api, stored: str, row: ArgumentRow, caplog: pytest.LogCaptureFixture
) -> None:
    """Code and field are told, the value is not, and what is stored is as it was."""
    text = row.variables if isinstance(row.variables, str) else json.dumps(row.variables)
    error = await check(api, row.operation, text, {str(row.code)}, stored, caplog)
    assert error["extensions"]["field"] == row.field
    assert error["message"].startswith(f"{row.field}: ")


def takers() -> Iterator[tuple[str, str, str, str]]:
    """Every root field with every argument of a type that ALIKE knows, and every value for it."""
    for kind in ("query", "mutation"):
        root = SCHEMA.query_type if kind == "query" else SCHEMA.mutation_type
        assert root is not None
        for name, field in root.fields.items():
            for argument, defined in field.args.items():
                taken = str(get_named_type(defined.type))
                values = ALIKE.get(taken) or ALIKE_TEXTS.get(argument, {})
                is_list = is_list_type(get_nullable_type(defined.type))
                for what, value in values.items():
                    if is_list and what == "a list":
                        continue
                    yield f"{name}({argument}): {what}", kind, name, f"{argument}\n{value}"


def operation_of(kind: str, name: str, argument: str) -> tuple[str, str]:
    """An operation that gives one argument as $value and what else it needs; the others' values."""
    root = SCHEMA.query_type if kind == "query" else SCHEMA.mutation_type
    assert root is not None
    field: GraphQLField = root.fields[name]
    given: dict[str, GraphQLArgument] = {
        other: defined
        for other, defined in field.args.items()
        if other == argument or is_required_argument(defined)
    }
    declared = ", ".join(f"${other}: {defined.type}" for other, defined in given.items())
    passed = ", ".join(f"{other}: ${other}" for other in given)
    others = "".join(
        f', "{other}": {NEEDED.get(str(get_named_type(defined.type)), "{}")}'
        for other, defined in given.items()
        if other != argument
    )
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{kind} ({declared}) {{ {name}({passed}){selection} }}", others


@pytest.mark.parametrize("taker", list(takers()), ids=lambda taker: taker[0])
async def test_whoever_takes_such_a_value_refuses_it(
    api: Api,
    stored: str,
    taker: tuple[str, str, str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every root field, also those that are new: BAD_USER_INPUT or LIMIT_EXCEEDED, nothing else."""
    _, kind, name, given = taker
    argument, value = given.split("\n", 1)
    operation, others = operation_of(kind, name, argument)
    await check(api, operation, f'{{"{argument}": {value}{others}}}', {BAD, LIMIT}, stored, caplog)


@pytest.mark.parametrize("row", [row for row in ROWS if not row.code], ids=lambda row: row.name)
async def test_what_cannot_be_there_is_not_found(api: Api, row: ArgumentRow) -> None:
    """An id that nothing can have is answered like one that nothing has."""
    response = await post(api, row.operation, str(row.variables))
    assert response.json() == {"data": {"item": None}}
