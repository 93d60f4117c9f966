"""The aggregation behind trending items, with the statistic that they are ordered by.

Of a + b events of an item, a in the current and b in the previous period of equal length, how many
lie in the current one is binomial if events happen independently. Wilson's interval of that share,
at 95%, gives an interval of how many times as frequent the events are now:

    low  = (a + z^2/2 - s) / (b + z^2/2 + s)    with s = z * sqrt(a * b / (a + b) + z^2/4)
    high = (a + z^2/2 + s) / (b + z^2/2 - s)

`low` is what a rising item has grown to at least, `high` what a falling one has shrunk to at most:
many events make the interval narrow and one click more is no trend.
"""

from app.modules.analytics.pipelines.dimensions import Categories
from app.modules.analytics.pipelines.expressions import Expression, Stage, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import ReportQuery
from app.modules.analytics.trending.query import Direction, Periods, TrendRequest
from app.repositories.events import WEIGHT

# Of a normal distribution 95% lie within so many standard deviations of the mean.
Z = 1.959963984540054
_HALF = Z * Z / 2


def trending(
    query: ReportQuery, categories: Categories, request: TrendRequest, compared: Periods
) -> list[Stage]:
    """Items (`_id`) with `current`, `previous`, `low` and `high`, those with the clearest trend first.

    `high` is null where there is no previous one. Counts are of all whom a sample stands for; the
    minimum and the interval go by the events themselves.
    """
    rising = request.direction is Direction.RISING
    is_current = {"$gte": ["$at", compared.current.start]}
    return [
        *covered(query, categories),
        {"$match": {"type": request.by.event_type.value, "item": {"$exists": True}}},
        {
            "$project": {
                "_id": 0,
                "item": 1,
                "now": {"$cond": [is_current, 1, 0]},
                "weight": WEIGHT,
            }
        },
        {
            "$group": {
                "_id": "$item",
                "a": {"$sum": "$now"},
                "b": {"$sum": {"$subtract": [1, "$now"]}},
                "current": {"$sum": {"$multiply": ["$now", "$weight"]}},
                "all": {"$sum": "$weight"},
            }
        },
        {"$match": {"$or": [{name: {"$gte": request.minimum}} for name in ("a", "b")]}},
        {"$set": {"previous": {"$subtract": ["$all", "$current"]}}},
        {"$match": {"$expr": {"$gt" if rising else "$lt": ["$current", "$previous"]}}},
        {"$set": {"s": _spread(), "scale": _scale()}},
        {
            "$project": {
                "current": 1,
                "previous": 1,
                # Without any now it is 0, which rounding may put a little below.
                "low": {"$max": [0.0, {"$multiply": ["$scale", _ratio("-", "+")]}]},
                "high": {
                    "$cond": [{"$eq": ["$b", 0]}, None, {"$multiply": ["$scale", _ratio("+", "-")]}]
                },
            }
        },
        {"$sort": {"low": -1, "_id": 1} if rising else {"high": 1, "_id": 1}},
        {"$limit": request.limit},
    ]


def _spread() -> Expression:
    share = {"$divide": [{"$multiply": ["$a", "$b"]}, {"$add": ["$a", "$b"]}]}
    return {"$multiply": [Z, {"$sqrt": {"$add": [share, _HALF / 2]}}]}


def _ratio(above: str, below: str) -> Expression:
    """The interval's end with s added to or taken from the current and the previous count."""
    return {"$divide": [_moved("$a", above), _moved("$b", below)]}


def _moved(count: str, sign: str) -> Expression:
    middle = {"$add": [count, _HALF]}
    return {"$add" if sign == "+" else "$subtract": [middle, "$s"]}


def _scale() -> Expression:
    """How many times as many an event stands for now as before; 1 unless the sample was changed."""
    known = {"$and": [{"$gt": ["$a", 0]}, {"$gt": ["$b", 0]}]}
    now = {"$divide": ["$current", "$a"]}
    before = {"$divide": ["$previous", "$b"]}
    return {"$cond": [known, {"$divide": [now, before]}, literal(1)]}
