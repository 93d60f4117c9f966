"""The checks of data quality: what is counted, from where on it is a problem, and what is said about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.modules.analytics.measures import percent

# What a site leaves out because its settings say so is no loss.
ON_PURPOSE = frozenset({"EXCLUDED", "SAMPLED_OUT"})


class QualityCode(StrEnum):
    """What is checked."""

    MEASURABLE_RATE = "MEASURABLE_RATE"
    ACCEPTED_SHARE = "ACCEPTED_SHARE"
    BOT_SHARE = "BOT_SHARE"
    SKEWED_CLOCKS = "SKEWED_CLOCKS"
    SESSIONS_WITHOUT_PAGE_VIEW = "SESSIONS_WITHOUT_PAGE_VIEW"
    MORE_CLICKS_THAN_IMPRESSIONS = "MORE_CLICKS_THAN_IMPRESSIONS"
    ITEMS_TRACKED_TWICE = "ITEMS_TRACKED_TWICE"
    PAGE_VIEWS_TRACKED_TWICE = "PAGE_VIEWS_TRACKED_TWICE"
    DERIVED_VISITORS = "DERIVED_VISITORS"


class Severity(StrEnum):
    """How much a finding matters."""

    OK = "OK"
    NOTICE = "NOTICE"
    WARNING = "WARNING"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a share, in percent, is worth a notice and a warning (None: never)."""

    notice: float
    warning: float | None
    higher_is_better: bool = False

    def severity(self, value: float | None) -> Severity:
        """Exactly at a limit all is well; so it is of nothing."""
        if value is None:
            return Severity.OK
        if self.warning is not None and self._is_beyond(value, self.warning):
            return Severity.WARNING
        return Severity.NOTICE if self._is_beyond(value, self.notice) else Severity.OK

    def _is_beyond(self, value: float, limit: float) -> bool:
        return value < limit if self.higher_is_better else value > limit


LIMITS = {
    QualityCode.MEASURABLE_RATE: Limits(80, 50, higher_is_better=True),
    QualityCode.ACCEPTED_SHARE: Limits(80, 50, higher_is_better=True),
    QualityCode.BOT_SHARE: Limits(10, 30),
    QualityCode.SKEWED_CLOCKS: Limits(2, 10),
    QualityCode.SESSIONS_WITHOUT_PAGE_VIEW: Limits(10, 50),
    QualityCode.MORE_CLICKS_THAN_IMPRESSIONS: Limits(1, 10),
    QualityCode.ITEMS_TRACKED_TWICE: Limits(5, 20),
    QualityCode.PAGE_VIEWS_TRACKED_TWICE: Limits(5, 20),
    QualityCode.DERIVED_VISITORS: Limits(25, None),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted. `*_since` and what is of the ledger are of the time that the ledger covers."""

    events: int = 0
    skewed: int = 0
    derived_visitors: int = 0
    events_since: int = 0
    shown_since: int = 0
    sessions: int = 0
    without_page_view: int = 0
    page_views: int = 0
    impressions: int = 0
    measured: int = 0
    paged: int = 0
    at_once: int = 0
    clicked: int = 0
    more_clicks: int = 0
    # Events that were not counted, by reason; and impressions and views repeated within a second.
    not_counted: Mapping[str, int] = field(default_factory=dict)
    repeats: int = 0

    @property
    def received(self) -> int:
        return self.events_since + sum(self.not_counted.values())

    @property
    def meant_to_count(self) -> int:
        """Received, without what the site leaves out on purpose."""
        return self.received - sum(self.not_counted.get(reason, 0) for reason in ON_PURPOSE)


@dataclass(frozen=True, slots=True)
class Check:
    """`affected` of `total`, the same in percent, and what to think of it."""

    code: QualityCode
    affected: int
    total: int
    value: float | None
    severity: Severity
    finding: str
    since: datetime


def checks(tally: Tally, start: datetime, ledger_since: datetime) -> list[Check]:
    """Every check. Those that need the ledger cover what it covers, the others the whole range."""
    return [
        _check(code, tally, ledger_since if code in _OF_THE_LEDGER else start) for code in _RULES
    ]


@dataclass(frozen=True, slots=True)
class _Rule:
    """Of what a check takes the share, and its words. `{}` stands for the share, or the count.

    `of_nothing` is said where there is nothing to take a share of, `fine` always else, and `advice`
    after it where the share is beyond its limits.
    """

    shares: Callable[[Tally], tuple[int, int]]
    of_nothing: str
    fine: str
    advice: Callable[[Tally], str]


def _check(code: QualityCode, tally: Tally, since: datetime) -> Check:
    rule = _RULES[code]
    affected, total = rule.shares(tally)
    value = percent(affected, total)
    severity = LIMITS[code].severity(value)
    if code is QualityCode.SESSIONS_WITHOUT_PAGE_VIEW and severity is Severity.WARNING:
        # Whoever tracks none at all has decided so.
        severity = severity if tally.page_views else Severity.NOTICE
    if value is None:
        finding = rule.of_nothing
    else:
        finding = rule.fine.format(_in_words(value))
        if severity is not Severity.OK:
            finding += f" {rule.advice(tally)}"
    return Check(code, affected, total, value, severity, finding, since)


def _in_words(value: float) -> str:
    """One decimal; what is not all of it is never said to be, and what is something not nothing."""
    if 0 < value < 0.1:
        return "Less than 0.1%"
    if 99.9 < value < 100:
        return "More than 99.9%"
    return f"{value:.1f}%".replace(".0%", "%")


_WHAT_TO_DO = {
    "REPLAYED": "Events that are stored already are sent again: look for a sender that does not heed "
    "the answer.",
    "COOLDOWN": "The same item is reported again within its cooldown: let pages report each item once "
    "while it is shown.",
    "BOT": "Crawlers and scripts look at the pages; that is harmless.",
    "RATE_LIMITED": "Senders go beyond the rate limit: raise FOOTFALL_RATE_LIMIT, or let them send "
    "those events again later.",
    "NO_CONSENT": "Visitors did not agree, or pages do not send consentGiven.",
    "INVALID": "Calls carry fields that cannot be used: their messages say which.",
    "TIMESTAMP": "Events are older than they are kept or lie in the future: look at the senders' "
    "clocks, and let batches send sentAt.",
    "VOIDED": "An admin withdrew them.",
}


def _main_loss(tally: Tally) -> str:
    """The most frequent reason why events were not counted that should have been."""
    losses = {reason: n for reason, n in tally.not_counted.items() if reason not in ON_PURPOSE}
    reason = min(losses, key=lambda reason: (-losses[reason], reason))
    what_to_do = _WHAT_TO_DO.get(reason, "")
    return (
        f"The most frequent reason is {reason}, of {losses[reason]:,} events. {what_to_do} The query "
        "decisions lists each of them."
    )


def _about_page_views(tally: Tally) -> str:
    if not tally.page_views:
        return (
            "This site tracks no page views, so bounce rates are 0 and say nothing. Send "
            "trackPageView from every page if you want them."
        )
    return (
        "Bounce rates leave these sessions out of the bounced ones. Send trackPageView from every "
        "page, with the same sessionId as the other events."
    )


def _always(text: str) -> Callable[[Tally], str]:
    return lambda _: text


_OF_THE_LEDGER = frozenset(
    {QualityCode.ACCEPTED_SHARE, QualityCode.BOT_SHARE, QualityCode.ITEMS_TRACKED_TWICE}
)
_RULES = {
    QualityCode.MEASURABLE_RATE: _Rule(
        lambda tally: (tally.measured, tally.impressions),
        "There are no impressions.",
        "{} of the impressions are in sessions that also sent a view or an engagement.",
        _always(
            "Of the other impressions nobody knows whether they were seen, and view rates are too "
            "low. Send trackView when an item has been visible for a second."
        ),
    ),
    QualityCode.ACCEPTED_SHARE: _Rule(
        lambda tally: (tally.events_since, tally.meant_to_count),
        "Nothing was received in the time that the ledger covers.",
        "{} of the events that were received were counted.",
        _main_loss,
    ),
    QualityCode.BOT_SHARE: _Rule(
        lambda tally: (tally.not_counted.get("BOT", 0), tally.received),
        "Nothing was received in the time that the ledger covers.",
        "{} of the events that were received came from bots, and were not counted.",
        _always(
            "Reports are not affected. Where these are your own services, let them send the "
            "userAgent of their visitor; where they are scrapers, block them in front of the site."
        ),
    ),
    QualityCode.SKEWED_CLOCKS: _Rule(
        lambda tally: (tally.skewed, tally.events),
        "There are no events.",
        "{} of the events came from devices whose clock was wrong by 5 seconds or more; their times "
        "were corrected.",
        _always(
            "That is more than usual: check that senders set sentAt to their clock at the moment "
            "of sending, and timestamp by the same clock."
        ),
    ),
    QualityCode.SESSIONS_WITHOUT_PAGE_VIEW: _Rule(
        lambda tally: (tally.without_page_view, tally.sessions),
        "There are no sessions.",
        "{} of the sessions have no page view in the range.",
        _about_page_views,
    ),
    QualityCode.MORE_CLICKS_THAN_IMPRESSIONS: _Rule(
        lambda tally: (tally.more_clicks, tally.clicked),
        "There are no clicks.",
        "{} of the clicked items have more clicks than impressions.",
        _always(
            "Their click-through rates are above 100% or unknown: impressions are missing where "
            "these items are shown, or clicks are reported more than once."
        ),
    ),
    QualityCode.ITEMS_TRACKED_TWICE: _Rule(
        lambda tally: (tally.repeats, tally.repeats + tally.shown_since),
        "There are no impressions and views in the time that the ledger covers.",
        "{} of the impressions and views were reported a second time within a second. They count once.",
        _always(
            "The tracker seems to be installed twice, or two parts of the page report the same "
            "items: remove one of them."
        ),
    ),
    QualityCode.PAGE_VIEWS_TRACKED_TWICE: _Rule(
        lambda tally: (tally.at_once, tally.paged),
        "There are no page views that name their page.",
        "{} of the page views follow another one of the same session and page within 2 seconds.",
        _always(
            "All of them count, so page views are too many and bounces too few. The tracker seems "
            "to be installed twice, or both the page and its router report the page: remove one."
        ),
    ),
    QualityCode.DERIVED_VISITORS: _Rule(
        lambda tally: (tally.derived_visitors, tally.events),
        "There are no events.",
        "{} of the events name no visitor of their own.",
        _always(
            "Their visitors are told apart by address and device, anew every day: over several "
            "days visitors are too many, and nobody is seen to come back. Send a visitorId if "
            "that matters."
        ),
    ),
}
