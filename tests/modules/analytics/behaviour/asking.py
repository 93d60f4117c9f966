"""How the tests of behaviour ask."""

from typing import Any

FUNNEL = """query ($steps: [FunnelStepInput!]!, $range: RangeInput, $window: Int, $by: Dimension,
  $filter: ReportFilter, $limit: Int) {
  funnel(steps: $steps, range: $range, windowSeconds: $window, by: $by, filter: $filter,
         limit: $limit) {
    steps { step visitors conversionFromFirst conversionFromPrevious dropOff dropOffPercent medianSeconds }
    rows { value steps { step visitors conversionFromFirst conversionFromPrevious dropOff dropOffPercent
                         medianSeconds } }
    meta { exact rows } } }"""

RETENTION = """query ($range: RangeInput, $granularity: Granularity, $timezone: String,
  $filter: ReportFilter, $periods: Int) {
  retention(range: $range, granularity: $granularity, timezone: $timezone, filter: $filter,
            periods: $periods) {
    cohorts { start visitors periods { period visitors percent complete } }
    overall { period visitors percent complete }
    meta { exact rows } } }"""

ATTRIBUTION = """query ($range: RangeInput, $model: AttributionModel, $clicks: Int, $views: Int,
  $by: Dimension, $filter: ReportFilter, $impressions: Boolean, $limit: Int) {
  attribution(range: $range, model: $model, clickWindowDays: $clicks, viewWindowHours: $views, by: $by,
              filter: $filter, withImpressions: $impressions, limit: $limit) {
    total { conversions revenueByCurrency { currency amount } }
    rows { value direct credit { conversions revenueByCurrency { currency amount } } }
    others { conversions revenueByCurrency { currency amount } }
    meta { exact rows } } }"""

PATHS = """query ($item: ID, $page: String, $range: RangeInput, $direction: PathDirection, $limit: Int) {
  paths(itemId: $item, page: $page, range: $range, direction: $direction, limit: $limit) {
    sessions rows { value sessions share } others ended endedShare meta { exact rows } } }"""


async def funnel(api: Any, steps: list[dict[str, Any]], **arguments: Any) -> Any:
    return (await api.ask(FUNNEL, {"steps": steps, **arguments}))["funnel"]


async def retention(api: Any, **arguments: Any) -> Any:
    return (await api.ask(RETENTION, arguments))["retention"]


async def attribution(api: Any, **arguments: Any) -> Any:
    return (await api.ask(ATTRIBUTION, arguments))["attribution"]


async def paths(api: Any, **arguments: Any) -> Any:
    return (await api.ask(PATHS, arguments))["paths"]


def visitors(steps: list[dict[str, Any]]) -> list[int]:
    """How many visitors reached each step."""
    return [step["visitors"] for step in steps]
