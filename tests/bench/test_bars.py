"""The verdicts of a run: each bar holds on its own side of its number, and not on the other."""

from dataclasses import replace

import pytest

from tests.bench.arrivals import Crowded
from tests.bench.bars import Judged, bars
from tests.bench.checks import Sizes
from tests.bench.generator import Load
from tests.bench.measure import Measured, Round
from tests.bench.meter import Reading

NOTHING = Reading(0, 0, {}, 0, 0)


def measured(connections: int, share: float, batch_size: int = 1) -> Measured:
    round_ = Round(Load(rate=1_000 * share), Load(rate=1_000), NOTHING, 0)
    return Measured("load", connections, batch_size, [round_])


GOOD = Judged(
    singles=[measured(1, 0.06), measured(64, 0.13)],
    batches=[measured(16, 0.3, 100), measured(8, 0.31, 1_000)],
    steady=Crowded(1_000, answered=[0.005] * 99 + [0.04]),
    overload=Crowded(5_000, refused=[0.01], accepted_a_second=900),
    recovered=Load(rate=950),
    peak=1_000,
    memory_before=[100, 100],
    memory_after=[104, 105],
    sizes=Sizes(documents=3_000, events=10, indexes={"_id_": 1_400}, claims=0),
)


def test_a_good_run_holds_every_bar() -> None:
    """Every number is on the right side of its bar."""
    assert [bar.what for bar in bars(GOOD) if not bar.holds] == []


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (replace(GOOD, singles=[measured(1, 0.04), measured(64, 0.13)]), "at 1 connection"),
        (replace(GOOD, singles=[measured(1, 0.06), measured(64, 0.11)]), "at 64 connections"),
        (replace(GOOD, batches=[measured(8, 0.29, 1_000)]), "batches of 1,000"),
        (replace(GOOD, memory_after=[104, 107]), "memory"),
        (replace(GOOD, sizes=replace(GOOD.sizes, events=9)), "bytes an event"),
        (replace(GOOD, steady=Crowded(1_000, answered=[0.005] * 90 + [0.06] * 9)), "p99"),
        (replace(GOOD, overload=Crowded(5_000, accepted_a_second=790)), "five times"),
        (
            replace(
                GOOD, overload=Crowded(5_000, accepted_a_second=900, without_retry_after=1)
            ),
            "five times",
        ),
        (replace(GOOD, recovered=Load(rate=700)), "just after that"),
    ],
)  # fmt: skip
def test_one_number_on_the_wrong_side_fails_its_bar_alone(run: Judged, what: str) -> None:
    """The bar that it is of does not hold, and the others do."""
    [failed] = [bar.what for bar in bars(run) if not bar.holds]
    assert what in failed


def test_a_steady_load_that_was_not_answered_whole_is_not_fast() -> None:
    """Quick answers do not count where some were refused."""
    run = replace(GOOD, steady=replace(GOOD.steady, refused=[0.001]))
    assert len([bar for bar in bars(run) if not bar.holds]) == 2
