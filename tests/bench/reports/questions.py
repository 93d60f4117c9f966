"""What is asked, how long an answer may take, and what it must be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.reports import compare
from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import FIRST_MS
from tests.bench.reports.compare import Difference, Differences
from tests.bench.reports.recount import DAY_MS, Condition, Counted, Recount, Span

REPORT_SECONDS = 0.1
POPULAR_SECONDS = 0.3
ROWS = 100
ZONE = "Asia/Kathmandu"

# Where ranges begin: in the middle of a quarter hour, and each a millisecond after the one before.
# They end in the middle of one as well, so that a part at both ends is in no rollup.
BEGIN_MS = FIRST_MS + (7 * 60 + 11) * 1_000

# A popular, a middling and a rare item, by their ranks.
RANKS = {"top": 0, "middle": 500, "tail": 9_000}

_METRICS = " ".join(compare.METRICS).replace(
    "revenueByCurrency", "revenueByCurrency { currency amount }"
)
# What a table of a dashboard shows.
_USUAL_METRICS = (
    "impressions views clicks conversions uniqueVisitors clickThroughRate conversionRate revenue"
)
_SERIES_METRICS = " ".join((*compare.PLAIN_COUNTS, *compare.DISTINCT_COUNTS))

Check = Callable[[Recount, Span, Any], Differences]


@dataclass(frozen=True, slots=True)
class Question:
    """A query of one root field. `bar`: seconds that it may take; None where it is only for information.

    `check` compares the root field's answer with the recount of the span that was asked for.
    """

    name: str
    document: str
    check: Check
    variables: Mapping[str, Any] = field(default_factory=dict)
    bar: float | None = None
    days: int = words.DAYS

    def span(self, call: int) -> Span:
        """The range of this call; no two calls of a run have the same, so that none is cached."""
        # A shorter range ends where the others do.
        begin = BEGIN_MS + (words.DAYS - self.days) * DAY_MS + call
        return Span(begin, begin + self.days * DAY_MS)

    def body(self, span: Span) -> dict[str, Any]:
        """What is posted."""
        time_range = {"start": instant(span.start), "end": instant(span.end)}
        return {
            "query": self.document,
            "variables": {"range": time_range, **self.variables},
        }


_DIMENSIONS = ("DEVICE", "SOURCE", "BROWSER", "PAGE", "CAMPAIGN", "ITEM")


def instant(milliseconds: int) -> str:
    """As the API writes it: UTC, milliseconds, with Z."""
    moment = datetime.fromtimestamp(0, UTC) + milliseconds * timedelta(milliseconds=1)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def questions() -> list[Question]:
    """All of them; those with a bar first."""
    return [
        _overview("overview", bar=REPORT_SECONDS),
        _time_series(),
        *(_item_analytics(name, words.item_of_rank(rank)) for name, rank in RANKS.items()),
        *(_report((dimension,), bar=REPORT_SECONDS) for dimension in _DIMENSIONS),
        *(_popular_items(limit) for limit in (10, 100)),
        *(_report((d,), bar=REPORT_SECONDS, every_metric=True) for d in _DIMENSIONS),
        _overview("overview of 45 days", days=words.DAYS // 2),
        *(_report((dimension,)) for dimension in ("HOUR_OF_DAY", "WEEKDAY", "CATEGORY")),
        _report(("DEVICE", "SOURCE")),
        _report(("BROWSER",), Condition("DEVICE", ("mobile",))),
    ]


def _overview(name: str, days: int = words.DAYS, bar: float | None = None) -> Question:
    document = f"""query ($range: RangeInput) {{ overview(range: $range) {{
        current {{ {_METRICS} }} previous {{ {_METRICS} }} changePercent }} }}"""

    def check(recount: Recount, span: Span, answer: Any) -> Differences:
        counted = {"current": recount.total(span), "previous": recount.total(span.before())}
        currency = compare.currency_of(counted.values())
        for period, of_period in counted.items():
            yield from compare.metrics(period, answer[period], of_period, currency, exact=False)
        yield from compare.changes(
            "changePercent", answer["changePercent"], answer["current"], answer["previous"]
        )

    return Question(name, document, check, bar=bar, days=days)


def _time_series() -> Question:
    document = f"""query ($range: RangeInput, $zone: String) {{
        timeSeries(range: $range, granularity: DAY, timezone: $zone) {{
            start metrics {{ {_SERIES_METRICS} }} }} }}"""

    def check(recount: Recount, span: Span, answer: Any) -> Differences:
        days = recount.days(span)
        yield from compare.same_order(
            "starts", [bucket["start"] for bucket in answer], [instant(start) for start, _ in days]
        )
        for bucket, (_, counted) in zip(answer, days, strict=False):
            currency = words.SITE_CURRENCY  # no amounts are asked for
            yield from compare.metrics(
                bucket["start"], bucket["metrics"], counted, currency, exact=False
            )

    return Question("timeSeries, daily, Kathmandu", document, check, {"zone": ZONE}, REPORT_SECONDS)


def _item_analytics(name: str, number: int) -> Question:
    document = f"""query ($range: RangeInput, $item: ID!) {{
        itemAnalytics(itemId: $item, range: $range) {{
            itemId impressions clicks uniqueUsers uniqueSessions clickThroughRate
            metrics {{ {_METRICS} }} }} }}"""

    def check(recount: Recount, span: Span, answer: Any) -> Differences:
        counted = recount.total(span, number)
        currency = compare.currency_of([counted])
        plain = {key: value for key, value in answer.items() if key not in ("itemId", "metrics")}
        yield from compare.same("itemId", answer["itemId"], words.item_id(number))
        yield from compare.metrics("item", plain, counted, currency, exact=False)
        yield from compare.metrics("metrics", answer["metrics"], counted, currency, exact=False)

    variables = {"item": words.item_id(number)}
    return Question(f"itemAnalytics, {name} item", document, check, variables, REPORT_SECONDS)


def _report(
    dimensions: Sequence[str],
    condition: Condition | None = None,
    bar: float | None = None,
    *,
    every_metric: bool = False,
) -> Question:
    metrics = _METRICS if every_metric else _USUAL_METRICS
    document = f"""query ($range: RangeInput, $by: [Dimension!], $filter: ReportFilter, $limit: Int,
                          $zone: String) {{
        report(by: $by, range: $range, filter: $filter, limit: $limit, timezone: $zone) {{
            totals {{ {metrics} }}
            rows {{ dimensions {{ dimension value }} metrics {{ {metrics} }} }}
            meta {{ exact rows }} }} }}"""

    def check(recount: Recount, span: Span, answer: Any) -> Differences:
        yield from _check_report(
            answer, recount.total_where(span, condition), recount.by(span, dimensions, condition)
        )

    name = f"report by {' and '.join(dimensions)}{', every metric' if every_metric else ''}"
    variables: dict[str, Any] = {"by": list(dimensions), "limit": ROWS, "zone": ZONE}
    if condition is not None:
        name += f" where {condition.dimension} is {', '.join(condition.values)}"
        where = {"dimension": condition.dimension, "values": list(condition.values)}
        variables["filter"] = {"where": [where]}
    return Question(name, document, check, variables, bar)


def _check_report(
    answer: Any, total: Counted, rows: Sequence[tuple[tuple[str | None, ...], Counted]]
) -> Differences:
    exact, currency = answer["meta"]["exact"], compare.currency_of([total])
    yield from compare.metrics("totals", answer["totals"], total, currency, exact=exact)
    yield from compare.same("meta.rows", answer["meta"]["rows"], len(rows))
    shown = [tuple(each["value"] for each in row["dimensions"]) for row in answer["rows"]]
    yield from compare.same_order("rows", shown, [values for values, _ in rows[:ROWS]])
    for row, (values, counted) in zip(answer["rows"], rows, strict=False):
        where = f"row {' '.join(str(value) for value in values)}"
        yield from compare.metrics(where, row["metrics"], counted, currency, exact=exact)


def _popular_items(limit: int) -> Question:
    document = """query ($range: RangeInput, $limit: Int) {
        popularItems(range: $range, limit: $limit) {
            itemId item { title } impressions clicks uniqueUsers uniqueSessions } }"""

    def check(recount: Recount, span: Span, answer: Any) -> Differences:
        popular = recount.popular(span)[:limit]
        shown = [each["itemId"] for each in answer]
        yield from compare.same_order("items", shown, [item for item, _ in popular])
        for each, (item, counted) in zip(answer, popular, strict=False):
            numbers = {key: value for key, value in each.items() if key not in ("itemId", "item")}
            yield from compare.metrics(item, numbers, counted, words.SITE_CURRENCY, exact=False)
            yield from compare.same(f"{item}.item", each["item"], _catalogued(item))

    variables = {"limit": limit}
    return Question(f"popularItems, limit {limit}", document, check, variables, POPULAR_SECONDS)


def _catalogued(item: str) -> dict[str, str] | None:
    number = int(item.rpartition("-")[2])
    return {"title": words.item_title(number)} if words.is_catalogued(number) else None


def differences(
    question: Question, recount: Recount, span: Span, data: Any
) -> Iterator[Difference]:
    """How the data of an answer differ from the recount."""
    [answer] = data.values()
    yield from question.check(recount, span, answer)
