"""The stored documents of made-up events, as tracking would have written them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from bson import Decimal128

from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import Columns

Document = dict[str, Any]

_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


def documents(columns: Columns, start: int, end: int) -> Iterator[Document]:
    """The documents of the events from number start to before end."""
    events = slice(start, end)
    session = columns.session[events]
    rows = zip(
        range(start, end),
        *(column[events].tolist() for column in _of_events(columns)),
        *(column[session].tolist() for column in _of_sessions(columns)),
        strict=True,
    )
    for row in rows:
        yield _document(*row)


def _of_events(columns: Columns) -> tuple[Any, ...]:
    return (
        *(columns.at, columns.session, columns.type, columns.name, columns.item, columns.page),
        *(columns.source, columns.position, columns.engagement, columns.scroll),
        *(columns.conversion, columns.cents, columns.currency),
    )


def _of_sessions(columns: Columns) -> tuple[Any, ...]:
    return (
        *(columns.visitor, columns.agent, columns.locale),
        *(columns.referrer, columns.campaign, columns.variant),
    )


def _document(
    number: int,
    at: int,
    session: int,
    kind: int,
    name: int,
    item: int,
    page: int,
    source: int,
    position: int,
    engagement: int,
    scroll: int,
    conversion: int,
    cents: int,
    currency: int,
    visitor: int,
    agent: int,
    locale: int,
    referrer: int,
    campaign: int,
    variant: int,
) -> Document:
    """One event, its fields in the order in which tracking writes them; those it does not have are absent."""
    event_type = words.TYPES[kind]
    happened = _EPOCH + at * _MILLISECOND
    user = words.user_id(visitor)
    document: Document = {
        "_id": f"{words.SITE}:{event_id(number, at)}",
        "site": words.SITE,
        "type": event_type,
    }
    if name:
        document["name"] = words.NAMES[name]
    if item >= 0:
        document["item"] = words.item_id(item)
    document["session"] = f"session-{session:08}"
    document["visitor"] = f"visitor-{visitor:07}"
    if user:
        document["user"] = user
    document["at"] = happened
    document["received_at"] = happened + (40 + number % 900) * _MILLISECOND
    if source:
        document["source"] = words.SOURCES[source]
    if position:
        document["position"] = position
    document["page"] = words.page_of(page)
    if event_type == "PAGE_VIEW":
        document["page_title"] = f"Page {page}"
    document |= _visit(agent, locale, referrer, campaign)
    if engagement >= 0:
        document["engagement"] = engagement
    if scroll >= 0:
        document["scroll_depth"] = scroll
    if event_type == "CLICK":
        document["click_position"] = {"x": float(number % 320), "y": float(number % 240)}
    if event_type == "VIEW":
        document["viewport_position"] = {"top": float(number % 900), "left": 16.0}
    if event_type == "CONVERSION":
        document |= _conversion(number, conversion, cents, currency)
    if variant:
        document["experiment"] = words.EXPERIMENT
        document["variant"] = words.VARIANTS[variant]
    document["consent"] = True
    if event_type == "CUSTOM":
        document["properties"] = {"step": number % 5, "label": "made up"}
    return document


def event_id(number: int, at: int) -> str:
    """Of the form that tracking gives to events without an id: it begins with the time."""
    time, count = f"{at:012x}", f"{number:015x}"
    return f"{time[:8]}-{time[8:]}-7{count[:3]}-8{count[3:6]}-000{count[6:]}"


@cache
def _visit(agent: int, locale: int, referrer: int, campaign: int) -> Document:
    """What all events of a session share; there are few different ones."""
    _, device, browser, system = words.AGENTS[agent]
    language, timezone, screen, viewport = words.LOCALES[locale]
    fields = {
        "referrer": words.REFERRERS[referrer],
        "device": device,
        "browser": browser,
        "os": system,
        "language": language,
        "timezone": timezone,
        "screen": screen,
        "viewport": viewport,
        **(words.campaign_fields(campaign) if campaign else {}),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _conversion(number: int, conversion: int, cents: int, currency: int) -> Document:
    kind = words.CONVERSION_TYPES[conversion]
    fields: Document = {"conversion_type": kind}
    if cents >= 0:
        fields["value"] = Decimal128(Decimal(cents).scaleb(-2))
        fields["currency"] = words.CURRENCIES[currency]
    if kind == "purchase":
        fields["order"] = f"order-{number}"
    return fields
