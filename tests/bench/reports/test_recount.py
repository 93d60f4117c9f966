"""The recount of the bench, against a plain one in Python over the documents of the same events."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import FIRST_MS, make_columns, milliseconds
from tests.bench.reports.documents import documents
from tests.bench.reports.recount import DAY_MS, Condition, Counted, Recount, Span

EVENTS = 6_000
SPAN = Span(FIRST_MS + 10 * DAY_MS + 431_007, FIRST_MS + 60 * DAY_MS + 431_007)
ZONE = ZoneInfo("Asia/Kathmandu")
TYPES = {
    "impressions": "IMPRESSION", "views": "VIEW", "clicks": "CLICK", "conversions": "CONVERSION",
    "bounces": "BOUNCE", "pageViews": "PAGE_VIEW",
}  # fmt: skip

Document = dict[str, Any]


@pytest.fixture(scope="module")
def recount() -> Recount:
    return Recount(make_columns(EVENTS))


@pytest.fixture(scope="module")
def covered() -> list[Document]:
    """The documents of the span."""
    made = documents(make_columns(EVENTS), 0, EVENTS)
    return [each for each in made if SPAN.start <= milliseconds(each["at"]) < SPAN.end]


def counted(events: Sequence[Document]) -> Counted:
    """The numbers of these events, one event after the other."""
    types = Counter(event["type"] for event in events)
    views, active = Counter[str](), set()
    for event in events:
        views[event["session"]] += event["type"] == "PAGE_VIEW"
        if event["type"] in ("CLICK", "CONVERSION", "CUSTOM"):
            active.add(event["session"])
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    for event in events:
        if "value" in event:
            amounts[event["currency"]].append(event["value"].to_decimal())
    numbers = {
        "events": len(events),
        **{name: types[event_type] for name, event_type in TYPES.items()},
        "engagement": sum(event.get("engagement", 0) for event in events),
        "engagement of": sum("engagement" in event for event in events),
        "scroll": sum(event.get("scroll_depth", 0) for event in events),
        "scroll of": sum("scroll_depth" in event for event in events),
        "uniqueVisitors": different(events, "visitor"),
        "uniqueUsers": different(events, "user"),
        "uniqueSessions": different(events, "session"),
        "convertedVisitors": different(
            [event for event in events if event["type"] == "CONVERSION"], "visitor"
        ),
        "bouncedSessions": sum(
            times == 1 and session not in active for session, times in views.items()
        ),
    }
    cents = {
        currency: (int(sum(values) * 100), len(values)) for currency, values in amounts.items()
    }
    return Counted(numbers, cents)


def different(events: Iterable[Document], field: str) -> int:
    return len({event[field] for event in events if field in event})


def local(event: Document) -> datetime:
    at: datetime = event["at"].astimezone(ZONE)
    return at


def category(event: Document) -> str | None:
    return words.category_of(int(event["item"][4:])) if "item" in event else None


VALUES: dict[str, Callable[[Document], str | None]] = {
    "ITEM": lambda event: event.get("item"),
    "SOURCE": lambda event: event.get("source"),
    "PAGE": lambda event: event.get("page"),
    "DEVICE": lambda event: event.get("device"),
    "BROWSER": lambda event: event.get("browser"),
    "CAMPAIGN": lambda event: event.get("campaign"),
    "CATEGORY": category,
    "HOUR_OF_DAY": lambda event: str(local(event).hour),
    "WEEKDAY": lambda event: str(local(event).isoweekday()),
}


def rows(
    events: Iterable[Document], dimensions: Sequence[str]
) -> list[tuple[tuple[str | None, ...], Counted]]:
    """By dimensions: the rows with most events first, then by values, null before texts."""
    groups: dict[tuple[str | None, ...], list[Document]] = defaultdict(list)
    for event in events:
        groups[tuple(VALUES[dimension](event) for dimension in dimensions)].append(event)
    ordered = sorted(
        groups.items(),
        key=lambda group: (-len(group[1]), [(each is not None, each or "") for each in group[0]]),
    )
    return [(values, counted(those)) for values, those in ordered]


def test_totals(recount: Recount, covered: list[Document]) -> None:
    """All numbers of the span, of one item in it, and of what a condition leaves."""
    assert recount.total(SPAN) == counted(covered)
    top = words.item_of_rank(0)
    of_top = [event for event in covered if event.get("item") == words.item_id(top)]
    assert recount.total(SPAN, top) == counted(of_top)
    mobile = [event for event in covered if event["device"] == "mobile"]
    assert recount.total_where(SPAN, Condition("DEVICE", ("mobile",))) == counted(mobile)


@pytest.mark.parametrize("dimension", VALUES)
def test_rows_of_a_dimension(recount: Recount, covered: list[Document], dimension: str) -> None:
    """Which rows there are, in which order, and all their numbers."""
    assert recount.by(SPAN, (dimension,)) == rows(covered, (dimension,))


def test_rows_of_two_dimensions_and_of_a_condition(
    recount: Recount, covered: list[Document]
) -> None:
    """Pairs of values that occur, and rows of the events that are left."""
    assert recount.by(SPAN, ("DEVICE", "SOURCE")) == rows(covered, ("DEVICE", "SOURCE"))
    mobile = [event for event in covered if event["device"] == "mobile"]
    found = recount.by(SPAN, ("BROWSER",), Condition("DEVICE", ("mobile",)))
    assert found == rows(mobile, ("BROWSER",))


def test_days_in_kathmandu(recount: Recount, covered: list[Document]) -> None:
    """A day begins at midnight on the clocks there, the first before the span does; none is left out."""
    first = local({"at": covered[0]["at"]}).replace(hour=0, minute=0, second=0, microsecond=0)
    expected = []
    for number in range(51):
        begin, end = first + timedelta(days=number), first + timedelta(days=number + 1)
        of_day = [event for event in covered if begin <= event["at"] < end]
        expected.append((milliseconds(begin), counted(of_day)))
    assert recount.days(SPAN) == expected


def test_popular_items(recount: Recount, covered: list[Document]) -> None:
    """Items with impressions, most first, of two that are equal the one whose id sorts first."""
    shown = Counter(event["item"] for event in covered if event["type"] == "IMPRESSION")
    expected = sorted(shown.items(), key=lambda item: (-item[1], item[0]))
    found = [(item, numbers["impressions"]) for item, numbers in recount.popular(SPAN)]
    assert found == expected


def test_a_range_without_events(recount: Recount) -> None:
    """Zeros, and no rows."""
    before = Span(SPAN.start - 200 * DAY_MS, SPAN.start - 100 * DAY_MS)
    assert recount.total(before) == counted([])
    assert recount.by(before, ("DEVICE",)) == []


def test_every_instant_counts(recount: Recount, covered: list[Document]) -> None:
    """A range that begins one millisecond after an event no longer has it; what was kept is not taken."""
    first = milliseconds(covered[0]["at"])
    with_it = recount.total(Span(first, SPAN.end))
    without = recount.total(Span(first + 1, SPAN.end))
    together = sum(milliseconds(event["at"]) == first for event in covered)
    assert with_it["events"] - without["events"] == together
