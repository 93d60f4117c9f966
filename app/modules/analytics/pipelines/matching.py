"""Which events a report covers."""

from app.modules.analytics.pipelines.dimensions import Categories, matching
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.query import Dimension, ReportQuery


def covered(query: ReportQuery, categories: Categories) -> list[Stage]:
    """The stages that leave the events of the report, and all that its dimensions need of them."""
    stages = covered_in_any_category(query)
    conditions = [one for one in query.filter.where if one.dimension is Dimension.CATEGORY]
    if conditions or Dimension.CATEGORY in query.dimensions:
        stages += categories.stages()
    if conditions:
        stages.append({"$match": categories.matching(conditions)})
    return stages


def covered_in_any_category(query: ReportQuery) -> list[Stage]:
    """The same without the conditions on CATEGORY. The repository puts the site in front of it."""
    time_range, wanted = query.time_range, query.filter
    match: Stage = {"at": {"$gte": time_range.start, "$lt": time_range.end}}
    if wanted.items is not None:
        match["item"] = {"$in": list(wanted.items)}
    elif wanted.with_item:
        match["item"] = {"$exists": True}
    if wanted.user is not None:
        match["user"] = wanted.user
    if wanted.visitor is not None:
        match["visitor"] = wanted.visitor
    conditions = [
        matching(condition, query)
        for condition in wanted.where
        if condition.dimension is not Dimension.CATEGORY
    ]
    if conditions:
        match["$and"] = conditions
    return [{"$match": match}]
