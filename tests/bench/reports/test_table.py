"""The tables of the bench: what holds, what does not, and how a page gets them."""

import pytest

from tests.bench.report import PAGE, as_markdown, replaced
from tests.bench.reports.filling import Filled
from tests.bench.reports.measuring import Asked
from tests.bench.reports.questions import Question
from tests.bench.reports.table import BEGIN, END, Results, Sized, percentile, remarks, sections


def asked(name: str, bar: float | None, *seconds: float, trouble: str = "") -> Asked:
    question = Question(name, "", lambda recount, span, answer: iter(()), bar=bar)
    return Asked(question, list(seconds), [trouble] if trouble else [])


def results(few: list[Asked], many: list[Asked], rolling: float | None = 50.0) -> Results:
    """A run over a thousand and over two million events; inserting took 80 s."""
    sizes = [
        Sized(Filled(1_000, 2.0, 1.0), 0.5, few),
        Sized(Filled(2_000_000, 100.0, 80.0), rolling, many),
    ]
    return Results(sizes, "6.0.5", 60.0, 2)


def reports(found: Results) -> list[list[str]]:
    return [list(row) for row in sections(found)[1].rows]


def test_a_report_within_its_bars_holds() -> None:
    """Milliseconds of both sizes, the growth of the medians, the bar."""
    found = results([asked("a", 0.1, 0.04, 0.04)], [asked("a", 0.1, 0.05, 0.07)])
    assert reports(found) == [["a", "40.0", "40.0", "60.0", "69.0", "1.50", "100", "yes"]]
    assert found.missed == []
    assert "none" in remarks(found)[-1]


@pytest.mark.parametrize(
    "many",
    [
        asked("a", 0.1, 0.04, 0.11),  # too slow
        asked("a", 0.1, 0.06, 0.065),  # grown too much
        asked("a", 0.1, 0.04, 0.04, trouble="answered 1, recounted 2"),
    ],
)
def test_a_report_beyond_a_bar_does_not_hold(many: Asked) -> None:
    """Too slow with the most events, too much slower than with few, or wrong."""
    found = results([asked("a", 0.1, 0.04, 0.04)], [many])
    assert reports(found)[0][-1] == "NO"
    assert found.missed == ["a"]


def test_reports_without_a_bar_are_for_information() -> None:
    """They may take any time, but must be right."""
    found = results([asked("a", None, 0.04)], [asked("a", None, 5.0)])
    assert reports(found)[0][-2:] == ["-", "-"]
    assert found.missed == []
    wrong = results([asked("a", None, 0.04, trouble="wrong")], [asked("a", None, 0.04)])
    assert wrong.missed == ["a"]
    assert wrong.trouble == ["1,000 events, a: wrong"]


@pytest.mark.parametrize(("rolling", "holds"), [(79.9, "yes"), (80.0, "NO"), (None, "NO")])
def test_rolling_up_takes_less_time_than_inserting(rolling: float | None, holds: str) -> None:
    """Than the inserts alone, without what making the documents took."""
    found = results([asked("a", None, 1.0)], [asked("a", None, 1.0)], rolling)
    assert sections(found)[0].rows[1][-1] == holds
    assert found.missed == ([] if holds == "yes" else ["rolling up 2,000,000 events"])


def test_one_number_of_events_has_no_growth() -> None:
    """The bar is kept or not by itself."""
    both = results([asked("a", 0.1, 0.04)], [asked("a", 0.1, 0.04)])
    found = Results(both.sizes[:1], "6.0.5", 60.0, 2)
    assert reports(found) == [["a", "40.0", "40.0", "-", "100", "yes"]]


def test_percentiles() -> None:
    """Of a hundred calls and one the ninety-sixth; of one call that one."""
    times = [number / 1_000 for number in range(101)]
    assert percentile(times, 95) == pytest.approx(0.095)
    assert percentile([0.5], 95) == 0.5


def test_a_page_gets_the_tables_between_its_markers() -> None:
    """All around them stays; a page without markers is refused."""
    found = results([asked("a", 0.1, 0.04)], [asked("a", 0.1, 0.04)])
    block = as_markdown(sections(found), ["a note"])
    page = replaced(f"before {BEGIN}last run{END} after", (BEGIN, END), block)
    assert page.startswith(f"before {BEGIN}\n")
    assert page.endswith(f"- a note\n{END} after")
    assert "last run" not in page
    assert "| a | 40.0 | 40.0 | 40.0 | 40.0 | 1.00 | 100 | yes |" in page
    with pytest.raises(ValueError, match="there is no"):
        replaced("no markers", (BEGIN, END), block)


def test_the_page_has_the_markers() -> None:
    """Where --record writes, once each."""
    page = PAGE.read_text()
    assert page.count(BEGIN) == page.count(END) == 1
    assert page.index(BEGIN) < page.index(END)
