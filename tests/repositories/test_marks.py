"""Marks in a real mongod: what changed, since when, and what may be taken away."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.quarters import QUARTER
from app.repositories.marks import DAYS, FOUR_WEEKS, QUARTERS, WEEKS, Marked, MarkRepository

DAY = datetime(2026, 6, 1, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)


async def age(api: Any, seconds: float, **match: Any) -> None:
    """Make marks so old."""
    older = {"$subtract": ["$marked_at", int(seconds * 1000)]}
    await api.database["marks"].update_many(match, [{"$set": {"marked_at": older}}])


async def marked(site: str = "demo", level: str = QUARTERS) -> list[Marked]:
    return await MarkRepository().of_range(site, level, DAY, DAY + timedelta(days=9))


async def test_marks_are_kept_once_and_by_site_and_level(api: Any) -> None:
    """Marking again renews; another site, level or time is another mark."""
    marks = MarkRepository()
    await marks.mark("demo", [NOON, NOON + QUARTER])
    [first, second] = await marked()
    await age(api, 60)
    await marks.mark("demo", {NOON})
    await marks.mark("other", [NOON])
    await marks.mark("demo", [DAY], DAYS)
    await marks.mark("demo", [])
    [again, old] = await marked()
    assert (first.start, second.start) == (NOON, NOON + QUARTER)
    assert again.id == first.id
    assert again.marked_at >= first.marked_at
    assert old.marked_at == second.marked_at - timedelta(seconds=60)
    assert [one.site for one in await marked("other")] == ["other"]
    assert [one.start for one in await marked(level=DAYS)] == [DAY]


async def test_a_mark_that_was_renewed_after_it_was_seen_stays(api: Any) -> None:
    """Clearing takes away what was seen and nothing else, not of another site either."""
    marks = MarkRepository()
    await marks.mark("demo", [NOON, NOON + QUARTER])
    await marks.mark("other", [NOON])
    await age(api, 60)
    seen = await marked()
    await marks.mark("demo", [NOON])
    await marks.clear("other", seen)
    await marks.clear("demo", [])
    assert len(await marked()) == 2
    await marks.clear("demo", seen)
    assert [one.start for one in await marked()] == [NOON]
    assert len(await marked("other")) == 1
    await marks.clear("demo", await marked())
    assert await marked() == []


async def test_marks_ripen_oldest_first(api: Any) -> None:
    """Only those not renewed for so long, of the level and the sites, and no more than asked for."""
    marks = MarkRepository()
    starts = [NOON + n * QUARTER for n in range(3)]
    await marks.mark("demo", starts)
    await marks.mark("other", starts[:1])
    await marks.mark("demo", [DAY], DAYS)
    for place, start in enumerate(starts):
        await age(api, 100 * (place + 1), site="demo", start=start)
    await age(api, 5, site="other")

    async def ripe(after: float, limit: int = 9, sites: list[str] | None = None) -> list[datetime]:
        return [one.start for one in await marks.ripe(QUARTERS, after, limit, sites)]

    assert await ripe(150) == [starts[2], starts[1]]
    assert await ripe(0, 1) == [starts[2]]
    assert await ripe(3_600) == []
    assert await ripe(1, sites=["other"]) == starts[:1]
    assert await ripe(0, sites=[]) == []
    assert len(await ripe(0)) == 4
    assert [one.start for one in await marks.ripe(DAYS, 0, 9)] == [DAY]

    seen = await marked()
    await marks.mark("demo", [starts[1]])
    assert [one.start for one in await marks.are_ripe("demo", seen, 50)] == [starts[0], starts[2]]
    assert await marks.are_ripe("other", seen, 50) == []
    assert await marks.are_ripe("demo", [], 0) == []


async def test_the_marks_that_a_range_touches(api: Any) -> None:
    """The quarter in which it begins counts, that in which it would go on does not."""
    marks = MarkRepository()
    await marks.mark("demo", [NOON, NOON + QUARTER, NOON + 2 * QUARTER])
    await marks.mark("demo", [DAY, DAY + timedelta(days=1)], DAYS)
    second = timedelta(seconds=1)
    dirty = marks.dirty
    assert await dirty("demo", NOON + second, NOON + QUARTER) == [NOON]
    assert await dirty("demo", NOON + second, NOON + QUARTER + second) == [NOON, NOON + QUARTER]
    assert await dirty("demo", NOON + 3 * QUARTER, DAY + timedelta(days=9)) == []
    assert await dirty("other", DAY, DAY + timedelta(days=9)) == []
    found = await marks.by_level("demo", DAY, NOON + QUARTER)
    assert found == {QUARTERS: [NOON], DAYS: [DAY], WEEKS: [], FOUR_WEEKS: []}
