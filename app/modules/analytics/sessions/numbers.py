"""What is counted of sessions: numbers that can be added up and taken away again."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.modules.analytics.sessions.derivation import Session
from app.modules.analytics.sessions.query import FIELDS, Breakdown, Narrowing, Period, Periods
from app.modules.analytics.sessions.resolution import Differences

# `duration` is in milliseconds; `sampled` are those that stand for more than themselves.
TOTALS = (
    "sessions", "events", "page_views", "conversions", "duration", "bounced", "converted", "sampled",
)  # fmt: skip
ROW_TOTALS = ("sessions", "bounced", "converted")

Counts = Counter[str]
ByPeriod = dict[Period, Counter[str]]
# Sessions by how long they were, in milliseconds or in whole seconds.
Durations = dict[Period, Counter[int]]
Key = tuple[str | None, ...]
Rows = dict[Key, ByPeriod]

MILLISECONDS = 1000


def counts_of(session: Session) -> dict[str, int]:
    """What one session adds to the totals."""
    weight = session.stands_for
    return {
        "sessions": weight,
        "events": weight * session.events,
        "page_views": weight * session.page_views,
        "conversions": weight * session.conversions,
        "duration": weight * session.duration,
        "bounced": weight * session.bounced,
        "converted": weight * (session.conversions > 0),
        "sampled": int(weight > 1),
    }


def no_counts() -> ByPeriod:
    return {period: Counter() for period in Period}


def no_durations() -> Durations:
    return {period: Counter() for period in Period}


@dataclass(slots=True)
class Correction:
    """What must be added to the numbers of the stored sessions, and taken away, to make them right."""

    totals: ByPeriod = field(default_factory=no_counts)
    durations: Durations = field(default_factory=no_durations)
    rows: dict[Breakdown, Rows] = field(default_factory=lambda: {each: {} for each in Breakdown})

    def add(self, session: Session, period: Period, sign: int) -> None:
        counts = {name: sign * number for name, number in counts_of(session).items()}
        self.totals[period].update(counts)
        self.durations[period][session.duration] += counts["sessions"]
        for breakdown, names in FIELDS.items():
            key = tuple(getattr(session, name) for name in names)
            row = self.rows[breakdown].setdefault(key, no_counts())
            row[period].update({name: counts[name] for name in ROW_TOTALS})


def correction(differences: Differences, periods: Periods, narrowing: Narrowing) -> Correction:
    """The correction of the numbers of two periods."""
    found = Correction()
    for sessions, sign in ((differences.wrong, -1), (differences.missing, 1)):
        for session in sessions:
            period = periods.period_of(session)
            if period is not None and narrowing.holds_for(session):
                found.add(session, period, sign)
    return found


def place(counts: Mapping[int, int], rank: int) -> tuple[int, int]:
    """Which of the counted numbers, sorted, stands at a rank from 0, and how many of it before that."""
    for number in sorted(counts):
        if rank < counts[number]:
            return number, rank
        rank -= counts[number]
    raise ValueError("there are not so many")


def middle_ranks(total: int) -> tuple[int, int]:
    """The ranks of the two in the middle, the same one where there is one."""
    return (total - 1) // 2, total // 2


def seconds_of(durations: Counter[int]) -> Counter[int]:
    """Milliseconds as whole seconds."""
    found: Counter[int] = Counter()
    for duration, number in durations.items():
        found[duration // MILLISECONDS] += number
    return found


def added(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    """The sums that are not zero."""
    sums = {number: one.get(number, 0) + other.get(number, 0) for number in {*one, *other}}
    return {number: count for number, count in sums.items() if count}


@dataclass(frozen=True, slots=True)
class VisitorCounts:
    """Distinct visitors of the counted sessions, and those who had no session before."""

    visitors: int = 0
    new: int = 0

    def __add__(self, other: "VisitorCounts") -> "VisitorCounts":
        return VisitorCounts(self.visitors + other.visitors, self.new + other.new)

    def __sub__(self, other: "VisitorCounts") -> "VisitorCounts":
        return VisitorCounts(self.visitors - other.visitors, self.new - other.new)


NO_VISITORS: Mapping[Period, VisitorCounts] = dict.fromkeys(Period, VisitorCounts())


def visitors_of(
    sessions: Iterable[Session], periods: Periods, narrowing: Narrowing
) -> dict[Period, VisitorCounts]:
    """The visitors of these sessions, which are all of theirs up to the end of the periods."""
    by_visitor: dict[str, list[Session]] = {}
    for session in sessions:
        by_visitor.setdefault(session.visitor, []).append(session)
    found = dict(NO_VISITORS)
    for theirs in by_visitor.values():
        first_of_all = min(session.start for session in theirs)
        for period in Period:
            counted = [
                session
                for session in theirs
                if periods.period_of(session) is period and narrowing.holds_for(session)
            ]
            if counted:
                found[period] += _one_visitor(counted, first_of_all)
    return found


def _one_visitor(counted: Sequence[Session], first_of_all: datetime) -> VisitorCounts:
    weight = max(session.stands_for for session in counted)
    is_new = min(session.start for session in counted) == first_of_all
    return VisitorCounts(weight, weight if is_new else 0)
