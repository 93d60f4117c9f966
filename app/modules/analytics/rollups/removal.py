"""Removes events and keeps their numbers: what was counted of them stays in quarters of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.quarters import QUARTER
from app.modules.analytics.rollups.columns import column_stages, columns_of, joined
from app.modules.analytics.rollups.contents import contents_of
from app.modules.analytics.rollups.retention import Retention
from app.repositories.base import Snapshot
from app.repositories.events import ALL_TYPES, Deleted, EventRepository, Types
from app.repositories.marks import MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.sessions import SessionRepository


class KeepingRemoval:
    """The EventRemoval of core/ports.py."""

    def __init__(
        self,
        events: EventRepository,
        marks: MarkRepository,
        quarters: QuarterHourRepository,
        retention: Retention,
        sessions: SessionRepository,
    ) -> None:
        self._events = events
        self._sessions = sessions
        self._marks = marks
        self._quarters = quarters
        self._retention = retention

    async def remove_before(self, site: str, instant: datetime) -> Deleted:
        """Delete the site's events that happened before this instant.

        Each quarter of an hour for itself, in a transaction: at no moment is an event counted twice
        or not at all. May be interrupted.
        """
        removed = Deleted(0, 0, 0)
        for quarter in await self._events.quarters_before(site, instant):
            end = min(quarter + QUARTER, instant)
            found = await self._remove(site, quarter, end)
            removed = Deleted(
                removed.events + found.events,
                removed.impressions + found.impressions,
                removed.clicks + found.clicks,
            )
        return removed

    async def remove_types(self, site: str, quarter: datetime, types: Types) -> Deleted:
        """Delete the site's events of these types that happened in a quarter of an hour.

        The others stay, and with them the sessions that both were in: those are final from then on. They
        must be stored as they are to stay, which is so where the quarter has no mark.
        """
        return await self._remove(site, quarter, quarter + QUARTER, types)

    async def _remove(
        self, site: str, quarter: datetime, end: datetime, types: Types = ALL_TYPES
    ) -> Deleted:
        # What was rolled up of such an age is not computed again (Roller): it stays as it is.
        is_old = quarter < self._retention.events_since()
        stays = is_old and bool(await self._quarters.rolled_up(site, [quarter]))

        async def in_transaction(session: Snapshot) -> Deleted:
            if types != ALL_TYPES:
                lost = await self._events.sessions_between(site, quarter, end, types, session)
                await self._sessions.make_final(site, lost, quarter, end, session)
            if stays:
                return await self._events.delete(site, quarter, end, session, types)
            pipeline: list[dict[str, Any]] = [
                {"$match": {"at": {"$gte": quarter, "$lt": end}, "type": {"$in": list(types)}}},
                # In a transaction there is no second attempt.
                column_stages()[-1],
            ]
            groups = await self._events.aggregate(site, pipeline, snapshot=session)
            contents = await asyncio.to_thread(_contents, groups)
            await self._quarters.keep(site, quarter, contents, session)
            removed = await self._events.delete(site, quarter, end, session, types)
            # Last and in here: a rollup that read the events before does not clear this mark.
            await self._marks.mark(site, [quarter], session=session)
            return removed

        return await self._events.in_transaction(in_transaction)


def _contents(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is stored of groups that one of `column_stages` has made of one quarter of an hour."""
    return contents_of(joined([columns_of(group) for group in groups]))
