"""The enums of the performance score, as GraphQL has them. Import them from here."""

from app.core.enums import graphql_enum
from app.modules.analytics.score.scoring import PerformanceLabel, ScoreMeasure

__all__ = ["PerformanceLabel", "ScoreMeasure"]

graphql_enum(
    PerformanceLabel,
    "A performance score in a word.",
    {
        "EXCELLENT": "80 or more.",
        "GOOD": "60 to below 80.",
        "AVERAGE": "40 to below 60.",
        "POOR": "Below 40, also where there is nothing to go by.",
    },
)
graphql_enum(
    ScoreMeasure,
    "What a performance score is made of.",
    {
        "CLICK_THROUGH_RATE": "clickThroughRate, percent: 10 times it, at most 100, times 0.3. From 10% "
        "it gives its 30 points.",
        "CONVERSION_RATE": "conversionRate (conversions / clicks), percent: 5 times it, at most 100, "
        "times 0.3. From 20% it gives its 30 points.",
        "ENGAGEMENT": "averageEngagement, seconds: twice it, at most 100, times 0.2. From 50 seconds it "
        "gives its 20 points.",
        "BOUNCE_RATE": "bounceRate, percent: 100 less it, times 0.2. At 0% it gives its 20 points.",
    },
)
