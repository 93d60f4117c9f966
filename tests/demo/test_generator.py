"""The demonstration data: reproducible, believable, and valid."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from app.demo.audience import BOTS, DEVICES, make_visitor
from app.demo.catalogue import AUCTION, BANNER, PRODUCT, catalogue, ends_at
from app.demo.generator import busyness, days_until, events_of_day
from app.demo.session import SOURCES
from app.demo.size import DemoSize
from app.modules.tracking.enrichment import read_agent
from app.modules.tracking.events import IncomingEvent
from app.modules.tracking.screening import is_bot
from app.modules.tracking.validation import validate
from app.schemas.event import EventType

MONDAY = date(2026, 6, 1)
SEED = "test"


@cache
def four_weeks() -> tuple[IncomingEvent, ...]:
    days = (MONDAY + timedelta(days=number) for number in range(28))
    return tuple(event for day in days for event in events_of_day(SEED, day, 1_000))


def test_the_same_seed_and_day_give_the_same_events() -> None:
    """All of each event, not only its id; another seed or day shares nothing."""
    events = events_of_day(SEED, MONDAY, 800)
    assert events == events_of_day(SEED, MONDAY, 800)
    ids = {event.id for event in events}
    assert not ids & {event.id for event in events_of_day("other", MONDAY, 800)}
    assert not ids & {event.id for event in events_of_day(SEED, MONDAY + timedelta(days=1), 800)}


def test_more_events_of_a_day_add_to_the_others() -> None:
    """A fill with more events leaves those of a fill with fewer as they are."""
    few = events_of_day(SEED, MONDAY, 300)
    many = {event.id: event for event in events_of_day(SEED, MONDAY, 1_200)}
    assert len(many) > 3 * len({event.id for event in few})
    assert all(many[event.id] == event for event in few if event.id)


def test_every_event_is_valid() -> None:
    """None is refused for what it says; bots are refused for who they are."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    for event in four_weeks():
        validate(event, now, timedelta(0), timedelta(days=90))
        assert event.timestamp is not None
        assert event.timestamp.microsecond % 1000 == 0


def test_events_come_in_the_order_of_their_times() -> None:
    """Within a day; what is sent again comes after what it repeats."""
    events = events_of_day(SEED, MONDAY, 1_000)
    times = [event.timestamp for event in events if event.timestamp]
    assert times == sorted(times)


def test_there_is_some_of_everything() -> None:
    """Types, sources, positions, campaigns, users, orders: what reports are asked for."""
    events = four_weeks()
    types = Counter(event.type for event in events)
    assert set(types) == set(EventType)
    assert types[EventType.IMPRESSION] > types[EventType.VIEW] > types[EventType.CLICK]
    assert types[EventType.CLICK] > types[EventType.CONVERSION] > 10
    assert {event.source for event in events} == {*SOURCES, "banner", None}
    assert {event.utm_source for event in events} >= {"google", "newsletter", None}
    assert {event.variant for event in events} == {"A", "B", None}
    conversions = [event for event in events if event.type is EventType.CONVERSION]
    orders = {event.id: event.order_id for event in conversions}
    assert len(set(orders.values())) == len(orders)
    assert all(event.conversion_value and event.conversion_currency for event in conversions)
    logged_in = sum(event.user_id is not None for event in events) / len(events)
    assert 0.1 < logged_in < 0.4


def test_bots_and_repeats_are_a_small_share() -> None:
    """Enough to be seen in the ledger, too few to spoil the picture."""
    events = four_weeks()
    bots = sum(is_bot(event.user_agent or "") for event in events) / len(events)
    assert 0.005 < bots < 0.05
    replays = 1 - len({event.id for event in events}) / len(events)
    assert 0.003 < replays < 0.01
    looks = Counter(
        (event.session_id, event.item_id, event.id)
        for event in events
        if event.type is EventType.IMPRESSION
    )
    pairs = Counter((session, item) for session, item, _ in looks)
    repeated = sum(count - 1 for count in pairs.values()) / len(looks)
    assert 0.02 < repeated < 0.15


def test_days_and_weeks_have_a_rhythm() -> None:
    """Evenings are busier than nights, Sundays than Tuesdays."""
    hours = Counter(event.timestamp.hour for event in four_weeks() if event.timestamp)
    assert sum(hours[hour] for hour in (18, 19, 20)) > 5 * sum(hours[hour] for hour in (2, 3, 4))
    weekdays = Counter(event.timestamp.weekday() for event in four_weeks() if event.timestamp)
    assert weekdays[6] > 1.15 * weekdays[1]
    average = sum(busyness(SEED, MONDAY + timedelta(days=n)) for n in range(364)) / 364
    assert average == pytest.approx(1, abs=0.02)
    assert len(four_weeks()) == pytest.approx(28_000, rel=0.05)


def test_a_few_items_are_popular_and_most_are_not() -> None:
    """A long tail; and clicks are a believable share of impressions."""
    events = four_weeks()
    shown = Counter(event.item_id for event in events if event.type is EventType.IMPRESSION)
    assert len(shown) == len(catalogue())
    top = sum(count for _, count in shown.most_common(20)) / shown.total()
    bottom = sum(count for _, count in shown.most_common()[-100:]) / shown.total()
    assert top > 0.3 > bottom
    clicks = sum(event.type is EventType.CLICK for event in events)
    assert 0.015 < clicks / shown.total() < 0.06


def test_devices_are_read_and_bots_recognised() -> None:
    """Every user agent is one that the tracking knows; none of a person's is taken for a bot's."""
    read = [read_agent(device.user_agent) for device in DEVICES]
    assert all(agent.device and agent.browser and agent.os for agent in read)
    assert {agent.device for agent in read} == {"desktop", "mobile", "tablet"}
    assert not any(is_bot(device.user_agent) for device in DEVICES)
    assert all(is_bot(user_agent) for user_agent in BOTS)


def test_the_catalogue_has_200_items_of_several_kinds() -> None:
    """With ids that documentation may rely on, titles that differ, and prices."""
    items = catalogue()
    assert len(items) == len({item.title for item in items}) == 200
    ids = {item.id for item in items}
    assert {"lot-001", "product-001", "banner-001"} <= ids
    kinds = Counter(item.kind for item in items)
    assert set(kinds) == {AUCTION, PRODUCT, BANNER}
    assert all((item.price is None) == (item.kind == BANNER) for item in items)
    now = datetime(2026, 6, 15, 12, tzinfo=UTC)
    ends = [end for item in items if (end := ends_at(item, now))]
    assert min(ends) < now < max(ends)


def test_the_first_visitor_has_an_account() -> None:
    """GraphiQL's examples ask for user-1."""
    assert make_visitor(SEED, 1).user_id == "user-1"
    assert "user-1" in {event.user_id for event in four_weeks()}


def test_days_are_those_that_the_range_touches() -> None:
    """Ninety days of 24 hours until noon touch ninety-one days."""
    days = list(days_until(datetime(2026, 6, 15, 12, tzinfo=UTC), 90))
    assert (days[0], days[-1], len(days)) == (date(2026, 3, 17), date(2026, 6, 15), 91)


def test_no_more_days_are_filled_than_are_kept() -> None:
    """With as many events a day; 0 keeps for ever."""
    size = DemoSize(days=90, events=9_000)
    assert size.within(30) == DemoSize(days=30, events=3_000)
    assert size.within(0) == size.within(90) == size
