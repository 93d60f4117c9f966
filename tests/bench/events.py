"""Impressions as a shop's backend sends them: made up, with the shapes and sizes of real ones."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from random import Random
from typing import Any

from tests.bench.user_agents import USER_AGENTS

ITEMS = 10_000
SESSIONS_AT_A_TIME = 500
ITEMS_A_PAGE = 10
PAGES_A_SESSION = 4  # on average

_WORDS = ("lamp", "watch", "chair", "poster", "vase", "ring", "map", "camera", "clock", "print")
_SEARCH_ENGINES = ("https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/")
_CAMPAIGN = "utm_source=newsletter&utm_medium=email&utm_campaign="


@dataclass(slots=True)
class _Visit:
    """Somebody who looks at one page of items after the other."""

    session: str
    visitor: str
    user_agent: str
    page: str
    seen: set[int] = field(default_factory=set)


def impressions(seed: str) -> Iterator[dict[str, Any]]:
    """Inputs of impressions without end: the same for the same seed, but for their timestamps.

    Many visits at a time, in pages of ten items. No visit sees an item twice, so that each counts.
    """
    choose = Random(seed)
    visits = [_new_visit(choose) for _ in range(SESSIONS_AT_A_TIME)]
    while True:
        place = choose.randrange(len(visits))
        yield from _page_of_items(visits[place], choose)
        if choose.randrange(PAGES_A_SESSION) == 0:
            visits[place] = _new_visit(choose)


def some_impressions(seed: str, count: int) -> list[dict[str, Any]]:
    return list(islice(impressions(seed), count))


def _new_visit(choose: Random) -> _Visit:
    return _Visit(
        _uuid(choose), _uuid(choose), choose.choice(USER_AGENTS), choose.choice(_SEARCH_ENGINES)
    )


def _page_of_items(visit: _Visit, choose: Random) -> Iterator[dict[str, Any]]:
    """Ten items on a page that the visit has come to from the page before."""
    source, address = _page(choose)
    referrer, visit.page = visit.page, address
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for position in range(1, ITEMS_A_PAGE + 1):
        yield {
            "id": _uuid(choose),
            "itemId": f"lot-{_unseen_item(visit, choose)}",
            "sessionId": visit.session,
            "visitorId": visit.visitor,
            "timestamp": now,
            "source": source,
            "position": position,
            "pageUrl": address,
            "referrer": referrer,
            "userAgent": visit.user_agent,
        }


def _page(choose: Random) -> tuple[str, str]:
    """Where the items are shown: the name of the place, and its address."""
    word, page = choose.choice(_WORDS), choose.randint(1, 20)
    kind = choose.random()
    if kind < 0.5:
        return "search", f"https://shop.example/search?q={word}&page={page}"
    if kind < 0.8:
        return "category", f"https://shop.example/category/{word}s?page={page}"
    if kind < 0.9:
        return "homepage", "https://shop.example/"
    return "newsletter", f"https://shop.example/offers/{word}?{_CAMPAIGN}week-{page}"


def _unseen_item(visit: _Visit, choose: Random) -> int:
    """Some items are far more popular than others."""
    while True:
        item = int(ITEMS * choose.random() ** 2)
        if item not in visit.seen:
            visit.seen.add(item)
            return item


def _uuid(choose: Random) -> str:
    return str(uuid.UUID(int=choose.getrandbits(128), version=4))
