"""The GraphQL types of sessions."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import strawberry

from app.core.described import described
from app.core.scalars import Long
from app.modules.analytics.measures import change_percent, mean, percent
from app.modules.analytics.sessions.counting import Row
from app.modules.analytics.sessions.derivation import Session as Derived
from app.modules.analytics.sessions.numbers import MILLISECONDS
from app.modules.analytics.sessions.query import Breakdown, Period
from app.modules.analytics.sessions.service import Page, SessionCounts

Counts = Mapping[str, int]


@strawberry.type(description="A count, and the same of the period of equal length just before.")
class ComparedCount:
    value: Long = described("Of the range asked for.")
    previous: Long = described("Of the range of equal length that ends where the other one begins.")
    change_percent: float | None = described(
        "By how much it changed, in percent of what it was; null where it was zero."
    )

    @classmethod
    def of(cls, value: int, previous: int) -> "ComparedCount":
        return cls(value=value, previous=previous, change_percent=change_percent(value, previous))


@strawberry.type(description="A number, and the same of the period of equal length just before.")
class ComparedNumber:
    value: float | None = described("Of the range asked for; null of no sessions.")
    previous: float | None = described(
        "Of the range of equal length that ends where the other one begins; null of no sessions."
    )
    change_percent: float | None = described(
        "By how much it changed, in percent of what it was; null where it was zero or null."
    )

    @classmethod
    def of(cls, value: float | None, previous: float | None) -> "ComparedNumber":
        return cls(value=value, previous=previous, change_percent=change_percent(value, previous))


def _count(of: Mapping[Period, Counts], name: str) -> ComparedCount:
    return ComparedCount.of(of[Period.CURRENT][name], of[Period.PREVIOUS][name])


def _number(
    of: Mapping[Period, Counts], calculate: Callable[[Counts], float | None]
) -> ComparedNumber:
    return ComparedNumber.of(calculate(of[Period.CURRENT]), calculate(of[Period.PREVIOUS]))


def _bounce_rate(counts: Counts) -> float | None:
    return percent(counts["bounced"], counts["sessions"])


def _conversion_rate(counts: Counts) -> float | None:
    return percent(counts["converted"], counts["sessions"])


def _average_duration(counts: Counts) -> float | None:
    return mean(counts["duration"], MILLISECONDS * counts["sessions"])


def _pages_per_session(counts: Counts) -> float | None:
    return mean(counts["page_views"], counts["sessions"])


@strawberry.type(description="The sessions that began, or ended, on one page.")
class SessionPage:
    page: str | None = described(
        "The page's address without query string and fragment; null where it is not known."
    )
    sessions: ComparedCount = described("How many they are.")
    bounce_rate: ComparedNumber = described("Bounced ones among them, percent.")
    conversion_rate: ComparedNumber = described("Those among them with a conversion, percent.")

    @classmethod
    def of(cls, row: Row) -> "SessionPage":
        (page,), counts = row
        return cls(page=page, **_row_numbers(counts))


@strawberry.type(description="The sessions that came from one source.")
class SessionSource:
    referrer: str | None = described("The domain of the page before; null where there is none.")
    utm_source: str | None = described(
        "The campaign parameter utm_source; null where there is none."
    )
    utm_medium: str | None = described(
        "The campaign parameter utm_medium; null where there is none."
    )
    utm_campaign: str | None = described(
        "The campaign parameter utm_campaign; null where there is none."
    )
    sessions: ComparedCount = described("How many they are.")
    bounce_rate: ComparedNumber = described("Bounced ones among them, percent.")
    conversion_rate: ComparedNumber = described("Those among them with a conversion, percent.")

    @classmethod
    def of(cls, row: Row) -> "SessionSource":
        (referrer, utm_source, utm_medium, utm_campaign), counts = row
        return cls(
            referrer=referrer,
            utm_source=utm_source,
            utm_medium=utm_medium,
            utm_campaign=utm_campaign,
            **_row_numbers(counts),
        )


def _row_numbers(counts: Mapping[Period, Counts]) -> dict[str, Any]:
    return {
        "sessions": _count(counts, "sessions"),
        "bounce_rate": _number(counts, _bounce_rate),
        "conversion_rate": _number(counts, _conversion_rate),
    }


@strawberry.type(
    description="Sessions counted. A session is of the period in which it starts, whenever it ends. "
    "Where the site counts a sample of its visitors, each session stands for as many as its visitor "
    "does."
)
class SessionMetrics:
    sessions: ComparedCount = described("How many sessions started.")
    events: ComparedCount = described("Their events of every type.")
    page_views: ComparedCount = described("Their events of type PAGE_VIEW.")
    conversions: ComparedCount = described("Their events of type CONVERSION.")
    average_duration: ComparedNumber = described(
        "Mean time from a session's first to its last event, seconds."
    )
    median_duration: ComparedNumber = described(
        "The duration that half of the sessions do not exceed, seconds, exactly: of an even number "
        "the mean of the two in the middle."
    )
    pages_per_session: ComparedNumber = described("Page views / sessions.")
    bounced_sessions: ComparedCount = described(
        "Sessions with exactly one PAGE_VIEW and no CLICK, CONVERSION or CUSTOM event."
    )
    bounce_rate: ComparedNumber = described("Bounced sessions / sessions, percent.")
    converted_sessions: ComparedCount = described("Sessions with at least one CONVERSION event.")
    conversion_rate: ComparedNumber = described("Converted sessions / sessions, percent.")
    visitors: ComparedCount = described("Distinct visitors of the sessions.")
    new_visitors: ComparedCount = described(
        "Visitors of whom no session is known that started before the first one counted here. "
        "Sessions that the filter leaves out are known as well."
    )
    returning_visitors: ComparedCount = described("All other visitors: they had been here before.")
    entry_pages: list[SessionPage] = described(
        "The pages on which most sessions began, most sessions first, then by page: that of the "
        "first event that names one."
    )
    exit_pages: list[SessionPage] = described(
        "The pages on which most sessions ended, in the same order: that of the last event that "
        "names one."
    )
    sources: list[SessionSource] = described(
        "Where most sessions came from, most sessions first, then by the fields of a source."
    )
    as_of: datetime = described("When this was counted.")
    exact: bool = described(
        "Whether every number is exact. It is not where the site counted a sample of its visitors: "
        "numbers are then scaled up from it."
    )

    @classmethod
    def of(cls, counted: SessionCounts) -> "SessionMetrics":
        totals, rows = counted.totals, counted.rows
        visitors = {
            period: {
                "visitors": found.visitors,
                "new": found.new,
                "returning": found.visitors - found.new,
            }
            for period, found in counted.visitors.items()
        }
        medians = {
            period: None if median is None else median / MILLISECONDS
            for period, median in counted.medians.items()
        }
        return cls(
            sessions=_count(totals, "sessions"),
            events=_count(totals, "events"),
            page_views=_count(totals, "page_views"),
            conversions=_count(totals, "conversions"),
            average_duration=_number(totals, _average_duration),
            median_duration=ComparedNumber.of(medians[Period.CURRENT], medians[Period.PREVIOUS]),
            pages_per_session=_number(totals, _pages_per_session),
            bounced_sessions=_count(totals, "bounced"),
            bounce_rate=_number(totals, _bounce_rate),
            converted_sessions=_count(totals, "converted"),
            conversion_rate=_number(totals, _conversion_rate),
            visitors=_count(visitors, "visitors"),
            new_visitors=_count(visitors, "new"),
            returning_visitors=_count(visitors, "returning"),
            entry_pages=[SessionPage.of(row) for row in rows.get(Breakdown.ENTRY_PAGE, ())],
            exit_pages=[SessionPage.of(row) for row in rows.get(Breakdown.EXIT_PAGE, ())],
            sources=[SessionSource.of(row) for row in rows.get(Breakdown.SOURCE, ())],
            as_of=counted.as_of,
            exact=counted.exact,
        )


@strawberry.type(
    description="What one session id did without a pause of more than 30 minutes: derived from its "
    "counted events, and the same in whatever order they arrived."
)
class Session:
    id: strawberry.ID = described("Its own id: one sessionId has several sessions where it pauses.")
    session_id: strawberry.ID = described("The sessionId of its events.")
    visitor_id: strawberry.ID = described("The visitor of its first event.")
    user_id: strawberry.ID | None = described("The user of its first event that names one.")
    start: datetime = described("When its first event happened.")
    last_activity: datetime = described("When its last event happened.")
    duration: float = described("From the first to the last event, seconds.")
    events: Long = described("Its events of every type.")
    page_views: Long = described("Its events of type PAGE_VIEW.")
    conversions: Long = described("Its events of type CONVERSION.")
    items_seen: Long = described("Distinct items of its IMPRESSION and VIEW events.")
    items_clicked: Long = described("Distinct items of its CLICK events.")
    bounced: bool = described(
        "Whether it has exactly one PAGE_VIEW and no CLICK, CONVERSION or CUSTOM event."
    )
    entry_page: str | None = described("The page of its first event that names one.")
    exit_page: str | None = described("The page of its last event that names one.")
    referrer: str | None = described(
        "The domain that it came from; the domain of its own pages does not count. This and the "
        "campaign parameters are those of its first event that has any of them."
    )
    utm_source: str | None = described("The campaign parameter utm_source.")
    utm_medium: str | None = described("The campaign parameter utm_medium.")
    utm_campaign: str | None = described("The campaign parameter utm_campaign.")
    utm_content: str | None = described("The campaign parameter utm_content.")
    utm_term: str | None = described("The campaign parameter utm_term.")
    device: str | None = described("The kind of device of its first event that has one.")
    browser: str | None = described("The browser's family of its first event that has one.")
    os: str | None = described("The operating system's family of its first event that has one.")

    @classmethod
    def of(cls, session: Derived) -> "Session":
        same = (
            "start", "events", "page_views", "conversions", "items_seen", "items_clicked",
            "bounced", "entry_page", "exit_page", "referrer", "utm_source", "utm_medium",
            "utm_campaign", "utm_content", "utm_term", "device", "browser", "os",
        )  # fmt: skip
        return cls(
            id=strawberry.ID(session.id.rpartition(":")[2]),
            session_id=strawberry.ID(session.session),
            visitor_id=strawberry.ID(session.visitor),
            user_id=None if session.user is None else strawberry.ID(session.user),
            last_activity=session.last,
            duration=session.duration / MILLISECONDS,
            **{name: getattr(session, name) for name in same},
        )


@strawberry.type(description="A page of sessions.")
class SessionList:
    data: list[Session] = described("The sessions, those that started last first.")
    next_cursor: str | None = described(
        "What to send as `after` for the next page; null where this is the last."
    )

    @classmethod
    def of(cls, page: Page) -> "SessionList":
        return cls(data=[Session.of(one) for one in page.sessions], next_cursor=page.next_cursor)
