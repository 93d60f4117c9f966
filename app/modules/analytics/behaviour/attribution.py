"""Attribution: which touches get the credit for conversions. Pure; no database here."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import LimitExceededError
from app.core.event_types import EventType
from app.modules.analytics.behaviour.bounds import check_between
from app.modules.analytics.behaviour.credits import Credits
from app.modules.analytics.behaviour.enums import AttributionModel

DEFAULT_CLICK_DAYS, MAX_CLICK_DAYS = 30, 90
DEFAULT_VIEW_HOURS, MAX_VIEW_HOURS = 24, 90 * 24
MAX_ATTRIBUTION_ROWS = 1_000
# What is held in memory: conversions, the bytes of who converted, and clicks that may still count.
MAX_CONVERSIONS = 100_000
MAX_CONVERTER_BYTES = 10_000_000
MAX_TOUCHES_HELD = 1_000_000
MAX_SHARES = 1_000_000
MAX_VALUES = 100_000
# Of more clicks before one conversion the latest share it (LINEAR).
MAX_SHARING = 1_000

_CLICK_MODELS = frozenset(AttributionModel) - {AttributionModel.LAST_VIEW}
_VIEW_MODELS = frozenset({AttributionModel.LAST_TOUCH, AttributionModel.LAST_VIEW})
# How many clicks of one visitor or user may count for a conversion to come, where that is bounded.
_CLICKS_HELD = {
    AttributionModel.LAST_TOUCH: 1,
    AttributionModel.LAST_CLICK: 1,
    AttributionModel.LINEAR: MAX_SHARING,
}


@dataclass(frozen=True, slots=True)
class Windows:
    """Which touches count for a model, and how long before the conversion. Raises BadInputError."""

    model: AttributionModel = AttributionModel.LAST_TOUCH
    click_days: int = DEFAULT_CLICK_DAYS
    view_hours: int = DEFAULT_VIEW_HOURS
    with_impressions: bool = False

    def __post_init__(self) -> None:
        check_between(self.click_days, 1, MAX_CLICK_DAYS, "clickWindowDays")
        check_between(self.view_hours, 1, MAX_VIEW_HOURS, "viewWindowHours")

    @property
    def click_window(self) -> timedelta:
        return timedelta(days=self.click_days)

    @property
    def view_window(self) -> timedelta:
        return timedelta(hours=self.view_hours)

    @property
    def clicks(self) -> tuple[EventType, ...]:
        """The types of events that are clicks here; none where the model has no use for them."""
        return (EventType.CLICK,) if self.model in _CLICK_MODELS else ()

    @property
    def views(self) -> tuple[EventType, ...]:
        """The same of views."""
        if self.model not in _VIEW_MODELS:
            return ()
        impressions = (EventType.IMPRESSION,) if self.with_impressions else ()
        return (EventType.VIEW, *impressions)


# The order of a visitor's events: by time, then by id.
Place = tuple[datetime, str]
_Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Conversion:
    """One conversion. `amount` is an exact decimal, None without a value."""

    place: Place
    visitor: str
    user: str | None
    weight: int
    amount: Any
    currency: str


@dataclass(frozen=True, slots=True)
class Touch:
    """A click or a view, and the value that it has of the dimension asked for."""

    place: Place
    value: str | None


class Conversions:
    """The conversions of a report, in order, and who made them."""

    def __init__(self, site_currency: str) -> None:
        self._site_currency = site_currency
        self.all: list[Conversion] = []
        self.visitors: set[str] = set()
        self.users: set[str] = set()
        self._bytes = 0

    def take(self, events: Iterable[dict[str, Any]]) -> None:
        """Events as they are stored. Raises LimitExceededError when they are too many."""
        for event in events:
            value = event.get("value")
            conversion = Conversion(
                place=(event["at"], event["_id"]),
                visitor=event["visitor"],
                user=event.get("user"),
                weight=event["weight"],
                amount=None if value is None else value.to_decimal(),
                currency=event.get("currency") or self._site_currency,
            )
            self.all.append(conversion)
            self._know(self.visitors, conversion.visitor)
            if conversion.user is not None:
                self._know(self.users, conversion.user)
            if len(self.all) > MAX_CONVERSIONS or self._bytes > MAX_CONVERTER_BYTES:
                raise LimitExceededError(
                    f"has more than {MAX_CONVERSIONS:,} conversions, or too many visitors with "
                    "conversions. Ask for a shorter range or a narrower filter.",
                    "range",
                )

    def _know(self, known: set[str], who: str) -> None:
        if who not in known:
            known.add(who)
            self._bytes += len(who.encode())


class Attribution:
    """Credits conversions to the touches before them, as these come in order.

    What a visitor did counts for the visitor's conversions, and what a user did for the user's,
    whatever device it was on.
    """

    def __init__(self, conversions: Conversions, windows: Windows) -> None:
        self._conversions = iter([*conversions.all, None])
        self._next = next(self._conversions)
        self._converted = {"visitor": conversions.visitors, "user": conversions.users}
        self._windows = windows
        self._click_types = {each.value for each in windows.clicks}
        self._clicks: dict[_Identity, deque[Touch]] = {}
        self._views: dict[_Identity, Touch] = {}
        self._held = 0
        self._shares = 0
        self.credits = Credits()

    def take(self, touches: Iterable[dict[str, Any]]) -> None:
        """Clicks and views with `_id`, `type`, `at`, `visitor`, `user` and `value`."""
        for event in touches:
            touch = Touch((event["at"], event["_id"]), event.get("value"))
            self._credit_until(touch.place)
            for who in _identities(event["visitor"], event.get("user")):
                if who[1] not in self._converted[who[0]]:
                    continue
                if event["type"] in self._click_types:
                    self._hold(who, touch)
                else:
                    self._views[who] = touch

    def finish(self) -> Credits:
        """Credit the conversions that no touch came after, too."""
        self._credit_until(None)
        return self.credits

    def _hold(self, who: _Identity, click: Touch) -> None:
        """Keep a click for the conversions to come."""
        clicks = self._clicks.setdefault(who, deque(maxlen=_CLICKS_HELD.get(self._windows.model)))
        self._held -= len(clicks)
        self._forget_old(clicks, click.place[0])
        clicks.append(click)
        self._held += len(clicks)
        if self._held > MAX_TOUCHES_HELD:
            raise _too_many_clicks()

    def _forget_old(self, clicks: deque[Touch], now: datetime) -> None:
        """Drop those that no conversion from now on can be credited to."""
        oldest = now - self._windows.click_window
        while clicks and clicks[0].place[0] < oldest:
            clicks.popleft()

    def _credit_until(self, place: Place | None) -> None:
        """Credit the conversions before this place (None: all that are left)."""
        while self._next is not None and (place is None or self._next.place < place):
            self._credit(self._next)
            self._next = next(self._conversions)

    def _credit(self, conversion: Conversion) -> None:
        touches = self._clicks_before(conversion) or self._last_view_before(conversion)
        self._shares += len(touches)
        if self._shares > MAX_SHARES or len(self.credits.by_value) > MAX_VALUES:
            raise _too_many_clicks()
        values = [touch.value for touch in touches]
        self.credits.add(values, conversion.weight, conversion.amount, conversion.currency)

    def _clicks_before(self, conversion: Conversion) -> list[Touch]:
        """The clicks that the conversion is credited to, in order."""
        known = []
        for who in _identities(conversion.visitor, conversion.user):
            clicks = self._clicks.get(who, deque())
            self._held -= len(clicks)
            self._forget_old(clicks, conversion.place[0])
            self._held += len(clicks)
            if clicks:
                known.append(clicks)
        if not known:
            return []
        if self._windows.model is AttributionModel.FIRST_CLICK:
            return [min((clicks[0] for clicks in known), key=_place)]
        if self._windows.model is AttributionModel.LINEAR:
            found = {touch.place: touch for clicks in known for touch in clicks}
            return sorted(found.values(), key=_place)[-MAX_SHARING:]
        return [max((clicks[-1] for clicks in known), key=_place)]

    def _last_view_before(self, conversion: Conversion) -> list[Touch]:
        oldest = conversion.place[0] - self._windows.view_window
        known = (self._views.get(who) for who in _identities(conversion.visitor, conversion.user))
        found = [touch for touch in known if touch is not None and touch.place[0] >= oldest]
        return [max(found, key=_place)] if found else []


def _place(touch: Touch) -> Place:
    return touch.place


def _identities(visitor: str, user: str | None) -> Iterator[_Identity]:
    """What an event is of: its visitor, and its user where it names one."""
    yield "visitor", visitor
    if user is not None:
        yield "user", user


def _too_many_clicks() -> LimitExceededError:
    return LimitExceededError(
        "Too many clicks or values come into question. Ask for a shorter range or window, a narrower "
        "filter, or the last click."
    )
