"""How experiments are read: never all events of the collection, and nothing beyond the time allowed."""

from typing import Any

from app.core.event_types import EventType
from app.modules.analytics.experiments import pipelines
from app.modules.analytics.experiments.query import CountBy, ExperimentRequest, Goal
from app.modules.analytics.ranges import TimeRange
from tests.conftest import NOW
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.experiments.experimenting import ago, seen
from tests.modules.analytics.test_running import explained, indexes_in


async def test_experiments_use_an_index(api: Any) -> None:
    """The list, and what is counted by impression, read the events of experiments and no others; by
    visitor, goals are looked for among the events of the range."""
    await store(*[event(visitor=f"v{n}", item="i", at=ago(hours=n)) for n in range(300)])
    await store(*[seen("ab"[n % 2], f"v{n}") for n in range(20)])
    within = TimeRange(ago(days=7), NOW)
    by_impression = ExperimentRequest("ab", Goal(EventType.CLICK), CountBy.IMPRESSION)
    for stages in (
        pipelines.experiments(within, 10),
        pipelines.counts(by_impression, within),
        pipelines.visitors(by_impression, within),
    ):
        assert indexes_in(await explained(api, stages)) == {"by_experiment"}
    by_visitor = ExperimentRequest("ab", Goal(EventType.CONVERSION))
    used = indexes_in(await explained(api, pipelines.counts(by_visitor, within)))
    assert used
    assert used <= {"by_time", "by_experiment"}


async def test_an_experiment_that_takes_too_long_is_refused(make_api: Any) -> None:
    """LIMIT_EXCEEDED, as for every report, and not an answer that is half counted."""
    api = await make_api(report_timeout=0.0005)
    await store(seen("a", "v"))
    error = await api.refused('{ experiment(experimentId: "ab") { control } }')
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    error = await api.refused("{ experiments { events } }")
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
