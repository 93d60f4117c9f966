"""Impressions of the items that a search or a single item's query answers with."""

from app.core.auth import Principal
from app.core.context import RequestInfo
from app.core.ports import ShownItems
from app.modules.tracking.events import IncomingEvent
from app.modules.tracking.service import TrackingService
from app.schemas.event import EventType


class SearchTracking:
    """The ImpressionTracker of core/ports.py. A read key's answers are tracked as any other's."""

    def __init__(self, tracking: TrackingService) -> None:
        self._tracking = tracking

    def track_items(self, principal: Principal, request: RequestInfo, shown: ShownItems) -> None:
        first = shown.first_position
        events = [
            IncomingEvent(
                EventType.IMPRESSION,
                item_id=item_id,
                session_id=shown.session_id,
                visitor_id=shown.visitor_id,
                user_id=shown.user_id,
                source=shown.source,
                position=None if first is None else first + place,
            )
            for place, item_id in enumerate(shown.item_ids)
        ]
        if events:
            self._tracking.track_soon(events, principal, request)
