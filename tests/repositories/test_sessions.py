"""Stored sessions and rollups: what is written is there, whatever was thought to be there before."""

from typing import Any

from app.repositories.rollups import RollupRepository
from app.repositories.sessions import SessionRepository
from tests.conftest import NOW


async def test_a_session_that_is_there_after_all_is_replaced(api: Any) -> None:
    """It is inserted, because nobody knew of it, and must neither fail nor keep others out."""
    one, other = ({"_id": f"demo:{name}", "site": "demo", "events": 1} for name in "ab")
    sessions = SessionRepository()
    await sessions.replace("demo", [one], [])
    await sessions.replace("demo", [one | {"events": 2}, other], [])
    await sessions.replace("demo", [other | {"events": 3}], [one["_id"]], known=[other["_id"]])
    assert [found async for found in api.database["sessions"].find()] == [other | {"events": 3}]


async def test_rollups_are_made_exactly_those_that_are_given(api: Any, monkeypatch: Any) -> None:
    """In portions: new ones are added, known ones replaced, and those that are left out go."""
    monkeypatch.setattr("app.repositories.rollups.MOST_WRITES", 2)
    rollups = RollupRepository()

    def made(*numbers: int) -> list[dict[str, Any]]:
        return [
            {
                "_id": f"demo|ITEM|day|1|{number}",
                "site": "demo",
                "start": NOW,
                "content": {"n": sum(numbers)},
            }
            for number in numbers
        ]

    other = made(9)[0] | {"_id": "demo|ITEM|day|2|9"}
    await rollups.replace("demo", ["demo|ITEM|day|2|"], [other])
    for numbers in ((1, 2, 3, 4, 5), (2, 5, 7)):
        await rollups.replace("demo", ["demo|ITEM|day|1|"], made(*numbers))
        found = [one async for one in api.database["rollups"].find().sort("_id", 1)]
        assert found == [*made(*numbers), other]
