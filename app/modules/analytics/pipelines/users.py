"""What one user did."""

from app.modules.analytics.pipelines.expressions import Expression, Stage
from app.modules.analytics.pipelines.matching import covered_in_any_category
from app.modules.analytics.query import ReportQuery
from app.schemas.event import EventType

VIEWING = (EventType.IMPRESSION, EventType.VIEW)


def of_user(query: ReportQuery) -> list[Stage]:
    """One document with impressions, clicks, and how many items were viewed and clicked; or none.

    The query's filter names the user.
    """
    return [
        *covered_in_any_category(query),
        {
            "$group": {
                "_id": "$item",
                "impressions": {"$sum": _one_of(EventType.IMPRESSION)},
                "clicks": {"$sum": _one_of(EventType.CLICK)},
                "viewed": {"$max": _one_of(*VIEWING)},
            }
        },
        {
            "$group": {
                "_id": None,
                "impressions": {"$sum": "$impressions"},
                "clicks": {"$sum": "$clicks"},
                "viewed_items": _number_of_items("$viewed"),
                "clicked_items": _number_of_items({"$min": ["$clicks", 1]}),
            }
        },
    ]


def _one_of(*types: EventType) -> Expression:
    """1 for an event of these types, else 0."""
    return {"$cond": [{"$in": ["$type", [each.value for each in types]]}, 1, 0]}


def _number_of_items(one_or_zero: Expression) -> Expression:
    """How many items this is 1 of. Null, the group of events without an item, is none."""
    return {"$sum": {"$cond": [{"$gt": ["$_id", None]}, one_or_zero, 0]}}
