"""What is sent: a seeded stream of events, and for each little story how many of it must be stored."""

import heapq
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

COOLDOWNS = {"IMPRESSION": 30.0, "VIEW": 30.0, "CLICK": 5.0}  # seconds, the default settings
NEARBY, LATER = 6, 300  # how many events later a repeat is sent
BATCH = (2, 20)
SINGLE_SHARE = 0.7  # of the requests
LATE_SHARE = 0.1  # of the stories: they happened a day and more ago


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One event, under the caller's id. Without `at` it happens when it arrives."""

    id: str
    type: str
    session: str
    item: str
    at: datetime | None
    order: str | None = None

    def as_input(self) -> dict[str, Any]:
        """The event as an EventInput."""
        fields = {
            "id": self.id,
            "type": self.type,
            "sessionId": self.session,
            "itemId": self.item,
            "timestamp": self.at.isoformat() if self.at else None,
            "orderId": self.order,
            "source": "faults",
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Story:
    """Events that have to do with each other, and how many of them count."""

    events: tuple[SentEvent, ...]
    counts: int


@dataclass(frozen=True, slots=True)
class Request:
    """What one call carries. `once`: its sender gives up after one try, as a closed browser does."""

    events: tuple[SentEvent, ...]
    once: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """How a scenario wants it: batches of one size, each several times; a crowd; or the mixture.

    A crowd sends nothing but repeats: several ids of one session and item, all at once.
    """

    batch: int | None = None
    copies: int = 1
    crowd: bool = False


MIXTURE = Shape()


class Workload:
    """Makes requests until it is told to `finish`; then gives out the repeats that are still due."""

    def __init__(self, seed: str, most_events: int, shape: Shape) -> None:
        self._random = random.Random(seed)
        self._most_events = most_events
        self._shape = shape
        self._sent = 0
        self._due: list[tuple[int, int, SentEvent, bool]] = []
        self._copies: list[Request] = []
        self._finished = False
        self._now = datetime.now(UTC)
        self.stories: list[Story] = []

    def finish(self) -> None:
        """Begin no new story."""
        self._finished = True

    def next_request(self) -> Request | None:
        """The next call to make; None at the end."""
        if self._copies:
            return self._copies.pop()
        request = self._new_request()
        if request is not None:
            self._copies = [request] * (self._shape.copies - 1)
        return request

    def _new_request(self) -> Request | None:
        if self._shape.batch:
            wanted = self._shape.batch
        elif self._shape.crowd or self._random.random() < SINGLE_SHARE:
            wanted = 1
        else:
            wanted = self._random.randint(*BATCH)
        events: list[SentEvent] = []
        while len(events) < wanted:
            upcoming = self._next_event()
            if upcoming is None:
                break
            event, once = upcoming
            if once:
                if not events:
                    return Request((event,), once=True)
                self._put(event, 0, once)  # it goes alone, next time
                break
            events.append(event)
        return Request(tuple(events)) if events else None

    def _next_event(self) -> tuple[SentEvent, bool] | None:
        if self._sent >= self._most_events:
            self._finished = True
        while not self._finished and (not self._due or self._due[0][0] > self._sent):
            self._begin_a_story()
        if not self._due:
            return None
        _, _, event, once = heapq.heappop(self._due)
        self._sent += 1
        return event, once

    def _put(self, event: SentEvent, after: int, once: bool = False) -> None:
        tie = self._random.getrandbits(40)
        heapq.heappush(self._due, (self._sent + after, tie, event, once))

    def _begin_a_story(self) -> None:
        kinds = [
            self._alone,
            self._replayed,
            self._within_cooldown,
            self._cooldown_apart,
            self._order,
        ]
        weights = [0, 0, 1, 0, 0] if self._shape.crowd else [50, 12, 25, 5, 8]
        [begin] = self._random.choices(kinds, weights)
        self.stories.append(begin())

    def _alone(self) -> Story:
        """One event, once."""
        kind = self._random.choice([*COOLDOWNS, "CONVERSION", "PAGE_VIEW", "ENGAGEMENT"])
        event = self._event(kind, None if self._random.random() < 0.3 else self._time())
        self._put(event, 0)
        return Story((event,), 1)

    def _replayed(self) -> Story:
        """The same event under the same id, two to four times."""
        event = self._event(self._random.choice([*COOLDOWNS, "CONVERSION"]), self._time())
        self._put(event, 0)
        for _ in range(self._random.randint(1, 3)):
            self._put(event, self._distance())
        return Story((event,), 1)

    def _within_cooldown(self) -> Story:
        """Two to four ids of one session and item, each within the cooldown of each other.

        Now and then the first one's sender gives up after one try: whoever comes next must not
        be turned away for an event that was never stored.
        """
        kind = self._random.choice(list(COOLDOWNS))
        begun = self._time()
        first = self._event(kind, begun)
        others = [
            self._event(kind, self._soon_after(begun, kind), like=first)
            for _ in range(self._random.randint(1, 3))
        ]
        gives_up = self._shape == MIXTURE and self._random.random() < 0.4
        self._put(first, 0, once=gives_up)
        for other in others:
            self._put(other, self._distance())
        return Story((first, *others), 1)

    def _cooldown_apart(self) -> Story:
        """Two of one session and item, just the cooldown apart: both count."""
        kind = self._random.choice(list(COOLDOWNS))
        begun = self._time()
        first = self._event(kind, begun)
        second = self._event(kind, begun + timedelta(seconds=COOLDOWNS[kind]), like=first)
        self._put(first, 0)
        self._put(second, self._distance())
        return Story((first, second), 2)

    def _order(self) -> Story:
        """One order, told two or three times under different ids."""
        order = f"order-{self._random.getrandbits(64):x}"
        events = [
            self._event("CONVERSION", self._time(), order=order)
            for _ in range(self._random.randint(2, 3))
        ]
        for event in events:
            self._put(event, self._distance())
        return Story(tuple(events), 1)

    def _event(
        self,
        kind: str,
        at: datetime | None,
        like: SentEvent | None = None,
        order: str | None = None,
    ) -> SentEvent:
        """An event of a session that no other story has, or of the one that it is like."""
        session = like.session if like else f"session-{self._random.getrandbits(64):x}"
        item = like.item if like else f"lot-{self._random.randint(1, 1_000)}"
        made = uuid.UUID(int=self._random.getrandbits(128), version=4)
        return SentEvent(str(made), kind, session, item, at, order)

    def _time(self) -> datetime:
        """Within the last hour; of some stories a day to three days ago."""
        late = self._random.random() < LATE_SHARE
        ago = self._random.randint(*((82_000, 260_000) if late else (40, 3_600)))
        instant = self._now - timedelta(seconds=ago, milliseconds=self._random.randrange(1_000))
        return instant.replace(microsecond=instant.microsecond // 1_000 * 1_000)

    def _soon_after(self, instant: datetime, kind: str) -> datetime:
        most = int(COOLDOWNS[kind] * 1_000) - 1
        return instant + timedelta(milliseconds=self._random.randint(0, most))

    def _distance(self) -> int:
        if self._shape.crowd:
            return self._random.randint(0, 1)
        return self._random.randint(0, self._random.choice([NEARBY, LATER]))
