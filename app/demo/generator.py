"""What happens in the demonstration shop, day by day.

Everything follows from the seed and the day. Each session has a random number generator of its own,
so that asking for more events of a day adds sessions and leaves the others as they are.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from app.demo.session import Session
from app.modules.tracking.events import IncomingEvent

# How busy a weekday is, from Monday.
WEEKDAYS = (0.92, 0.9, 0.93, 0.97, 0.95, 1.08, 1.25)


def events_of_day(seed: str, day: date, count: int) -> list[IncomingEvent]:
    """At least `count` events (UTC) of sessions that begin on this day, in the order of their times.

    Before the rhythm: a busy day has more, a quiet one less.
    """
    wanted = round(count * busyness(seed, day))
    events: list[IncomingEvent] = []
    session = 0
    while len(events) < wanted:
        session += 1
        events += Session(seed, day, session).events()
    # Sorting is stable: what was sent again comes after what it repeats.
    return sorted(events, key=_moment)


def busyness(seed: str, day: date) -> float:
    """How busy a day is, compared with the average: by its weekday, and a little by chance."""
    chance = Random(f"{seed}/{day}").uniform(0.93, 1.07)
    return WEEKDAYS[day.weekday()] / (sum(WEEKDAYS) / 7) * chance


def days_until(now: datetime, days: int) -> Iterator[date]:
    """The days that so many days of 24 hours until now touch."""
    first = (now - timedelta(days=days)).date()
    for number in range((now.date() - first).days + 1):
        yield first + timedelta(days=number)


def _moment(event: IncomingEvent) -> datetime:
    if event.timestamp is None:
        raise ValueError("a demonstration event has no time")
    return event.timestamp
