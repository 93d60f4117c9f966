"""What reports should say, worked out event by event as simply as it can be said.

Nothing of app/ is used. Zones come from Python, and buckets are found by stepping through time in
quarters of an hour, of which the offsets of all zones that are tested here are multiples.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

Event = dict[str, Any]

INTERACTIONS = {"CLICK", "CONVERSION", "CUSTOM"}
SITE_CURRENCY = "EUR"
FIELDS = {
    "ITEM": "item",
    "SOURCE": "source",
    "DEVICE": "device",
    "EVENT_NAME": "name",
    "POSITION": "position",
}


@dataclass
class Asked:
    """A report's arguments, the range as two instants."""

    start: datetime
    end: datetime
    zone: str = "UTC"
    by: list[str] = field(default_factory=list)
    granularity: str | None = None
    item: str | None = None
    user: str | None = None
    visitor: str | None = None
    where: list[tuple[str, list[str]]] = field(default_factory=list)
    limit: int = 100
    # Where the range goes up to now: empty buckets that begin later are left out.
    now: datetime | None = None


def local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone))


def floor(instant: datetime, granularity: str, zone: str) -> tuple[Any, ...]:
    """What all instants of one bucket have in common."""
    at = local(instant, zone)
    clock = (at.utcoffset(), at.date(), at.hour)
    monday = at.date() - timedelta(days=at.weekday())
    return {
        "MINUTE": (*clock, at.minute),
        "HOUR": clock,
        "DAY": (at.date(),),
        "WEEK": (monday,),
        "MONTH": (at.year, at.month),
    }[granularity]


@cache
def bucket_start(instant: datetime, granularity: str, zone: str) -> datetime:
    """When the bucket of an instant begins, which is given as the start of a step."""
    step = step_of(granularity)
    known = floor(instant, granularity, zone)
    while floor(instant - step, granularity, zone) == known:
        instant -= step
    return instant


def step_of(granularity: str) -> timedelta:
    return timedelta(minutes=1 if granularity == "MINUTE" else 15)


def start_of_step(instant: datetime, granularity: str) -> datetime:
    step = step_of(granularity)
    return instant - (instant - datetime(1970, 1, 1, tzinfo=UTC)) % step


def buckets(asked: Asked) -> list[datetime]:
    """When the buckets of a range begin."""
    found: dict[tuple[Any, ...], datetime] = {}
    assert asked.granularity is not None
    at = start_of_step(asked.start, asked.granularity)
    while at < asked.end:
        known = floor(at, asked.granularity, asked.zone)
        if known not in found:
            found[known] = bucket_start(at, asked.granularity, asked.zone)
        at += step_of(asked.granularity)
    return list(found.values())


def value_of(event: Event, dimension: str, asked: Asked, categories: dict[str, str]) -> str | None:
    at = local(event["at"], asked.zone)
    if dimension == "HOUR_OF_DAY":
        return str(at.hour)
    if dimension == "WEEKDAY":
        return str(at.isoweekday())
    if dimension == "CATEGORY":
        return categories.get(event.get("item", ""))
    value = event.get(FIELDS[dimension])
    return None if value is None else str(value)


def covers(asked: Asked, event: Event, categories: dict[str, str]) -> bool:
    wanted = {"item": asked.item, "user": asked.user, "visitor": asked.visitor}
    return (
        asked.start <= event["at"] < asked.end
        and all(value is None or event.get(name) == value for name, value in wanted.items())
        and all(
            value_of(event, dimension, asked, categories) in values
            for dimension, values in asked.where
        )
    )


def percent(count: int, of: int) -> float | None:
    return float(Fraction(100 * count, of)) if of else None


def each(amount: Decimal, count: int) -> str | None:
    """Rounded to six decimals, half to even, with at least two of them."""
    if not count:
        return None
    whole = f"{round(Fraction(amount) / count * 10**6):07}"
    text = f"{whole[:-6]}.{whole[-6:]}"
    while text[-1] == "0" and len(text.partition(".")[2]) > 2:
        text = text[:-1]
    return text


def worth(events: Iterable[Event]) -> dict[str, list[Decimal]]:
    """The values of conversions by currency."""
    amounts: dict[str, list[Decimal]] = {}
    for event in events:
        if event["type"] == "CONVERSION" and "value" in event:
            amounts.setdefault(event["currency"], []).append(event["value"].to_decimal())
    return amounts


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(prec=100):
        return sum(amounts, Decimal(0))


def currency_of(events: Iterable[Event]) -> str:
    found = list(worth(events))
    return found[0] if len(found) == 1 else SITE_CURRENCY


def mean(numbers: list[int]) -> float | None:
    return float(Fraction(sum(numbers), len(numbers))) if numbers else None


def metrics(events: list[Event], currency: str) -> dict[str, Any]:
    """Every field of Metrics."""

    def number(kind: str) -> int:
        return sum(event["type"] == kind for event in events)

    def distinct(name: str, among: list[Event] = events) -> set[str]:
        return {event[name] for event in among if name in event}

    def carried(name: str) -> list[int]:
        return [event[name] for event in events if name in event]

    sessions: dict[str, list[str]] = {}
    for event in events:
        sessions.setdefault(event["session"], []).append(event["type"])
    bounced = sum(
        kinds.count("PAGE_VIEW") == 1 and not INTERACTIONS & set(kinds)
        for kinds in sessions.values()
    )
    converted = distinct("visitor", [event for event in events if event["type"] == "CONVERSION"])
    visitors = distinct("visitor")
    amounts = worth(events)
    revenue = exact_sum(amounts.get(currency, []))
    impressions, views, clicks = number("IMPRESSION"), number("VIEW"), number("CLICK")
    return {
        "events": len(events),
        "impressions": impressions,
        "views": views,
        "clicks": clicks,
        "conversions": number("CONVERSION"),
        "bounces": number("BOUNCE"),
        "pageViews": number("PAGE_VIEW"),
        "uniqueVisitors": len(visitors),
        "uniqueUsers": len(distinct("user")),
        "uniqueSessions": len(sessions),
        "clickThroughRate": percent(clicks, impressions),
        "viewRate": percent(views, impressions),
        "conversionRate": percent(number("CONVERSION"), clicks),
        "visitorConversionRate": percent(len(converted), len(visitors)),
        "bounceRate": percent(bounced, len(sessions)),
        "currency": currency,
        "revenue": format(revenue, "f"),
        "revenueByCurrency": [
            {"currency": code, "amount": format(exact_sum(values), "f")}
            for code, values in sorted(amounts.items())
        ],
        "revenuePerClick": each(revenue, clicks),
        "revenuePerImpression": each(revenue, impressions),
        "averageConversionValue": each(revenue, len(amounts.get(currency, []))),
        "averageEngagement": mean(carried("engagement")),
        "averageScrollDepth": mean(carried("scroll_depth")),
    }


def in_words(instant: datetime | None) -> str | None:
    return instant and instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def report(events: list[Event], asked: Asked, categories: dict[str, str]) -> dict[str, Any]:
    """The answer to a report, all of it but when it was made."""
    covered = [event for event in events if covers(asked, event, categories)]
    currency = currency_of(covered)
    rows: dict[tuple[Any, ...], list[Event]] = {}
    if asked.granularity and not asked.by:
        rows = {(start,): [] for start in buckets(asked)}
    for event in covered:
        start = None
        if asked.granularity:
            step = start_of_step(event["at"], asked.granularity)
            start = bucket_start(step, asked.granularity, asked.zone)
        values = (value_of(event, dimension, asked, categories) for dimension in asked.by)
        rows.setdefault((start, *values), []).append(event)
    while asked.now and not asked.by and rows:
        [start] = last = list(rows)[-1]
        if start is None or start <= asked.now or rows[last]:
            break
        del rows[last]

    def order(key: tuple[Any, ...]) -> tuple[Any, ...]:
        values = [(value is not None, value or "") for value in key[1:]]
        return key[0] or asked.start, -len(rows[key]) if asked.by else 0, values

    return {
        "totals": metrics(covered, currency),
        "rows": [
            {
                "dimensions": [
                    {"dimension": dimension, "value": value}
                    for dimension, value in zip(asked.by, key[1:], strict=True)
                ],
                "start": in_words(key[0]),
                "metrics": metrics(rows[key], currency),
            }
            for key in sorted(rows, key=order)[: asked.limit]
        ],
        "rows in all": len(rows),
    }


def within(events: list[Event], asked: Asked) -> list[Event]:
    return [event for event in events if covers(asked, event, {})]


def user(events: list[Event], asked: Asked) -> dict[str, Any]:
    """The answer to userAnalytics of the user asked for."""
    found = within(events, asked)
    impressions = [event for event in found if event["type"] == "IMPRESSION"]
    clicks = [event for event in found if event["type"] == "CLICK"]
    viewed = [event for event in found if event["type"] in ("IMPRESSION", "VIEW")]
    return {
        "impressions": len(impressions),
        "clicks": len(clicks),
        "viewedItems": len({event["item"] for event in viewed if "item" in event}),
        "clickedItems": len({event["item"] for event in clicks if "item" in event}),
        "clickThroughRate": percent(len(clicks), len(impressions)),
    }


def popular(events: list[Event], asked: Asked, by: str) -> list[dict[str, Any]]:
    """All popular items, best first."""
    found = [event for event in within(events, asked) if "item" in event]
    currency = currency_of(found)
    rows = []
    for item in {event["item"] for event in found}:
        of_item = metrics([event for event in found if event["item"] == item], currency)
        rows.append((-Decimal(of_item[by]), item, of_item))
    names = ("impressions", "clicks", "uniqueUsers", "uniqueSessions")
    return [
        {"itemId": item, **{name: of_item[name] for name in names}}
        for rank, item, of_item in sorted(rows, key=lambda row: row[:2])
        if rank
    ]


def overview(events: list[Event], asked: Asked, categories: dict[str, str]) -> dict[str, Any]:
    """A range and the one of equal length before it."""
    before = replace(asked, start=asked.start - (asked.end - asked.start), end=asked.start)
    covered = {
        name: [event for event in events if covers(period, event, categories)]
        for name, period in (("current", asked), ("previous", before))
    }
    currency = currency_of([*covered["current"], *covered["previous"]])
    return {name: metrics(found, currency) for name, found in covered.items()}
