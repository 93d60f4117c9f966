"""Callers whose clock is off: a browser's can be days wrong, and an offline queue sends late."""

from datetime import datetime, timedelta

from app.modules.tracking.events import IncomingEvent

# Up to here the difference is the time that the request was on its way.
SMALLEST_SKEW = timedelta(seconds=5)


def clock_skew(sent_at: datetime | None, received_at: datetime) -> timedelta:
    """What to add to the caller's times; zero where it sent no clock or its clock is right."""
    if sent_at is None:
        return timedelta()
    skew = received_at - sent_at
    return skew if abs(skew) >= SMALLEST_SKEW else timedelta()


def correct_clock(event: IncomingEvent, skew: timedelta) -> None:
    """Move the event's timestamp by the skew and keep the caller's own beside it."""
    if not skew or event.timestamp is None:
        return
    try:
        corrected = event.timestamp + skew
    except OverflowError:
        return  # a timestamp at the end of time stays what it is, and validation refuses it
    event.client_timestamp, event.timestamp = event.timestamp, corrected
