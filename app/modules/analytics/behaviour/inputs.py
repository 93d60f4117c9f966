"""What analysts send for reports of behaviour."""

import strawberry

from app.core.event_types import EventType
from app.modules.analytics.behaviour.funnel import DEFAULT_WINDOW, Step, Steps


@strawberry.input(
    description="What an event must be to be a step of a funnel: all of what is given, and at least "
    "one thing."
)
class FunnelStepInput:
    type: EventType | None = strawberry.field(default=None, description="Of this type.")
    name: str | None = strawberry.field(
        default=None, description='Of this name, as CUSTOM events have one: "add_to_cart".'
    )
    category: str | None = strawberry.field(
        default=None, description="Of an item that is in this category of the catalogue now."
    )
    item_id: strawberry.ID | None = strawberry.field(default=None, description="Of this item.")
    page: str | None = strawberry.field(
        default=None,
        description="On the page of this address, without query string and fragment, exactly.",
    )


def funnel_steps(sent: list[FunnelStepInput], window: int | None) -> Steps:
    """The steps that were asked for. Raises BadInputError."""
    steps = (Step(one.type, one.name, one.category, one.item_id, one.page) for one in sent)
    return Steps(tuple(steps), DEFAULT_WINDOW if window is None else window)
