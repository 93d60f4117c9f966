"""How the tests of sessions store, mark, roll up and ask."""

from datetime import datetime
from typing import Any

from app.core.quarters import QUARTER, quarter_of
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories.marks import QUARTERS, MarkRepository
from tests.modules.analytics.asking import store

_COUNTS = "sessions events pageViews conversions bouncedSessions convertedSessions visitors newVisitors returningVisitors"
_NUMBERS = "averageDuration medianDuration pagesPerSession bounceRate conversionRate"
_COMPARED = "{ value previous changePercent }"
_ROW = f"sessions {_COMPARED} bounceRate {_COMPARED} conversionRate {_COMPARED}"

METRICS = f"""query ($range: RangeInput, $timezone: String, $filter: SessionFilter, $limit: Int) {{
  sessionMetrics(range: $range, timezone: $timezone, filter: $filter, limit: $limit) {{
    {" ".join(f"{name} {_COMPARED}" for name in f"{_COUNTS} {_NUMBERS}".split())}
    entryPages {{ page {_ROW} }} exitPages {{ page {_ROW} }}
    sources {{ referrer utmSource utmMedium utmCampaign {_ROW} }} exact }} }}"""

SESSIONS = """query ($range: RangeInput, $visitorId: ID, $userId: ID, $limit: Int, $after: String) {
  sessions(range: $range, visitorId: $visitorId, userId: $userId, limit: $limit, after: $after) {
    data { id sessionId visitorId userId start lastActivity duration events pageViews conversions
      itemsSeen itemsClicked bounced entryPage exitPage referrer utmSource utmMedium utmCampaign
      device }
    nextCursor } }"""

EVER = {"start": "2000-01-01", "end": "2100-01-01"}


async def mark(*instants: datetime, site: str = "demo") -> None:
    """Say that something has changed at these times, as whoever changes it does."""
    await MarkRepository().mark(site, {quarter_of(at) for at in instants})


async def arrive(*events: dict[str, Any], site: str = "demo") -> None:
    """Store events as accepted ones, with the marks that go before them."""
    await mark(*(event["at"] for event in events), site=site)
    await store(*events, site=site)


async def roll_up(api: Any, *quarters: datetime, site: str = "demo") -> None:
    """What the worker does for these quarters of an hour: refresh, then clear their marks."""
    marks = MarkRepository()
    rollup = api.services.registry[SessionRollup]
    for start in quarters:
        seen = await marks.of_range(site, QUARTERS, start, start + QUARTER)
        await rollup.refresh(site, start, start + QUARTER)
        await marks.clear(site, seen)


async def roll_up_all(api: Any, site: str = "demo") -> None:
    """The same for everything that is marked."""
    every = await MarkRepository().dirty(site, datetime_of("2000-01-01"), datetime_of("2100-01-01"))
    await roll_up(api, *every, site=site)


def datetime_of(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T00:00:00+00:00")


async def stored(api: Any, site: str = "demo") -> list[dict[str, Any]]:
    """The stored sessions, by start."""
    found = api.database["sessions"].find({"site": site}).sort([("start", 1), ("_id", 1)])
    documents: list[dict[str, Any]] = await found.to_list(None)
    return documents


async def metrics(api: Any, **arguments: Any) -> Any:
    """The numbers of a range."""
    return (await api.ask(METRICS, arguments))["sessionMetrics"]


async def page(api: Any, **arguments: Any) -> Any:
    """A page of sessions, of all times unless a range is given."""
    return (await api.ask(SESSIONS, {"range": EVER, **arguments}))["sessions"]
