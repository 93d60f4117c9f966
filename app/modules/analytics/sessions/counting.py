"""Counts the sessions of two periods: the numbers of the stored ones, corrected by what has changed."""

from collections.abc import Mapping
from typing import Any

from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.sessions import pipelines
from app.modules.analytics.sessions.numbers import (
    MILLISECONDS,
    TOTALS,
    ByPeriod,
    Durations,
    Key,
    VisitorCounts,
    added,
    correction,
    middle_ranks,
    no_counts,
    no_durations,
    place,
    seconds_of,
    visitors_of,
)
from app.modules.analytics.sessions.query import Breakdown, Narrowing, Period, Periods
from app.modules.analytics.sessions.reading import Reading
from app.modules.analytics.sessions.resolution import Differences

# So many rows are asked for by their keys at once.
KEYS_AT_ONCE = 1_000
# Up to so many visitors are looked up one by one, to see whether they are new.
MAX_LOOKED_UP = 5_000

Row = tuple[Key, ByPeriod]


class Counting:
    """The numbers of one answer."""

    def __init__(self, reading: Reading, site: str, periods: Periods, narrowing: Narrowing) -> None:
        self._reading = reading
        self._site = site
        self._periods = periods
        self._narrowing = narrowing
        self._differences = Differences()
        self._correction = correction(self._differences, periods, narrowing)

    async def begin(self) -> None:
        """Find out what of the stored sessions is not right. Everything else comes after this."""
        span = (self._periods.start, self._periods.end)
        self._differences = await self._reading.differences(span)
        self._correction = correction(self._differences, self._periods, self._narrowing)

    async def totals(self) -> ByPeriod:
        """The TOTALS of each period."""
        totals = no_counts()
        for found in await self._reading.aggregate(
            pipelines.totals(self._periods, self._narrowing)
        ):
            totals[Period(found["_id"])].update({name: int(found[name]) for name in TOTALS})
        for period, counts in self._correction.totals.items():
            totals[period].update(counts)
        return totals

    async def medians(self) -> dict[Period, float | None]:
        """The median duration of each period in milliseconds; None without sessions.

        First it is found in which whole second it lies, then where in that second: durations are
        too many to be read one by one.
        """
        by_second = self._corrected(
            await self._durations(pipelines.seconds(self._periods, self._narrowing)),
            {period: seconds_of(found) for period, found in self._correction.durations.items()},
        )
        places = {
            period: [place(counts, rank) for rank in middle_ranks(sum(counts.values()))]
            for period, counts in by_second.items()
            if counts
        }
        if not places:
            return dict.fromkeys(Period)
        wanted = {
            period: sorted({second for second, _ in found}) for period, found in places.items()
        }
        stages = pipelines.within_seconds(self._periods, self._narrowing, wanted)
        exact = self._corrected(await self._durations(stages), self._correction.durations)
        return {
            period: _mean_at(exact[period], places[period]) if period in places else None
            for period in Period
        }

    async def _durations(self, stages: list[Stage]) -> Durations:
        found = no_durations()
        for row in await self._reading.aggregate(stages):
            duration = int(row["_id"]["duration"])
            found[Period(row["_id"]["period"])][duration] += int(row["sessions"])
        return found

    def _corrected(self, stored: Durations, by: Durations) -> dict[Period, dict[int, int]]:
        return {period: added(stored[period], by[period]) for period in Period}

    async def visitors(self) -> dict[Period, VisitorCounts]:
        """The visitors of each period. Those with sessions that have changed are counted here."""
        found = await self._stored_visitors()
        wrong = {session.id for session in self._differences.wrong}
        missing = [s for s in self._differences.missing if s.start < self._periods.end]
        changed = {session.visitor for session in (*self._differences.wrong, *missing)}
        stored = await self._reading.of_visitors(sorted(changed), self._periods.end)
        right = [*(session for session in stored if session.id not in wrong), *missing]
        was = visitors_of(stored, self._periods, self._narrowing)
        now = visitors_of(right, self._periods, self._narrowing)
        return {period: found[period] - was[period] + now[period] for period in Period}

    async def _stored_visitors(self) -> dict[Period, VisitorCounts]:
        known = await self._reading.aggregate(pipelines.visitors(self._periods, self._narrowing))
        many = sum(row["found"] for row in known) > MAX_LOOKED_UP
        sampled = any(row["visitors"] > row["found"] for row in known)
        if many and not sampled and not self._narrowing.conditions:
            stages = pipelines.visitors_that_began(self._periods)
        else:
            stages = pipelines.new_visitors(self._site, self._periods, self._narrowing)
        new = {row["_id"]: int(row["new"]) for row in await self._reading.aggregate(stages)}
        counts = {row["_id"]: int(row["visitors"]) for row in known}
        return {
            period: VisitorCounts(counts.get(period.value, 0), new.get(period.value, 0))
            for period in Period
        }

    async def rows(self, breakdown: Breakdown, limit: int) -> list[Row]:
        """The rows with most sessions in the current period; of equal ones those that sort first."""
        changes = self._correction.rows[breakdown]
        rows: dict[Key, ByPeriod] = {key: no_counts() for key in changes}
        for found in await self._found_rows(breakdown, limit):
            key, by_period = pipelines.row_of(breakdown, found)
            rows[key] = by_period
        for key, by_period in changes.items():
            for period, counts in by_period.items():
                rows[key][period].update(counts)
        counted = [(key, row) for key, row in rows.items() if row[Period.CURRENT]["sessions"]]
        return sorted(counted, key=_order)[:limit]

    async def _found_rows(self, breakdown: Breakdown, limit: int) -> list[dict[str, Any]]:
        """The first of the stored rows, and all that have changed.

        Rows that have not changed are among the first of all once as many more are read as have.
        """
        keys = list(self._correction.rows[breakdown])
        asked = (breakdown, self._periods, self._narrowing)
        found = await self._reading.aggregate(pipelines.rows(*asked, limit + len(keys)))
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            found += await self._reading.aggregate(pipelines.these_rows(*asked, some))
        return found


def _mean_at(durations: Mapping[int, int], places: list[tuple[int, int]]) -> float:
    """The mean of the durations at these places: a whole second, and the rank in it."""
    found = []
    for second, rank in places:
        within = {ms: n for ms, n in durations.items() if ms // MILLISECONDS == second}
        found.append(place(within, rank)[0])
    return sum(found) / len(found)


def _order(row: Row) -> tuple[Any, ...]:
    key, by_period = row
    values = [(value is not None, value or "") for value in key]
    return -by_period[Period.CURRENT]["sessions"], values
