"""The GraphQL types of the performance score."""

import strawberry

from app.core.described import described
from app.core.scalars import Long
from app.modules.analytics.measures import Measures
from app.modules.analytics.score.enums import PerformanceLabel, ScoreMeasure
from app.modules.analytics.score.scoring import Score, ScorePart, score_of


@strawberry.type(description="One part of a performance score.")
class PerformanceScorePart:
    measure: ScoreMeasure = described("What was measured.")
    value: float | None = described(
        "The measured value, as Metrics has it: percent, of ENGAGEMENT seconds; null where there "
        "is none."
    )
    missing: bool = described("Whether the value is null. It then gives no points.")
    weight: float = described("The part's weight in the score: 0.3 or 0.2.")
    points: float = described(
        "The points that it gives, 0 to 100 times its weight. The points of all parts are the score."
    )

    @classmethod
    def of(cls, part: ScorePart) -> "PerformanceScorePart":
        return cls(
            measure=part.measure,
            value=None if part.value is None else float(part.value),
            missing=part.value is None,
            weight=float(part.weight),
            points=float(part.points),
        )


@strawberry.type(description="How much there was to go by.")
class ScoreSample:
    events: Long = described("All events of the item or campaign in the range.")
    impressions: Long = described("What the click-through rate is of.")
    clicks: Long = described("What the conversion rate is of.")
    conversions: Long = described("Conversions.")
    engaged_events: Long = described("Events that carry engagementDuration.")
    sessions: Long = described(
        "What the bounce rate is of. Where there are many it is an estimate, as uniqueSessions is."
    )
    page_views: Long = described(
        "Page views. Without any, no session can have bounced: a bounce rate of 0% then says nothing."
    )

    @classmethod
    def of(cls, measures: Measures) -> "ScoreSample":
        return cls(
            events=measures.events,
            impressions=measures.impressions,
            clicks=measures.clicks,
            conversions=measures.conversions,
            engaged_events=measures.engaged_events,
            sessions=measures.sessions or 0,
            page_views=measures.page_views,
        )


@strawberry.type(
    description="A rule of thumb that makes one number of four rates. The thresholds are fixed, "
    "suit banners, and know nothing of chance: look at the parts and at the sample before comparing "
    "two scores."
)
class PerformanceScore:
    item_id: strawberry.ID | None = described("The item; null of a campaign.")
    campaign_id: strawberry.ID | None = described("The campaign; null of an item.")
    score: float = described(
        "0.3 x min(10 x clickThroughRate, 100) + 0.3 x min(5 x conversionRate, 100) + "
        "0.2 x min(2 x seconds of averageEngagement, 100) + 0.2 x max(100 - bounceRate, 0): 0 to 100. "
        "Without any events it is 0."
    )
    label: PerformanceLabel = described("The same in a word.")
    parts: list[PerformanceScorePart] = described("What it is made of.")
    sample_size: ScoreSample = described("How much there was to go by.")

    @classmethod
    def of(cls, item: str | None, campaign: str | None, measures: Measures) -> "PerformanceScore":
        score: Score = score_of(measures)
        return cls(
            item_id=None if item is None else strawberry.ID(item),
            campaign_id=None if campaign is None else strawberry.ID(campaign),
            score=float(score.value),
            label=score.label,
            parts=[PerformanceScorePart.of(part) for part in score.parts],
            sample_size=ScoreSample.of(measures),
        )
