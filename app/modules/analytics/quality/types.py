"""The GraphQL types of data quality."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.core.described import described
from app.core.enums import graphql_enum
from app.core.scalars import Long
from app.modules.analytics.measures import percent
from app.modules.analytics.quality import checks, service
from app.modules.analytics.quality.checks import LIMITS, QualityCode, Severity
from app.modules.analytics.quality.pipelines import MAX_ITEMS

if TYPE_CHECKING:  # of the items module, known here by name only
    Item = Any

graphql_enum(
    QualityCode,
    "What is checked. Every check is a share in percent. What is counted are events as they are stored; "
    "where the site counts a sample of its visitors, those of the sample.",
    {
        "MEASURABLE_RATE": "Impressions that could be seen to be seen: those in sessions with at least one "
        "VIEW or ENGAGEMENT event in the range, of all impressions. It is the measured rate of the "
        "viewability standard as far as events can tell: visitors who left before a second was over "
        "count as not measured.",
        "ACCEPTED_SHARE": "Events that are counted, of those that were received: counted, repeats and "
        "rejected together, what was withdrawn among them. What the site's settings leave out, as "
        "EXCLUDED or SAMPLED_OUT, is not meant to count and is left out of both.",
        "BOT_SHARE": "Events that were rejected as BOT, of all that were received.",
        "SKEWED_CLOCKS": "Events whose time was corrected because the sender's clock was off by 5 seconds or "
        "more, of all counted ones. Only batches with sentAt tell.",
        "SESSIONS_WITHOUT_PAGE_VIEW": "Sessions without a PAGE_VIEW in the range, of all that have an event "
        "there. It is no more than a NOTICE where there are no page views at all.",
        "MORE_CLICKS_THAN_IMPRESSIONS": "Items whose click-through rate is above 100% or that have clicks "
        "and no impression, of all items with a click.",
        "ITEMS_TRACKED_TWICE": "Impressions and views that repeat one that is counted less than a second "
        "before or after, of all impressions and views that were counted or are such repeats. A tracker "
        "that is installed twice makes it about 50%.",
        "PAGE_VIEWS_TRACKED_TWICE": "Page views that follow one of the same session and page less than 2 "
        "seconds before, of all page views that name their page. A tracker that is installed twice makes "
        "it about 50%.",
        "DERIVED_VISITORS": "Events that named no visitor, so that one was derived from address and device "
        "for a day, of all counted ones.",
    },
)
graphql_enum(
    Severity,
    "How much a finding matters.",
    {
        "OK": "Nothing to do; also where there is nothing to judge.",
        "NOTICE": "Worth knowing when numbers are read.",
        "WARNING": "Numbers are not what they seem to be: mend the tracking.",
    },
)


@strawberry.type(description="One check of how good the data are.")
class QualityCheck:
    code: QualityCode = described("What is checked.")
    severity: Severity = described("How much it matters.")
    value: float | None = described(
        "The share, percent: affected / total. Null where there is nothing to judge."
    )
    affected: Long = described("How many the share is of.")
    total: Long = described("Of how many.")
    threshold: float = described(
        "Beyond this share it is a NOTICE: above it, or below it where higher is better."
    )
    warning_threshold: float | None = described(
        "Beyond this share it is a WARNING; null where it never is."
    )
    higher_is_better: bool = described("Whether a high share is good.")
    finding: str = described("What was found, in words, and what to do about it.")
    since: datetime = described(
        "From when on events are looked at: the start of the range; for what the ledger says, at the "
        "earliest as far back as the ledger is kept."
    )

    @classmethod
    def of(cls, check: checks.Check) -> "QualityCheck":
        limits = LIMITS[check.code]
        return cls(
            code=check.code,
            severity=check.severity,
            value=check.value,
            affected=check.affected,
            total=check.total,
            threshold=limits.notice,
            warning_threshold=limits.warning,
            higher_is_better=limits.higher_is_better,
            finding=check.finding,
            since=check.since,
        )


@strawberry.type(description="An item with more clicks than impressions.")
class OverclickedItem:
    item_id: strawberry.ID = described("The item.")
    item: Annotated["Item", strawberry.lazy("app.modules.items.types")] | None = described(
        "It in the catalogue; null where it is not there."
    )
    impressions: Long = described("Events of type IMPRESSION.")
    clicks: Long = described("Events of type CLICK.")
    click_through_rate: float | None = described(
        "Clicks / impressions, percent; null without impressions."
    )

    @classmethod
    def of(cls, found: service.OverclickedItem, item: Any) -> "OverclickedItem":
        return cls(
            item_id=strawberry.ID(found.item),
            item=item,
            impressions=found.impressions,
            clicks=found.clicks,
            click_through_rate=percent(found.clicks, found.impressions),
        )


@strawberry.type(
    description="How good the data of a range are, and what to do to make them better."
)
class DataQuality:
    start: datetime = described("Where the range begins.")
    end: datetime = described("Where it ends, left out.")
    as_of: datetime = described("When this was found.")
    severity: Severity = described("The worst of all checks.")
    checks: list[QualityCheck] = described("Every check, always in the same order.")
    overclicked_items: list[OverclickedItem] = described(
        f"The items with more clicks than impressions, at most {MAX_ITEMS}: those with "
        "the most clicks beyond their impressions first, then by id."
    )

    @classmethod
    def of(cls, quality: service.Quality, items: Mapping[str, Any]) -> "DataQuality":
        found = {check.severity for check in quality.checks}
        worst_first = (Severity.WARNING, Severity.NOTICE, Severity.OK)
        return cls(
            start=quality.time_range.start,
            end=quality.time_range.end,
            as_of=quality.as_of,
            severity=next(severity for severity in worst_first if severity in found),
            checks=[QualityCheck.of(check) for check in quality.checks],
            overclicked_items=[
                OverclickedItem.of(each, items.get(each.item)) for each in quality.overclicked
            ],
        )
