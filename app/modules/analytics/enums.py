"""The enums of analytics, as GraphQL has them. Import them from here where GraphQL types use them."""

from enum import StrEnum

from app.core.enums import graphql_enum
from app.modules.analytics.buckets import Granularity
from app.modules.analytics.query import Dimension
from app.modules.analytics.ranges import RangePreset

__all__ = ["Dimension", "Granularity", "PopularBy", "RangePreset"]


class PopularBy(StrEnum):
    """What makes an item popular."""

    IMPRESSIONS = "IMPRESSIONS"
    VIEWS = "VIEWS"
    CLICKS = "CLICKS"
    CONVERSIONS = "CONVERSIONS"
    REVENUE = "REVENUE"


graphql_enum(
    RangePreset,
    "A range by its name. LAST_* go back from now by so many hours or days. TODAY, YESTERDAY, "
    "THIS_MONTH and LAST_MONTH are whole days and months of the report's time zone, with what of "
    "them is still to come.",
    {
        "LAST_24_HOURS": "The last 24 hours.",
        "LAST_7_DAYS": "The last 7 times 24 hours.",
        "LAST_30_DAYS": "The last 30 times 24 hours.",
        "LAST_90_DAYS": "The last 90 times 24 hours.",
        "TODAY": "The whole of today, in the report's time zone.",
        "YESTERDAY": "The whole of the day before, in the report's time zone.",
        "THIS_MONTH": "The whole calendar month, in the report's time zone.",
        "LAST_MONTH": "The whole calendar month before, in the report's time zone.",
        "ALL": "From the site's first event to its last one, or to now where that is later.",
    },
)
graphql_enum(
    Granularity,
    "How long a bucket of time is, by the clocks and the calendar of the report's time zone.",
    {
        "MINUTE": "A minute. At most 2,880 buckets: two days.",
        "HOUR": "An hour; one that passes twice when clocks are set back is two buckets. At most "
        "2,232 buckets: three months.",
        "DAY": "A day, of 23 or 25 hours where clocks are set. At most 3,700 buckets: ten years.",
        "WEEK": "A week from Monday. At most 1,100 buckets: 21 years.",
        "MONTH": "A calendar month. At most 1,200 buckets: a hundred years.",
    },
)
graphql_enum(
    Dimension,
    "What a report may be broken down by and filtered on. A value is null where it is not known.",
    {
        "ITEM": "The item's id.",
        "CATEGORY": "The category that the item has in the catalogue now.",
        "SOURCE": 'Where the item was shown: "search", "homepage", ...',
        "POSITION": "The item's rank there, as text.",
        "DEVICE": '"mobile", "tablet", "desktop", "tv" or "console".',
        "BROWSER": "The browser's family.",
        "OS": "The operating system's family.",
        "COUNTRY": "The visitor's country, ISO 3166-1 alpha-2.",
        "REGION": "The visitor's region.",
        "LANGUAGE": "The visitor's language tag.",
        "REFERRER": "The domain of the page before.",
        "PAGE": "The page's address without query string and fragment.",
        "CAMPAIGN": "The campaign's id.",
        "UTM_SOURCE": "The campaign parameter utm_source.",
        "UTM_MEDIUM": "The campaign parameter utm_medium.",
        "UTM_CAMPAIGN": "The campaign parameter utm_campaign.",
        "UTM_CONTENT": "The campaign parameter utm_content.",
        "UTM_TERM": "The campaign parameter utm_term.",
        "EVENT_NAME": "What a CUSTOM event is called.",
        "VARIANT": "The variant of an experiment that the visitor saw.",
        "HOUR_OF_DAY": 'The hour on the clocks of the report\'s time zone, "0" to "23".',
        "WEEKDAY": 'The day of the week in the report\'s time zone, "1" (Monday) to "7" (Sunday).',
    },
)
graphql_enum(
    PopularBy,
    "What makes an item popular.",
    {
        "IMPRESSIONS": "It was rendered most.",
        "VIEWS": "It was seen most: viewable impressions.",
        "CLICKS": "It was clicked most.",
        "CONVERSIONS": "It led to most conversions.",
        "REVENUE": "Its conversions were worth most, in the currency that revenue is given in.",
    },
)
