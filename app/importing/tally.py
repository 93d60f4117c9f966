"""What became of the rows of an import."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.modules.tracking.events import Outcome, Reason, Verdict

PROBLEMS_IN_FULL = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One event or item that was not accepted: where its row stands, and why. Never what it says."""

    file: str
    line: int
    message: str


@dataclass(slots=True)
class Tally:
    """Counts of rows and of what they are. Each is accepted, a duplicate or rejected."""

    # What the rows are.
    things: str = "events"
    rows: int = 0
    # Rows for which no --event held.
    rows_without_events: int = 0
    accepted: int = 0
    duplicates: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    # Of the events rejected with TIMESTAMP, those that were too old.
    too_old: int = 0
    # The first ones.
    problems: list[Problem] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.accepted + self.duplicates.total() + self.rejected.total()

    @property
    def clean(self) -> bool:
        """Whether everything is stored, now or before."""
        return not self.rejected

    def count(self, outcome: Outcome, file: str = "", line: int = 0) -> None:
        """Count one event's outcome; the row's place is remembered where it was rejected."""
        reason = (outcome.reason or Reason.INVALID).value
        if outcome.verdict is Verdict.ACCEPTED:
            self.accepted += 1
        elif outcome.verdict is Verdict.DUPLICATE:
            self.duplicates[reason] += 1
        else:
            self.reject(reason, outcome.message or reason, file, line)

    def reject(self, reason: str, message: str, file: str, line: int) -> None:
        self.rejected[reason] += 1
        if len(self.problems) < PROBLEMS_IN_FULL:
            self.problems.append(Problem(file, line, f"{message} ({reason})"))

    def lines(self) -> Iterator[tuple[str, int]]:
        """What to show, top to bottom."""
        if self.rows:
            yield "rows", self.rows
        if self.rows_without_events:
            yield "rows that stand for no event", self.rows_without_events
        yield self.things, self.total
        yield "accepted", self.accepted
        for reason, count in sorted(self.duplicates.items()):
            yield f"duplicate: {reason}", count
        for reason, count in sorted(self.rejected.items()):
            yield f"rejected: {reason}", count
