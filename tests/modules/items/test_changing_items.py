"""createItem, updateItem and archiveItem, through the API."""

import asyncio
import uuid
from typing import Any

import pytest

from app.core.auth import Scope
from app.core.clock import FixedClock
from tests.modules.items.catalogue import (
    ARCHIVE,
    CREATE,
    ITEM,
    ITEMS,
    UPDATE,
    create,
    problem,
    read,
    update,
)

EVERYTHING = {
    "id": "lot-7",
    "title": "Lampe d'Émile",
    "kind": "auction",
    "description": "Glass.\n\tSigned 1904.",
    "category": "Lighting",
    "status": "PAUSED",
    "price": "1234.50",
    "currency": "CHF",
    "imageUrl": "https://images.example.com:8443/7.jpg?w=300",
    "link": "/lots/7",
    "campaignId": "spring",
    "startsAt": "2026-06-01T08:00:00.000Z",
    "endsAt": "2026-06-30T20:00:00.000Z",
    "attributes": {"signed": True, "size": [30, 12.5], "maker": {"name": "Gallé"}, "note": None},
}
NOW_TEXT = "2026-06-15T12:00:00.000Z"


async def test_every_field_comes_back_as_it_was_sent(api: Any) -> None:
    """What createItem was given is what createItem and item answer, with both times of the clock."""
    expected = {**EVERYTHING, "createdAt": NOW_TEXT, "updatedAt": NOW_TEXT}
    assert await create(api, **EVERYTHING) == expected
    assert await read(api, "lot-7") == expected


async def test_defaults(api: Any) -> None:
    """A title is enough: a new sortable id, kind item, ACTIVE, and everything else null."""
    item = await create(api, "Chair")
    assert uuid.UUID(item.pop("id")).version == 7
    given = {"title": "Chair", "kind": "item", "status": "ACTIVE"}
    times = {"createdAt": NOW_TEXT, "updatedAt": NOW_TEXT}
    assert {name: value for name, value in item.items() if value is not None} == given | times


async def test_nulls_and_empty_texts_mean_the_defaults(api: Any) -> None:
    """An explicit null is what leaving the field out is; an empty optional text is null."""
    item = await create(
        api, id=None, kind=None, status=None, description="", category=None, link=""
    )
    assert (item["kind"], item["status"]) == ("item", "ACTIVE")
    assert (item["description"], item["category"], item["link"]) == (None, None, None)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("0", "0"),
        ("-0.00", "0.00"),
        ("12.50", "12.50"),
        ("999999999999999.99999999999999999", "999999999999999.99999999999999999"),
        ("1e3", "1000"),
        (0.1, "0.1"),
    ],
)
async def test_prices_are_exact(api: Any, sent: Any, stored: str) -> None:
    """A price keeps its digits; only the sign of nothing is dropped."""
    item = await create(api, price=sent)
    assert item["price"] == stored


async def test_price_without_currency_gets_the_sites(api: Any) -> None:
    """The site's currency is the default where there is a price, and only there."""
    assert (await create(api, price="5"))["currency"] == "EUR"
    assert (await create(api, price="5", currency="JPY"))["currency"] == "JPY"
    assert (await create(api))["currency"] is None


BAD_VALUES = [
    ("id", "", "BAD_USER_INPUT"),
    ("id", "x" * 257, "BAD_USER_INPUT"),
    ("id", "a\nb", "BAD_USER_INPUT"),
    ("id", "a\x00b", "BAD_USER_INPUT"),
    ("title", "", "BAD_USER_INPUT"),
    ("title", " \u2003 ", "BAD_USER_INPUT"),
    ("title", "x" * 301, "BAD_USER_INPUT"),
    ("title", "a\x1bb", "BAD_USER_INPUT"),
    ("title", "a\nb", "BAD_USER_INPUT"),
    ("kind", "", "BAD_USER_INPUT"),
    ("kind", "  ", "BAD_USER_INPUT"),
    ("kind", "x" * 51, "BAD_USER_INPUT"),
    ("kind", "a\tb", "BAD_USER_INPUT"),
    ("description", "x" * 10_001, "BAD_USER_INPUT"),
    ("description", "a\x07b", "BAD_USER_INPUT"),
    ("category", "x" * 101, "BAD_USER_INPUT"),
    ("category", "a\x7fb", "BAD_USER_INPUT"),
    ("price", "-0.01", "BAD_USER_INPUT"),
    ("price", "1000000000000000", "BAD_USER_INPUT"),
    ("currency", "eur", "BAD_USER_INPUT"),
    ("currency", "ABC", "BAD_USER_INPUT"),
    ("currency", "EURO", "BAD_USER_INPUT"),
    ("campaignId", "x" * 257, "BAD_USER_INPUT"),
    ("campaignId", "a\rb", "BAD_USER_INPUT"),
    ("attributes", [1], "BAD_USER_INPUT"),
    ("attributes", "text", "BAD_USER_INPUT"),
    ("attributes", {"$set": 1}, "BAD_USER_INPUT"),
    ("attributes", {"a.b": 1}, "BAD_USER_INPUT"),
    ("attributes", {"": 1}, "BAD_USER_INPUT"),
    ("attributes", {"a\x00": 1}, "BAD_USER_INPUT"),
    ("attributes", {"a": "b\x00"}, "BAD_USER_INPUT"),
    ("attributes", {"a": {"b": {"c": {"d": {}}}}}, "BAD_USER_INPUT"),
    ("attributes", {str(n): n for n in range(101)}, "BAD_USER_INPUT"),
    ("attributes", {"a": "x" * 20_480}, "BAD_USER_INPUT"),
    ("attributes", {"a": 2**63}, "BAD_USER_INPUT"),
    *(
        (field, address, "BAD_USER_INPUT")
        for field in ("imageUrl", "link")
        for address in (
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "\u00a0javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://example.com/x",
            "mailto:a@example.com",
            "http:",
            "https://",
            "http:///path",
            "https://[::1",
            "https://example.com:99999/",
            "https://example.com/ ",
            "/" + "x" * 2_048,
            "/a\x00b",
        )
    ),
]


@pytest.mark.parametrize(("field", "value", "code"), BAD_VALUES)
async def test_bad_values_are_refused_by_name(api: Any, field: str, value: Any, code: str) -> None:
    """createItem and updateItem name the field that they cannot use, and change nothing."""
    given = {"id": "lot-1", "title": "Lamp", field: value}
    error = await api.refused(CREATE, {"input": given})
    assert problem(error) == (code, f"input.{field}")
    assert await read(api, "lot-1") is None
    if field != "id":
        before = await create(api, id="lot-1")
        error = await api.refused(UPDATE, {"id": "lot-1", "input": {field: value}})
        assert problem(error) == (code, f"input.{field}")
        assert await read(api, "lot-1") == before


@pytest.mark.parametrize(
    "given",
    [
        {"id": "x" * 256, "title": "x" * 300, "kind": "x" * 50, "category": "x" * 100},
        {"title": "x", "kind": "y", "description": "x" * 10_000, "campaignId": "x" * 256},
        {"title": "🪔", "id": "ключ/$where", "category": "$gt", "kind": "a.b"},
        {"title": "x", "link": "/" + "x" * 2_047, "imageUrl": "//cdn.example.com/a.png"},
        {"title": "x", "link": "lots/7?a=b:c#d", "imageUrl": "HTTP://example.com"},
        {"title": "x", "price": "999999999999999.99"},
        {"title": "x", "attributes": {"a": "x" * (20 * 1024 - len('{"a":""}'))}},
        {"title": "x", "attributes": {str(n): n for n in range(100)}},
        {"title": "x", "attributes": {"language": "klingon", "_id": -(2**63)}},
        {"title": "x", "attributes": {}},
    ],
)
async def test_values_at_the_bounds_are_kept(api: Any, given: dict[str, Any]) -> None:
    """The largest values, and texts that look like operators, are stored as they are."""
    item = await create(api, **given)
    assert {name: item[name] for name in given} == given
    assert await read(api, item["id"]) == item


async def test_variable_missing_inside_attributes(api: Any) -> None:
    """A variable that was not given, inside of a literal, is the client's mistake and not ours."""
    error = await api.refused(
        'mutation ($x: JSON) { createItem(input: {title: "a", attributes: {a: $x}}) { id } }'
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_period_must_not_end_before_it_begins(api: Any) -> None:
    """endsAt before startsAt is refused; the same instant is allowed."""
    early, late = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
    given = {"title": "Lamp", "startsAt": late, "endsAt": early}
    error = await api.refused(CREATE, {"input": given})
    assert problem(error) == ("BAD_USER_INPUT", "input.endsAt")
    assert (await create(api, startsAt=late, endsAt=late))["endsAt"] == late


async def test_taken_id_is_a_conflict(api: Any) -> None:
    """An id that the site has, even of an archived item, is refused, and the item stays as it is."""
    before = await create(api, id="lot-1")
    error = await api.refused(CREATE, {"input": {"id": "lot-1", "title": "Other"}})
    assert problem(error) == ("CONFLICT", "input.id")
    assert await read(api, "lot-1") == before
    await api.ask(ARCHIVE, {"id": "lot-1"})
    error = await api.refused(CREATE, {"input": {"id": "lot-1", "title": "Other"}})
    assert problem(error) == ("CONFLICT", "input.id")


async def test_one_of_many_creators_wins(api: Any) -> None:
    """Of twenty createItem of one id at once, one makes it and the others conflict."""
    given = [{"id": "lot-1", "title": f"Lamp {n}"} for n in range(20)]
    answers = await asyncio.gather(*(api.post(CREATE, {"input": one}) for one in given))
    made = [answer["data"]["createItem"] for answer in answers if "errors" not in answer]
    assert len(made) == 1
    assert await read(api, "lot-1") == made[0]


async def test_update_changes_only_what_is_given(api: Any) -> None:
    """Every other field, and createdAt, stays; updatedAt moves."""
    clock: FixedClock = api.clock
    before = await create(api, **EVERYTHING)
    clock.advance(minutes=1)
    changed = await update(api, "lot-7", title="Lamp", price="2")
    expected = {"title": "Lamp", "price": "2", "updatedAt": "2026-06-15T12:01:00.000Z"}
    assert changed == before | expected
    assert await read(api, "lot-7") == changed


CLEARABLE = [
    *("description", "category", "price", "imageUrl", "link", "campaignId"),
    *("startsAt", "endsAt", "attributes"),
]


@pytest.mark.parametrize("field", CLEARABLE)
async def test_null_clears_an_optional_field(api: Any, field: str) -> None:
    """null makes an optional field null, and nothing else changes."""
    before = await create(api, **EVERYTHING)
    assert await update(api, "lot-7", **{field: None}) == before | {field: None}


@pytest.mark.parametrize("field", ["title", "kind", "status"])
async def test_needed_fields_cannot_be_cleared(api: Any, field: str) -> None:
    """An item always has a title, a kind and a status."""
    before = await create(api, **EVERYTHING)
    error = await api.refused(UPDATE, {"id": "lot-7", "input": {field: None}})
    assert problem(error) == ("BAD_USER_INPUT", f"input.{field}")
    assert await read(api, "lot-7") == before


async def test_a_price_always_has_a_currency(api: Any) -> None:
    """Whatever of the two changes: a price that is left without a currency gets the site's."""
    await create(api, id="lot-1")
    assert (await update(api, "lot-1", price="3"))["currency"] == "EUR"
    assert (await update(api, "lot-1", currency="JPY"))["currency"] == "JPY"
    assert (await update(api, "lot-1", price="4"))["currency"] == "JPY"
    assert (await update(api, "lot-1", currency=None))["currency"] == "EUR"
    cleared = await update(api, "lot-1", price=None, currency=None)
    assert (cleared["price"], cleared["currency"]) == (None, None)


async def test_one_end_of_the_period_must_fit_the_other(api: Any) -> None:
    """A changed end is compared with the stored other end, and the error names what was sent."""
    await create(api, id="lot-1", startsAt="2026-02-01", endsAt="2026-03-01")
    error = await api.refused(UPDATE, {"id": "lot-1", "input": {"endsAt": "2026-01-31"}})
    assert problem(error) == ("BAD_USER_INPUT", "input.endsAt")
    error = await api.refused(UPDATE, {"id": "lot-1", "input": {"startsAt": "2026-03-02"}})
    assert problem(error) == ("BAD_USER_INPUT", "input.startsAt")
    moved = await update(api, "lot-1", startsAt="2026-04-01", endsAt="2026-05-01")
    assert moved["startsAt"] == "2026-04-01T00:00:00.000Z"
    assert (await update(api, "lot-1", endsAt="2026-04-01"))["endsAt"] == moved["startsAt"]
    await update(api, "lot-1", endsAt=None)
    assert (await update(api, "lot-1", startsAt="2030-01-01"))["endsAt"] is None
    await update(api, "lot-1", startsAt=None)
    assert (await update(api, "lot-1", endsAt="2020-01-01"))["startsAt"] is None


async def test_attributes_are_replaced_whole(api: Any) -> None:
    """Old keys do not shine through, and values that look like operators stay values."""
    await create(api, id="lot-1", attributes={"a": {"b": 1}, "c": 2})
    attributes = {"a": {"x": "$title"}}
    assert (await update(api, "lot-1", attributes=attributes))["attributes"] == attributes
    assert (await update(api, "lot-1", attributes={}))["attributes"] == {}
    assert (await update(api, "lot-1", title="$kind"))["title"] == "$kind"


async def test_empty_update_changes_nothing(api: Any) -> None:
    """Without any field the item is answered as it is; updatedAt stays too."""
    before = await create(api, id="lot-1")
    api.clock.advance(minutes=1)
    assert await update(api, "lot-1") == before


async def test_concurrent_updates_do_not_undo_each_other(api: Any) -> None:
    """Updates of different fields at once all stay."""
    await create(api, id="lot-1")
    changes = {"title": "T", "kind": "k", "description": "d", "category": "c", "link": "/l"}
    await asyncio.gather(*(update(api, "lot-1", **{f: v}) for f, v in changes.items()))
    item = await read(api, "lot-1")
    assert item is not None
    assert {field: item[field] for field in changes} == changes


async def test_archiving_twice_is_archiving_once(api: Any) -> None:
    """archiveItem makes it ARCHIVED; again, it answers the same item, not changed anew."""
    before = await create(api, id="lot-1")
    api.clock.advance(minutes=1)
    first = (await api.ask(ARCHIVE, {"id": "lot-1"}))["archiveItem"]
    changed = {"status": "ARCHIVED", "updatedAt": "2026-06-15T12:01:00.000Z"}
    assert first == before | changed
    api.clock.advance(minutes=1)
    assert (await api.ask(ARCHIVE, {"id": "lot-1"}))["archiveItem"] == first
    assert await read(api, "lot-1") == first
    assert (await update(api, "lot-1", status="ACTIVE"))["status"] == "ACTIVE"


@pytest.mark.parametrize("item_id", ["lot-1", "", "x" * 257, "a\x00b", "$ne", "demo:lot-1"])
async def test_unknown_ids(api: Any, item_id: str) -> None:
    """Whatever the id is that no item has: item is null, changes are NOT_FOUND."""
    assert await read(api, item_id) is None
    for changes in ({}, {"title": "x"}, {"endsAt": "2026-01-01"}):
        error = await api.refused(UPDATE, {"id": item_id, "input": changes})
        assert problem(error) == ("NOT_FOUND", "id")
    error = await api.refused(ARCHIVE, {"id": item_id})
    assert problem(error) == ("NOT_FOUND", "id")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
@pytest.mark.parametrize(
    ("operation", "variables"),
    [
        (CREATE, {"input": {"title": "Lamp"}}),
        (UPDATE, {"id": "lot-1", "input": {"title": "Lamp"}}),
        (ARCHIVE, {"id": "lot-1"}),
    ],
)
async def test_changes_need_the_admin_key(
    api: Any, operation: str, variables: dict[str, Any], scope: Scope
) -> None:
    """A read or write key changes nothing, and does not learn whether the item is there."""
    error = await api.refused(operation, variables, scope=scope)
    assert error["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(("operation", "variables"), [(ITEM, {"id": "lot-1"}), (ITEMS, {})])
async def test_queries_need_the_read_key(
    api: Any, operation: str, variables: dict[str, Any]
) -> None:
    """A public write key cannot read the catalogue; a read key can."""
    error = await api.refused(operation, variables, scope=Scope.WRITE)
    assert error["extensions"]["code"] == "FORBIDDEN"
    await api.ask(operation, variables, scope=Scope.READ)


async def test_instants_are_utc_milliseconds(api: Any) -> None:
    """An instant with an offset comes back in UTC, cut to milliseconds."""
    item = await create(api, startsAt="2026-06-01T10:00:00.123456+05:45")
    assert item["startsAt"] == "2026-06-01T04:15:00.123Z"
