"""Many who ask for one thing at the same time ask the database once."""

import asyncio

import pytest

from app.core.lookups import Lookups


class Database:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: asyncio.Queue[int | Exception] = asyncio.Queue()

    async def look_up(self, key: str) -> int:
        self.asked.append(key)
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def turns() -> None:
    """Let everything come as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_meanwhile_gets_the_same_answer() -> None:
    """One question for ten who ask, and none for who asks then; another key is another question."""
    database, known = Database(), {}  # type: ignore[var-annotated]
    lookups = Lookups(known, database.look_up)
    asking = [asyncio.create_task(lookups.get("a")) for _ in range(10)]
    await turns()
    database.answers.put_nowait(1)
    assert await asyncio.gather(*asking) == [1] * 10
    assert await lookups.get("a") == 1
    database.answers.put_nowait(2)
    assert await lookups.get("b") == 2
    assert database.asked == ["a", "b"]
    assert known == {"a": 1, "b": 2}


async def test_an_error_is_everybodys_and_is_not_kept() -> None:
    """Who asks after it asks anew."""
    database = Database()
    lookups = Lookups({}, database.look_up)
    asking = [asyncio.create_task(lookups.get("a")) for _ in range(3)]
    await turns()
    database.answers.put_nowait(ValueError("away"))
    for each in asking:
        with pytest.raises(ValueError, match="away"):
            await each
    database.answers.put_nowait(1)
    assert await lookups.get("a") == 1


async def test_who_gives_up_takes_nobody_along() -> None:
    """The one whose request began the question is cancelled; the others are answered."""
    database = Database()
    lookups = Lookups({}, database.look_up)
    first, second = (asyncio.create_task(lookups.get("a")) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    database.answers.put_nowait(1)
    assert await second == 1
    assert database.asked == ["a"]


@pytest.mark.parametrize("everything", [False, True])
async def test_what_was_asked_before_a_change_is_not_kept(everything: bool) -> None:
    """Forgotten while it is looked up: who asked before has the old value, who asks after the new one."""
    database, known = Database(), {}  # type: ignore[var-annotated]
    lookups = Lookups(known, database.look_up)
    before = asyncio.create_task(lookups.get("a"))
    await turns()
    if everything:
        lookups.clear()
    else:
        lookups.forget("a")
    after = asyncio.create_task(lookups.get("a"))
    await turns()
    database.answers.put_nowait(1)
    database.answers.put_nowait(2)
    assert (await before, await after) == (1, 2)
    assert known == {"a": 2}
