"""The documents of the bench are those that tracking writes."""

from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.core.context import RequestInfo
from app.core.site_rules import PrivateData, TrackingLevel
from app.modules.tracking.events import IncomingEvent
from app.modules.tracking.preparation import Arrival, enriched_document
from app.modules.tracking.validation import validate
from app.schemas.event import EventType
from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import make_columns
from tests.bench.reports.documents import documents

EVENTS = 4_000

Document = dict[str, Any]


@pytest.fixture(scope="module")
def made() -> list[Document]:
    return list(documents(make_columns(EVENTS), 0, EVENTS))


def sent(document: Document) -> IncomingEvent:
    """The event that a browser would have sent for this document."""
    agents = {tuple(stored): agent for agent, *stored in words.AGENTS}
    agent = agents[document["device"], document["browser"], document["os"]]
    same = ("name", "source", "position", "page_title", "language", "timezone", "properties")
    same += ("click_position", "viewport_position", "scroll_depth", "conversion_type", "variant")
    same += ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
    referrer, value = document.get("referrer"), document.get("value")
    return IncomingEvent(
        type=EventType(document["type"]),
        item_id=document.get("item"),
        session_id=document["session"],
        visitor_id=document["visitor"],
        user_id=document.get("user"),
        timestamp=document["at"],
        page_url=f"{document['page']}?q=1#top",
        referrer=f"https://www.{referrer}/somewhere" if referrer else None,
        user_agent=agent,
        screen_resolution=document["screen"],
        viewport_size=document["viewport"],
        campaign_id=document.get("campaign"),
        engagement_duration=document.get("engagement"),
        conversion_value=None if value is None else value.to_decimal(),
        conversion_currency=document.get("currency"),
        order_id=document.get("order"),
        experiment_id=document.get("experiment"),
        consent_given=document["consent"],
        **{name: document.get(name) for name in same},
    )


def test_tracking_would_write_the_same(made: list[Document]) -> None:
    """Every document is, field by field and in order, what tracking makes of a valid event."""
    rules: Any = SimpleNamespace(
        currency=words.SITE_CURRENCY,
        sample_one_in=1,
        tracking_level=TrackingLevel.DETAILED,
        private_data=PrivateData.CLEAN,
        keep_city=False,
    )
    for document in made:
        event, received = sent(document), document["received_at"]
        validate(event, received, timedelta(0), timedelta(days=1))
        event_id = document["_id"].removeprefix(f"{words.SITE}:")
        arrival = Arrival(words.SITE, rules, "key", RequestInfo(), received, salt=b"")
        written = enriched_document(event, event_id, arrival)
        assert list(written.items()) == list(document.items())


def test_ids_are_unique(made: list[Document]) -> None:
    """No two events share an id, no two conversions an order; ids are UUIDs that sort by time."""
    ids = [document["_id"] for document in made]
    assert len(set(ids)) == EVENTS
    assert ids == sorted(ids)
    assert all(UUID(each.partition(":")[2]).version == 7 for each in ids)
    orders = Counter(document["order"] for document in made if "order" in document)
    assert orders
    assert max(orders.values()) == 1


def test_a_part_is_as_in_the_whole(made: list[Document]) -> None:
    """Batches together are all events, whatever process makes them."""
    columns = make_columns(EVENTS)
    parts = [*documents(columns, 0, 1_500), *documents(columns, 1_500, EVENTS)]
    assert parts == made
