"""In which periods visitors were there, by the period in which they were new."""

from app.modules.analytics.behaviour.retention import Cohorts
from app.modules.analytics.pipelines.dimensions import Categories
from app.modules.analytics.pipelines.expressions import Stage, bucket_key, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import ReportQuery
from app.modules.analytics.ranges import EARLIEST, TimeRange
from app.repositories.events import WEIGHT


def since_ever(time_range: TimeRange) -> TimeRange:
    """All time before the range's end: a visitor who was there before the range is not new."""
    return TimeRange(EARLIEST, time_range.end)


def periods_of_visitors(
    query: ReportQuery, cohorts: Cohorts, categories: Categories
) -> list[Stage]:
    """`cohort` and `period` (keys of buckets), and how many `visitors`; of a query over `since_ever`."""
    start = cohorts.time_range.start
    period = {"$cond": [{"$lt": ["$at", start]}, None, bucket_key(cohorts.timeline)]}
    weight = WEIGHT if query.sampled else literal(1)
    return [
        *covered(query, categories),
        {"$project": {"_id": 0, "visitor": 1, "period": period, "weight": weight}},
        {
            "$group": {
                "_id": {"visitor": "$visitor", "period": "$period"},
                "weight": {"$max": "$weight"},
            }
        },
        {
            "$group": {
                "_id": "$_id.visitor",
                "periods": {"$push": "$_id.period"},
                "weight": {"$max": "$weight"},
            }
        },
        # Null is in it where the visitor was there before the range.
        {"$match": {"periods": {"$ne": None}}},
        {"$project": {"weight": 1, "periods": 1, "cohort": {"$min": "$periods"}}},
        {"$unwind": "$periods"},
        {
            "$group": {
                "_id": {"cohort": "$cohort", "period": "$periods"},
                "visitors": {"$sum": "$weight"},
            }
        },
        {"$project": {"_id": 0, "cohort": "$_id.cohort", "period": "$_id.period", "visitors": 1}},
    ]
