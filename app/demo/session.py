"""One visit to the demonstration shop, of a person or a bot, from the first page to the last."""

from copy import copy
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any

from uuid_utils import NAMESPACE_URL, uuid5

from app.demo.audience import BOTS, CHANNELS, Channel, Visitor, make_visitor
from app.demo.catalogue import ADDRESS, AUCTION, BANNER, PRODUCT, DemoItem, catalogue
from app.demo.shelf import Shelf, shelf
from app.modules.tracking.events import IncomingEvent
from app.schemas.event import EventType

VISITORS = 9_000
# The lower, the more even; above 1 some visitors come more often than others.
LOYALTY = 1.6

LEAVES = 0.6  # the share of pages with items that are a session's last
BOT_SHARE = 0.03  # of sessions
SECOND_LOOK = 0.035  # impressions that are reported again within the cooldown
DOUBLE_CLICK = 0.06  # clicks, the same
SENT_AGAIN = 0.006  # events that arrive twice, with the same id
EXPERIMENT = "item-page"

# How busy an hour (UTC) is, compared with the average.
HOURS = (
    0.45, 0.25, 0.16, 0.12, 0.14, 0.28, 0.55, 0.85, 1.05, 1.15, 1.2, 1.3,
    1.35, 1.2, 1.15, 1.15, 1.25, 1.45, 1.75, 2.0, 1.95, 1.6, 1.1, 0.7,
)  # fmt: skip
# Where items are shown, and how likely a click is there.
SOURCES = {
    "homepage": 1.0,
    "search": 1.5,
    "category": 1.2,
    "recommendations": 0.8,
    "newsletter": 1.3,
}
CLICK_RATE = 0.055
BANNER_CLICK_RATE = 0.012
VIEW_RATE = 0.78  # of first positions; further down it is less

_CATEGORIES = sorted({item.category for item in catalogue() if item.kind != BANNER})
_CHANNEL_WEIGHTS = [channel.share for channel in CHANNELS]
_WORDS = ("vase", "chronograph", "oak", "lamp", "atlas", "brooch", "blanket", "desk", "pearls")


@lru_cache(maxsize=VISITORS)
def _visitor(seed: str, number: int) -> Visitor:
    return make_visitor(seed, number)


class Session:
    """One visit. `events()` plays it from the first page to the last."""

    def __init__(self, seed: str, day: date, number: int) -> None:
        self._name = f"{seed}/{day}/{number}"
        self._random = random = Random(self._name)
        hour = random.choices(range(24), HOURS)[0]
        begins = datetime.combine(day, time(hour), UTC)
        self._at = begins + timedelta(milliseconds=random.randrange(3_600_000))
        self._events: list[IncomingEvent] = []
        self._is_bot = random.random() < BOT_SHARE
        self._visitor = _visitor(seed, int(random.random() ** LOYALTY * VISITORS) + 1)
        self._channel = random.choices(CHANNELS, _CHANNEL_WEIGHTS)[0]
        self._session_id = f"session-{self._id(0)[:18]}"
        self._shared = self._what_all_events_say()
        self._page: dict[str, Any] = {}
        self._pages = 0

    def events(self) -> list[IncomingEvent]:
        if self._is_bot:
            self._crawl()
        else:
            self._visit()
        return self._events

    # What there is to do on the pages

    def _visit(self) -> None:
        random = self._random
        if random.random() < 0.22:
            item = shelf().pick(random)
            if random.random() < 0.4:
                self._leave_at_once(item)
                return
            self._look_at(item)
        while True:
            clicked = self._browse()
            if clicked is not None:
                self._look_at(clicked)
            if random.random() < LEAVES:
                return
            self._wait(4, 40)

    def _crawl(self) -> None:
        random = self._random
        for item in shelf().pick_several(random, random.randint(3, 9)):
            self._open(item.link, item.title)
            self._track(EventType.IMPRESSION, item, source="category")
            self._wait(0.3, 2)

    def _leave_at_once(self, item: DemoItem) -> None:
        self._open(item.link, item.title)
        self._wait(0.5, 4)
        self._track(EventType.BOUNCE, item)

    def _browse(self) -> DemoItem | None:
        """A page with items on it; the one that was clicked."""
        random = self._random
        source, address, title, chosen = self._choose_list()
        self._open(address, title)
        self._wait(0.2, 1.2)
        clicked = self._show_banner()
        shown = chosen.pick_several(random, random.randint(2, 6))
        for position, item in enumerate(shown, start=1):
            if self._show(item, source, position) and clicked is None:
                clicked = item
        return clicked

    def _choose_list(self) -> tuple[str, str, str, Shelf]:
        random = self._random
        if self._pages == 0 and self._channel.source == "newsletter":
            return "newsletter", f"{ADDRESS}/newsletter", "This week", shelf()
        kind = random.random()
        if kind < 0.36:
            return "homepage", f"{ADDRESS}/", "Auctions and fine things", shelf()
        category = random.choice(_CATEGORIES)
        path = category.lower().replace(" ", "-")
        if kind < 0.68:
            return "search", f"{ADDRESS}/search?q={random.choice(_WORDS)}", "Search", shelf()
        return "category", f"{ADDRESS}/categories/{path}", category, shelf(category)

    def _show_banner(self) -> DemoItem | None:
        random = self._random
        if random.random() > 0.55:
            return None
        banner = shelf(kind=BANNER).pick(random)
        self._track(EventType.IMPRESSION, banner, source="banner", position=1)
        if random.random() < 0.9:
            self._wait(1, 2)
            self._track(EventType.VIEW, banner, source="banner", position=1)
        if random.random() < BANNER_CLICK_RATE * banner.appeal:
            self._click(banner, "banner", 1)
            return banner
        return None

    def _show(self, item: DemoItem, source: str, position: int) -> bool:
        """Show an item in a list; whether it was clicked."""
        random = self._random
        place = {"source": source, "position": position}
        top = float(120 + 180 * (position - 1) % 700)
        self._wait(0.02, 0.4)
        self._track(
            EventType.IMPRESSION, item, viewport_position={"top": top, "left": 24.0}, **place
        )
        if random.random() < SECOND_LOOK:
            self._wait(1, 6)
            self._track(EventType.IMPRESSION, item, **place)
        if random.random() > VIEW_RATE * 0.93 ** (position - 1):
            return False
        self._wait(1, 3)
        self._track(EventType.VIEW, item, **place)
        rate = CLICK_RATE * item.appeal * SOURCES[source] / position**0.35
        if random.random() > rate:
            return False
        self._click(item, source, position)
        return True

    def _click(self, item: DemoItem, source: str, position: int) -> None:
        random = self._random
        self._wait(0.4, 5)
        point = {"x": float(random.randrange(300)), "y": float(random.randrange(240))}
        place = {"source": source, "position": position, "click_position": point}
        self._track(EventType.CLICK, item, **place)
        if random.random() < DOUBLE_CLICK:
            self._wait(0.2, 0.6)
            self._track(EventType.CLICK, item, **place)

    def _look_at(self, item: DemoItem) -> None:
        """The item's own page: read, see what is similar, perhaps buy or bid."""
        random = self._random
        self._open(item.link, item.title)
        if item.kind == BANNER:
            return
        seconds = min(600.0, random.lognormvariate(3.1, 0.9))
        for position, other in enumerate(shelf(item.category).pick_several(random, 3), start=1):
            if other.id != item.id:
                self._wait(0.5, 2)
                self._track(
                    EventType.IMPRESSION, other, source="recommendations", position=position
                )
        self._at += timedelta(milliseconds=round(seconds * 1000))
        self._track(
            EventType.ENGAGEMENT,
            item,
            engagement_duration=round(seconds * 1000),
            scroll_depth=min(100, round(20 + 18 * random.random() + seconds)),
        )
        self._decide(item, seconds)

    def _decide(self, item: DemoItem, seconds: float) -> None:
        random = self._random
        interest = (0.05 if self._visitor.variant == "A" else 0.065) * min(2.5, seconds / 30 + 0.3)
        if random.random() < interest * 2:
            word = "watch_lot" if item.kind == AUCTION else "add_to_cart"
            self._track(EventType.CUSTOM, item, name=word, properties={"category": item.category})
            self._wait(3, 25)
        if item.price is not None and random.random() < interest:
            self._convert(item, item.price)

    def _convert(self, item: DemoItem, price: Decimal) -> None:
        random = self._random
        if item.kind == PRODUCT:
            what, value = "purchase", price * random.choice((1, 1, 1, 2))
        else:
            what, value = "bid", price * Decimal(random.randint(60, 125)) / 100
        self._track(
            EventType.CONVERSION,
            item,
            conversion_type=what,
            conversion_value=value.quantize(Decimal("0.01")),
            conversion_currency="EUR",
            order_id=f"order-{self._id(len(self._events))[:18]}",
        )

    # How it becomes events

    def _open(self, address: str, title: str) -> None:
        """Go to a page. The first one knows where the visitor came from."""
        if self._pages == 0:
            self._page = {"page_url": self._landing(address), "referrer": self._channel.referrer}
        else:
            self._page = {"page_url": address}
        self._pages += 1
        self._track(EventType.PAGE_VIEW, None, page_title=title)
        self._wait(0.1, 0.6)

    def _landing(self, address: str) -> str:
        campaign = _campaign(self._channel, self._shared)
        if not campaign:
            return address
        parameters = "&".join(
            f"{name}={value.replace(' ', '+')}" for name, value in campaign.items()
        )
        return f"{address}{'&' if '?' in address else '?'}{parameters}"

    def _track(self, kind: EventType, item: DemoItem | None, **details: Any) -> None:
        if item is not None:
            details["item_id"] = item.id
            if item.campaign_id:
                details["campaign_id"] = item.campaign_id
        number = len(self._events)
        event = IncomingEvent(
            kind,
            id=self._id(number + 1),
            timestamp=self._at,
            **self._shared,
            **self._page,
            **details,
        )
        self._events.append(event)
        if self._random.random() < SENT_AGAIN:
            self._events.append(copy(event))

    def _what_all_events_say(self) -> dict[str, Any]:
        random, channel = self._random, self._channel
        if self._is_bot:
            return {"session_id": self._session_id, "user_agent": random.choice(BOTS)}
        visitor = self._visitor
        return {
            "session_id": self._session_id,
            "visitor_id": visitor.id,
            "user_id": visitor.user_id if random.random() < 0.8 else None,
            "user_agent": visitor.device.user_agent,
            "language": visitor.language,
            "timezone": visitor.timezone,
            "screen_resolution": visitor.device.screen,
            "viewport_size": visitor.device.viewport,
            "experiment_id": EXPERIMENT,
            "variant": visitor.variant,
            "consent_given": True,
            "utm_source": channel.source,
            "utm_medium": channel.medium,
            "utm_campaign": random.choice(channel.campaigns) if channel.campaigns else None,
            "utm_term": random.choice(channel.terms) if channel.terms else None,
        }

    def _wait(self, shortest: float, longest: float) -> None:
        """Let so many seconds pass."""
        passed = self._random.uniform(shortest, longest)
        self._at += timedelta(milliseconds=round(passed * 1000))

    def _id(self, number: int) -> str:
        """The session's event of this number: a UUID that follows from the session's name."""
        return str(uuid5(NAMESPACE_URL, f"footfall-demo/{self._name}/{number}"))


def _campaign(channel: Channel, shared: dict[str, Any]) -> dict[str, str]:
    """The campaign parameters of a landing page's address."""
    if channel.source is None:
        return {}
    names = ("utm_source", "utm_medium", "utm_campaign", "utm_term")
    return {name: shared[name] for name in names if shared.get(name)}
