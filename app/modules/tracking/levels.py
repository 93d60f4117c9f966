"""What a site's tracking level keeps of an event."""

from typing import Any

from app.core.site_rules import TrackingLevel

# Fields of schemas/event.py that not every level keeps, with the lowest one that does.
KEPT_FROM = {
    "page_title": TrackingLevel.STANDARD,
    "device": TrackingLevel.STANDARD,
    "browser": TrackingLevel.STANDARD,
    "os": TrackingLevel.STANDARD,
    "region": TrackingLevel.STANDARD,
    "city": TrackingLevel.STANDARD,
    "language": TrackingLevel.STANDARD,
    "click_position": TrackingLevel.STANDARD,
    "viewport_position": TrackingLevel.STANDARD,
    "properties": TrackingLevel.STANDARD,
    "timezone": TrackingLevel.DETAILED,
    "screen": TrackingLevel.DETAILED,
    "viewport": TrackingLevel.DETAILED,
}

_IN_ORDER = tuple(TrackingLevel)  # from the one that keeps least
DROPPED = {
    level: tuple(
        name
        for name, lowest in KEPT_FROM.items()
        if _IN_ORDER.index(level) < _IN_ORDER.index(lowest)
    )
    for level in TrackingLevel
}


def drop_beyond(level: TrackingLevel, document: dict[str, Any]) -> None:
    """Take out of an event's document what the level does not keep."""
    for name in DROPPED[level]:
        document.pop(name, None)
