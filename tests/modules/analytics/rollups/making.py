"""How the tests of rollups make columns, say what is in them, and roll up."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from bson import Decimal128
from hypothesis import strategies as st

from app.core.quarters import quarter_of
from app.modules.analytics.rollups.columns import (
    FIELD_NAMES,
    ID_FIELDS,
    TYPES,
    Columns,
    columns_of,
    hash_of,
)
from app.modules.analytics.service import AnalyticsService
from app.modules.tracking.ledger import LedgerService
from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from tests.modules.analytics.asking import METRICS

Event = dict[str, Any]

ODD = ["", "a", "a|b", "$a", "a.b", "~", "é", "e\u0301", "\U0001f6d2", "0", "None", "x" * 256]
AMOUNTS = [
    "0",
    "0.10",
    "1E+3",
    "9999999999999999999999999999999999",
    "0.0000000000000000000000000000000001",
    "99999999999999999.99999999999999999",
]
READ = ("type", *ID_FIELDS, *FIELD_NAMES, "engagement", "scroll_depth", "weight", "value", "currency")  # fmt: skip


@st.composite
def stored_events(draw: st.DrawFn, around: datetime = datetime(2026, 6, 1, tzinfo=UTC)) -> Event:
    """An event as it is stored, with any of what reports read."""
    event: Event = {
        "type": draw(st.sampled_from(TYPES)),
        "at": around + timedelta(milliseconds=draw(st.integers(0, 14 * 60_000))),
        "session": draw(st.sampled_from("rst")),
        "visitor": draw(st.sampled_from("vwx")),
    }
    for name in draw(st.sets(st.sampled_from(FIELD_NAMES), max_size=6)):
        event[name] = draw(
            st.integers(0, 300)
            if name == "position"
            else st.sampled_from(ODD) | st.text(max_size=5)
        )
    maybe = {
        "user": st.sampled_from("uv"),
        "engagement": st.integers(0, 1_800_000),
        "scroll_depth": st.integers(0, 100),
        "weight": st.integers(2, 1_000),
    }
    for name, values in maybe.items():
        if draw(st.integers(0, 2)) == 0:
            event[name] = draw(values)
    if draw(st.booleans()):
        event["value"] = Decimal128(draw(st.sampled_from(AMOUNTS)))
        if draw(st.booleans()):
            event["currency"] = draw(st.sampled_from(["EUR", "CHF"]))
    return event


def group(events: Sequence[Event]) -> dict[str, Any]:
    """What `column_stages` make of events, said in Python."""
    found: dict[str, Any] = {name: [event.get(name) for event in events] for name in READ}
    found["at"] = [milliseconds(event["at"]) for event in events]
    return found


def columns(events: Sequence[Event]) -> Columns:
    return columns_of(group(events))


def milliseconds(instant: datetime) -> int:
    return round((instant - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def said(found: Columns) -> list[dict[str, Any]]:
    """What columns say of each of their events."""
    amounts = {
        int(row): (currency, value.as_tuple())
        for row, currency, value in zip(
            found.amounts.rows, found.amounts.currencies, found.amounts.values, strict=True
        )
    }

    def number(name: str, row: int, default: int) -> int:
        numbers = getattr(found, name)
        return default if numbers is None else int(numbers[row])

    return [
        {
            "at": int(found.at[row]),
            "type": TYPES[found.type[row]],
            **{name: int(found.ids[name][row]) for name in ID_FIELDS},
            **{
                name: coded.values[coded.codes[row]]
                for name, coded in found.dimensions.items()
                if coded.values[coded.codes[row]] is not None
            },
            "engagement": number("engagement", row, -1),
            "scroll_depth": number("scroll_depth", row, -1),
            "weight": number("weight", row, 1),
            "amount": amounts.get(row),
        }
        for row in range(len(found))
    ]


def expected(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The same of the events themselves."""
    return [
        {
            "at": milliseconds(event["at"]),
            "type": event["type"],
            **{name: hash_of(event[name]) if name in event else 0 for name in ID_FIELDS},
            **{name: str(event[name]) for name in FIELD_NAMES if name in event},
            "engagement": event.get("engagement", -1),
            "scroll_depth": event.get("scroll_depth", -1),
            "weight": event.get("weight", 1),
            "amount": (event.get("currency"), event["value"].to_decimal().as_tuple())
            if event["type"] == "CONVERSION" and "value" in event
            else None,
        }
        for event in events
    ]


def random_ids(seed: int, number: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """So many different ids, none of them 0, as hashes would be; the same for the same seed."""
    generator = np.random.default_rng(seed)
    ids = np.unique(generator.integers(1, 2**64 - 1, number + 100, np.uint64))
    kept: np.ndarray[Any, np.dtype[np.uint64]] = generator.permutation(ids)[:number]
    assert len(kept) == number
    return kept


def busy(days: Sequence[datetime], number: int, seed: int = 1) -> list[Event]:
    """Events of every type over these days, with values of every dimension and of every number."""
    chance = random.Random(seed)
    events = []
    for place in range(number):
        event: Event = {
            "_id": f"demo:{seed}-{place}",
            "site": "demo",
            "type": TYPES[place % len(TYPES)],
            "at": days[place % len(days)] + timedelta(milliseconds=chance.randrange(86_400_000)),
            "received_at": days[-1],
            "session": f"s{chance.randrange(12)}",
            "visitor": f"v{chance.randrange(9)}",
        }
        for name in FIELD_NAMES:
            if chance.random() < 0.7:
                event[name] = chance.randrange(3) if name == "position" else f"{name}{chance.randrange(3)}"  # fmt: skip
        if chance.random() < 0.5:
            event["user"] = f"u{chance.randrange(5)}"
            event["engagement"] = chance.randrange(60_000)
            event["scroll_depth"] = chance.randrange(101)
        if event["type"] == "CONVERSION":
            event["value"] = Decimal128(Decimal(chance.randrange(10_000)) / 100)
            event["currency"] = "EUR"
        events.append(event)
    return events


async def roll_up(api: Any) -> int:
    """Roll up whatever is marked, and let what is written next mark again."""
    done: int = await api.services.rollups.roll_up(0, 0, 0)
    # In life a mark that is relied on is never old enough to be rolled up.
    api.services.registry[LedgerService]._touching.forget()
    return done


async def rebuild(api: Any) -> None:
    """Compute everything of the site anew, as the command does."""
    worker = api.services.rollups
    await worker.hold(timedelta(0))
    extent = await worker.extent("demo")
    assert extent is not None
    await worker.rebuild("demo", *extent, lambda *_: None)
    await worker.release()


async def insert(events: Sequence[Event], site: str = "demo") -> None:
    """Store events, with the marks that they have."""
    await MarkRepository().mark(site, {quarter_of(event["at"]) for event in events})
    assert not await EventRepository().insert(site, events)


async def from_events(api: Any, query: str, variables: Mapping[str, Any]) -> Any:
    """Ask as if nothing had been rolled up."""
    runner = api.services.registry[AnalyticsService]._runner
    stock, runner._stock = runner._stock, None
    try:
        return await api.ask(query, dict(variables))
    finally:
        runner._stock = stock


EVERYTHING = f"""query ($all: RangeInput, $part: RangeInput) {{
  totals: report(range: $all) {{ totals {{ {METRICS} }} }}
  part: report(range: $part, by: [SOURCE]) {{ totals {{ {METRICS} }}
    rows {{ dimensions {{ value }} metrics {{ {METRICS} }} }} }}
  items: report(range: $all, by: [ITEM]) {{ rows {{ dimensions {{ value }} metrics {{ {METRICS} }} }} }}
  two: report(range: $all, by: [DEVICE, WEEKDAY]) {{
    rows {{ dimensions {{ value }} metrics {{ {METRICS} }} }} }}
  hours: report(range: $all, by: [HOUR_OF_DAY], timezone: "Asia/Kathmandu") {{
    rows {{ dimensions {{ value }} metrics {{ {METRICS} }} }} }}
  days: timeSeries(range: $all, granularity: DAY, timezone: "Asia/Kathmandu") {{
    start metrics {{ {METRICS} }} }} }}"""


async def everything(api: Any, start: datetime, end: datetime, *, stored: bool = True) -> Any:
    """Reports that between them are answered from days, parts of days, quarters and columns.

    Without `stored` from the events alone.
    """
    middle = {
        "start": (start + timedelta(hours=5, minutes=7)).isoformat(),
        "end": (end - timedelta(hours=7, minutes=3)).isoformat(),
    }
    variables = {"all": {"start": start.isoformat(), "end": end.isoformat()}, "part": middle}
    if stored:
        return await api.ask(EVERYTHING, variables)
    return await from_events(api, EVERYTHING, variables)
