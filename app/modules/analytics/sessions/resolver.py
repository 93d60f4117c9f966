"""The queries of sessions."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.modules.analytics.inputs import RangeInput, range_request
from app.modules.analytics.selection import selected
from app.modules.analytics.sessions.inputs import SessionFilter, narrowing
from app.modules.analytics.sessions.query import EVERY_SESSION, MAX_ROWS, Breakdown
from app.modules.analytics.sessions.service import MAX_PAGE, SessionService, Wanted
from app.modules.analytics.sessions.types import SessionList, SessionMetrics

DEFAULT_ROWS = 10
DEFAULT_PAGE = 50

_VISITORS = frozenset({"visitors", "newVisitors", "returningVisitors"})
_BREAKDOWNS = {
    "entryPages": Breakdown.ENTRY_PAGE,
    "exitPages": Breakdown.EXIT_PAGE,
    "sources": Breakdown.SOURCE,
}

Range = Annotated[
    RangeInput | None,
    strawberry.argument(
        description="The range in which the sessions start. Default: the last 30 days."
    ),
]


@strawberry.type
class SessionsQuery:
    @strawberry.field(
        extensions=READ,
        description="Sessions of a range counted, each number with that of the range of equal "
        "length just before: how many, how long, pages, bounces, conversions, new and returning "
        "visitors, and where they began, ended and came from.",
    )
    async def session_metrics(
        self,
        info: Info,
        range: Range = None,
        timezone: Annotated[
            str | None,
            strawberry.argument(
                description="IANA name of the time zone that the days of a preset are of, such as "
                '"Europe/Zurich". Default: the site\'s.'
            ),
        ] = None,
        filter: Annotated[
            SessionFilter | None,
            strawberry.argument(description="Which sessions count. Default: all."),
        ] = None,
        limit: Annotated[
            int | None,
            strawberry.argument(
                description=f"How many entry pages, exit pages and sources at most, 1 to {MAX_ROWS}."
            ),
        ] = DEFAULT_ROWS,
    ) -> SessionMetrics:
        principal = require(info.context.principal, Scope.READ)
        names = selected(info)
        counted = await info.context.get(SessionService).metrics(
            principal.site,
            range_request(range),
            timezone,
            EVERY_SESSION if filter is None else filter.narrowing(),
            Wanted(
                medians="medianDuration" in names,
                visitors=bool(_VISITORS & names),
                breakdowns=frozenset(_BREAKDOWNS[name] for name in names & _BREAKDOWNS.keys()),
                limit=DEFAULT_ROWS if limit is None else limit,
            ),
        )
        return SessionMetrics.of(counted)

    @strawberry.field(
        extensions=READ,
        description="Single sessions, those that started last first. They are up to date: events "
        "that were accepted, withdrawn or released are in them at once.",
    )
    async def sessions(
        self,
        info: Info,
        range: Range = None,
        visitor_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Sessions of this visitor only.")
        ] = None,
        user_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Sessions of this user only.")
        ] = None,
        limit: Annotated[
            int | None, strawberry.argument(description=f"How many at most, 1 to {MAX_PAGE}.")
        ] = DEFAULT_PAGE,
        after: Annotated[
            str | None, strawberry.argument(description="nextCursor of the page before.")
        ] = None,
    ) -> SessionList:
        principal = require(info.context.principal, Scope.READ)
        page = await info.context.get(SessionService).page(
            principal.site,
            range_request(range),
            narrowing({"visitor_id": visitor_id, "user_id": user_id}),
            DEFAULT_PAGE if limit is None else limit,
            after,
        )
        return SessionList.of(page)
