"""How the tests of reports store events and ask for numbers."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from bson import Decimal128

from app.core.quarters import quarter_of
from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from tests.conftest import NOW

METRICS = """events impressions views clicks conversions bounces pageViews
  uniqueVisitors uniqueUsers uniqueSessions clickThroughRate viewRate conversionRate
  visitorConversionRate bounceRate currency revenue revenueByCurrency { currency amount }
  revenuePerClick revenuePerImpression averageConversionValue
  averageEngagement averageScrollDepth"""

REPORT = f"""query ($by: [Dimension!], $range: RangeInput, $granularity: Granularity,
  $timezone: String, $filter: ReportFilter, $limit: Int) {{
  report(by: $by, range: $range, granularity: $granularity, timezone: $timezone, filter: $filter,
         limit: $limit) {{
    totals {{ {METRICS} }}
    rows {{ dimensions {{ dimension value }} start metrics {{ {METRICS} }} }}
    meta {{ asOf exact rows }} }} }}"""

SERIES = """query ($range: RangeInput, $granularity: Granularity, $timezone: String,
  $filter: ReportFilter) {
  timeSeries(range: $range, granularity: $granularity, timezone: $timezone, filter: $filter) {
    start metrics { events uniqueVisitors } } }"""

_ids = count()


def utc(text: str) -> datetime:
    """An instant without its Z."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def event(event_type: str = "IMPRESSION", **fields: Any) -> dict[str, Any]:
    """An event as it is stored, at NOW unless it says otherwise. `value` may be a text."""
    document = {
        "_id": f"{fields.get('site', 'demo')}:e{next(_ids)}",
        "site": "demo",
        "type": event_type,
        "session": "s",
        "visitor": "v",
        "at": NOW,
        "received_at": NOW,
        **fields,
    }
    if "value" in document:
        document["value"] = Decimal128(Decimal(document["value"]))
        document.setdefault("currency", "EUR")
    return document


async def store(*events: dict[str, Any], site: str = "demo") -> None:
    """Put events into the database as they are: as if they had been accepted."""
    await MarkRepository().mark(site, {quarter_of(event["at"]) for event in events})
    assert not await EventRepository().insert(site, events)


async def report(api: Any, **arguments: Any) -> Any:
    """The report of these arguments."""
    return (await api.ask(REPORT, arguments))["report"]


async def series(api: Any, **arguments: Any) -> list[tuple[str, int]]:
    """Start and events of every bucket."""
    answer = await api.ask(SERIES, arguments)
    return [(bucket["start"], bucket["metrics"]["events"]) for bucket in answer["timeSeries"]]


def values(answer: Any) -> list[tuple[str | None, ...]]:
    """The dimensions' values of a report's rows."""
    return [tuple(each["value"] for each in row["dimensions"]) for row in answer["rows"]]
