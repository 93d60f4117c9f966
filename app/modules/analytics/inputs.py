"""What analysts send: ranges and filters."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.core.texts import MAX_TEXT, check_id
from app.modules.analytics.enums import Dimension, RangePreset
from app.modules.analytics.query import (
    MAX_CONDITIONS,
    MAX_VALUES,
    Condition,
    EventFilter,
)
from app.modules.analytics.ranges import RangeRequest


@strawberry.input(
    description="A preset, or start (included) and end (left out). Default: the last 30 days. Start "
    "and end must lie within the years 1900 to 2200."
)
class RangeInput:
    preset: RangePreset | None = strawberry.field(
        default=None, description="A range by its name, instead of start and end."
    )
    start: datetime | None = strawberry.field(
        default=None, description="The first instant that is in the range."
    )
    end: datetime | None = strawberry.field(
        default=None, description="The first instant that is no longer in it. Default: now."
    )


@strawberry.input(description="The dimension has one of the values.")
class EqualsInput:
    dimension: Dimension = strawberry.field(description="What is looked at.")
    values: list[str] = strawberry.field(
        description=f"The values that will do, each of at most {MAX_TEXT} characters."
    )


@strawberry.input(description="Which events count: those for which all of it holds.")
class ReportFilter:
    item_id: strawberry.ID | None = strawberry.field(
        default=None, description="Events of this item."
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Events of this user of the caller's."
    )
    visitor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Events of this visitor."
    )
    where: list[EqualsInput] | None = strawberry.field(
        default=None,
        description="Conditions that must all hold, on any dimension: at most "
        f"{MAX_CONDITIONS} of them, with {MAX_VALUES:,} values in all.",
    )


Range = Annotated[
    RangeInput | None, strawberry.argument(description="The range. Default: the last 30 days.")
]
Filter = Annotated[
    ReportFilter | None, strawberry.argument(description="Which events count. Default: all.")
]
Timezone = Annotated[
    str | None,
    strawberry.argument(
        description='IANA name of the time zone that days and hours are of, such as "Europe/Zurich". '
        "Default: the site's."
    ),
]


def range_request(sent: RangeInput | None) -> RangeRequest:
    """The range that was asked for. Raises BadInputError."""
    if sent is None:
        return RangeRequest()
    return RangeRequest(sent.preset, sent.start, sent.end)


def event_filter(sent: ReportFilter | None) -> EventFilter:
    """The filter that was asked for. Raises BadInputError."""
    if sent is None:
        return EventFilter()
    return EventFilter(
        items=None if sent.item_id is None else (check_id(sent.item_id, "filter.itemId"),),
        user=None if sent.user_id is None else check_id(sent.user_id, "filter.userId"),
        visitor=None if sent.visitor_id is None else check_id(sent.visitor_id, "filter.visitorId"),
        where=tuple(Condition(one.dimension, tuple(one.values)) for one in sent.where or ()),
    )
