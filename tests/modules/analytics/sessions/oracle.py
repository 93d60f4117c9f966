"""What sessions and their numbers should be, worked out as simply as it can be said.

Nothing of app/ is used. Events are as they are stored; sessions are plain dictionaries.
"""

from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

Event = dict[str, Any]
Session = dict[str, Any]

UTM = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"]


def host(page: str | None) -> str | None:
    found = urlsplit(page or "").hostname
    return found.removeprefix("www.") if found else None


def source(event: Event, own: set[str | None]) -> dict[str, str]:
    """Where an event says that it came from."""
    found = {name: event[name] for name in UTM if name in event}
    if "referrer" in event and event["referrer"] not in own | {host(event.get("page"))}:
        found["referrer"] = event["referrer"]
    return found


def sources(events: list[Event]) -> list[dict[str, str]]:
    """The source that each event of a session names, in their order."""
    return [
        source(event, {host(before.get("page")) for before in events[:place]})
        for place, event in enumerate(events)
    ]


def split(events: list[Event], by_source: bool) -> list[list[Event]]:
    """The events of one session id as sessions."""
    found: list[list[Event]] = []
    for event in sorted(events, key=lambda event: (event["at"], event["_id"])):
        if not found or event["at"] - found[-1][-1]["at"] > timedelta(minutes=30):
            found.append([])
        elif by_source and event["at"] != found[-1][0]["at"]:
            *before, this = sources([*found[-1], event])
            known = next((one for one in before if one), {})
            if any(known.get(name) != value for name, value in this.items()):
                found.append([])
        found[-1].append(event)
    return found


def first(events: list[Event], name: str) -> Any:
    return next((event[name] for event in events if name in event), None)


def session(events: list[Event]) -> Session:
    kinds = [event["type"] for event in events]
    acted = {"CLICK", "CONVERSION", "CUSTOM"} & set(kinds)
    came_from = next((one for one in sources(events) if one), {})
    return {
        "sessionId": events[0]["session"],
        "visitorId": events[0]["visitor"],
        "userId": first(events, "user"),
        "start": events[0]["at"],
        "lastActivity": events[-1]["at"],
        "ms": (events[-1]["at"] - events[0]["at"]) // timedelta(milliseconds=1),
        "events": len(events),
        "pageViews": kinds.count("PAGE_VIEW"),
        "conversions": kinds.count("CONVERSION"),
        "itemsSeen": len(
            {e["item"] for e in events if e["type"] in ("IMPRESSION", "VIEW") and "item" in e}
        ),
        "itemsClicked": len({e["item"] for e in events if e["type"] == "CLICK" and "item" in e}),
        "bounced": kinds.count("PAGE_VIEW") == 1 and not acted,
        "entryPage": first(events, "page"),
        "exitPage": first(events[::-1], "page"),
        "referrer": came_from.get("referrer"),
        "utmSource": came_from.get("utm_source"),
        "utmMedium": came_from.get("utm_medium"),
        "utmCampaign": came_from.get("utm_campaign"),
        "device": first(events, "device"),
        "weight": max(event.get("weight", 1) for event in events),
    }


def sessions(events: list[Event], by_source: bool = False) -> list[Session]:
    """All sessions of these events, withdrawn ones left out."""
    of_ids: dict[str, list[Event]] = {}
    for event in events:
        if "void" not in event:
            of_ids.setdefault(event["session"], []).append(event)
    return [session(part) for theirs in of_ids.values() for part in split(theirs, by_source)]


def change(value: Any, previous: Any) -> float | None:
    if value is None or not previous:
        return None
    return float(100 * (Fraction(value) - Fraction(previous)) / Fraction(previous))


def compared(value: Any, previous: Any) -> dict[str, Any]:
    return {"value": value, "previous": previous, "changePercent": change(value, previous)}


def rate(part: int, whole: int, by: int = 100) -> float | None:
    return float(Fraction(by * part, whole)) if whole else None


def numbers(found: list[Session]) -> dict[str, Any]:
    """Everything that is counted of the sessions of one period but their visitors."""
    total = sum(one["weight"] for one in found)
    durations = sorted(one["ms"] for one in found for _ in range(one["weight"]))
    middle = durations[(total - 1) // 2 : total // 2 + 1] if total else []
    bounced = sum(one["weight"] for one in found if one["bounced"])
    converted = sum(one["weight"] for one in found if one["conversions"])
    page_views = sum(one["weight"] * one["pageViews"] for one in found)
    return {
        "sessions": total,
        "events": sum(one["weight"] * one["events"] for one in found),
        "pageViews": page_views,
        "conversions": sum(one["weight"] * one["conversions"] for one in found),
        "averageDuration": rate(sum(durations), 1000 * total, 1),
        "medianDuration": rate(sum(middle), 1000 * len(middle), 1),
        "pagesPerSession": rate(page_views, total, 1),
        "bouncedSessions": bounced,
        "bounceRate": rate(bounced, total),
        "convertedSessions": converted,
        "conversionRate": rate(converted, total),
    }


def visitors(every: list[Session], counted: list[Session]) -> dict[str, int]:
    """Visitors of the counted sessions, with their heaviest weight."""
    found = Counter[str]()
    for visitor in {one["visitorId"] for one in counted}:
        theirs = [one for one in counted if one["visitorId"] == visitor]
        weight = max(one["weight"] for one in theirs)
        since = min(one["start"] for one in theirs)
        known = any(one["visitorId"] == visitor and one["start"] < since for one in every)
        found.update({"visitors": weight, "returningVisitors" if known else "newVisitors": weight})
    return {name: found[name] for name in ("visitors", "newVisitors", "returningVisitors")}


ROW = ("sessions", "bounceRate", "conversionRate")


def rows(
    current: list[Session], previous: list[Session], names: dict[str, str], limit: int
) -> list[dict[str, Any]]:
    """The rows of a breakdown; `names` are the fields of a session by the fields of a row."""

    def key(one: Session) -> tuple[Any, ...]:
        return tuple(one[name] for name in names.values())

    found = []
    for value in {key(one) for one in current}:
        now = numbers([one for one in current if key(one) == value])
        before = numbers([one for one in previous if key(one) == value])
        row = {name: compared(now[name], before[name]) for name in ROW}
        order = [(each is not None, each or "") for each in value]
        found.append((-now["sessions"], order, {**dict(zip(names, value, strict=True)), **row}))
    return [row for *_, row in sorted(found, key=lambda each: each[:2])][:limit]


def metrics(
    every: list[Session],
    start: datetime,
    end: datetime,
    wanted: dict[str, str] | None = None,
    limit: int = 10,
) -> dict[str, Any]:
    """The answer to sessionMetrics, all of it but when it was made."""

    def counted(since: datetime, until: datetime) -> list[Session]:
        return [
            one
            for one in every
            if since <= one["start"] < until
            and all(one[name] == value for name, value in (wanted or {}).items())
        ]

    current, previous = counted(start, end), counted(start - (end - start), start)
    now = {**numbers(current), **visitors(every, current)}
    before = {**numbers(previous), **visitors(every, previous)}
    source = dict.fromkeys(("referrer", "utmSource", "utmMedium", "utmCampaign"))
    return {
        **{name: compared(now[name], before[name]) for name in now},
        "entryPages": rows(current, previous, {"page": "entryPage"}, limit),
        "exitPages": rows(current, previous, {"page": "exitPage"}, limit),
        "sources": rows(current, previous, {name: name for name in source}, limit),
        "exact": all(one["weight"] == 1 for one in [*current, *previous]),
    }
