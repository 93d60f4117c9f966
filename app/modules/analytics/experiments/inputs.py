"""What analysts send about an experiment."""

import strawberry

from app.core.event_types import EventType
from app.modules.analytics.experiments.query import DEFAULT_GOALS, CountBy, ExpectedShare, Goal


@strawberry.input(description="Which events are conversions: those for which all of it holds.")
class GoalInput:
    type: EventType = strawberry.field(description="Events of this type.")
    name: str | None = strawberry.field(
        default=None, description="CUSTOM events of this name. Default: any."
    )
    conversion_type: str | None = strawberry.field(
        default=None, description="Conversions of this conversionType. Default: any."
    )
    item_id: strawberry.ID | None = strawberry.field(
        default=None, description="Events of this item. Default: any item, or none."
    )


@strawberry.input(description="Which part of the traffic should see a variant.")
class VariantShareInput:
    variant: str = strawberry.field(description="The variant.")
    share: float = strawberry.field(
        description="Its part, in any unit: 1 and 1 are halves, and so are 50 and 50."
    )


def goal_of(sent: GoalInput | None, count_by: CountBy) -> Goal:
    """The goal that was asked for. Raises BadInputError."""
    if sent is None:
        return DEFAULT_GOALS[count_by]
    return Goal(sent.type, sent.name, sent.conversion_type, sent.item_id)


def shares_of(sent: list[VariantShareInput] | None) -> tuple[ExpectedShare, ...]:
    """The shares that were sent, not checked yet."""
    return tuple(ExpectedShare(one.variant, one.share) for one in sent or ())
