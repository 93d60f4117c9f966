"""How every root field is called by a stranger. A new one needs a row here, or a test fails.

"{item}" stands for the id of an item, and so on (world.py); each row is asked with ids that the other
site has, and with ids that nobody has. Whatever may be given an id is given one in one of the rows.
What is asked for is not written here: all of it is (selections.py).
"""

from typing import Any

from tests.isolation.world import BROWSER

EVER = {"preset": "ALL"}
WEEKS = {"start": "2026-06-01T00:00:00Z", "end": "2026-06-16T00:00:00Z"}
# Over and rolled up: what is answered of it is kept, and answered again.
PAST = {"start": "2026-06-05T00:00:00Z", "end": "2026-06-06T00:00:00Z"}
FILTER = {
    "itemId": "{item}",
    "userId": "{user}",
    "visitorId": "{visitor}",
    "where": [{"dimension": "SOURCE", "values": ["{source}"]}],
}
LEDGER = {"eventId": "{bot}", "itemId": "{item}", "sessionId": "{session}"}
TRACKING = {
    "sessionId": "{session}",
    "visitorId": "{visitor}",
    "userId": "{user}",
    "source": "{source}",
}


UTM = dict.fromkeys(("utmSource", "utmMedium", "utmContent", "utmTerm"), "{source}")
ITEM = {
    "kind": "{kind}",
    "category": "{category}",
    "description": "{title}",
    "link": "{page}",
    "imageUrl": "{page}",
    "currency": "CHF",
    "attributes": {"artist": "{title}"},
}
SITE = {"timezone": "Asia/Kathmandu", "currency": "CHF"}
KEY = {"allowedOrigins": ["{origin}"], "rateLimit": "off"}


def event(event_id: str, **changes: Any) -> dict[str, Any]:
    """An event as the other site has one, of the same id, with a text wherever there may be one."""
    return {
        "source": "{source}",
        "pageUrl": "{page}",
        "pageTitle": "{title}",
        "referrer": "{page}",
        "userAgent": BROWSER,
        "language": "de-CH",
        "timezone": "Europe/Zurich",
        "screenResolution": "1920x1080",
        "viewportSize": "800x600",
        **UTM,
        "utmCampaign": "{campaign}",
        "conversionType": "{goal}",
        "conversionCurrency": "EUR",
        "consentVersion": "{kind}",
        "consentPurposes": ["{category}"],
        "properties": {"kind": "{kind}"},
        "honeypot": "",
        "itemToken": "{token}",
        "id": event_id,
        "itemId": "{item}",
        "sessionId": "{session}",
        "visitorId": "{visitor}",
        "userId": "{user}",
        "campaignId": "{campaign}",
        "orderId": "{order}",
        "experimentId": "{experiment}",
        "variant": "{variant}",
        **changes,
    }


Call = tuple[str, dict[str, Any]]

QUERIES: list[Call] = [
    ("site", {}),
    ("item", {"id": "{item}"}),
    ("item", {"id": "{twin}", "tracking": TRACKING}),
    ("items", {}),
    ("items", {"search": "{title}"}),
    ("items", {"filter": {"category": "{category}", "kind": "{kind}"}, "tracking": TRACKING}),
    ("items", {"sort": {"by": "POPULARITY"}}),
    ("itemAnalytics", {"itemId": "{item}", "range": EVER}),
    ("userAnalytics", {"userId": "{user}", "range": EVER}),
    ("popularItems", {"range": WEEKS}),
    ("timeSeries", {"range": WEEKS, "timezone": "Asia/Kathmandu"}),
    ("timeSeries", {"range": PAST}),
    ("timeSeries", {"range": WEEKS, "filter": FILTER}),
    ("overview", {"range": WEEKS}),
    ("overview", {"filter": FILTER}),
    ("report", {"by": ["ITEM", "CATEGORY"], "range": WEEKS}),
    ("report", {"by": ["ITEM"], "range": PAST, "timezone": "UTC"}),
    ("report", {"by": ["SOURCE"], "filter": FILTER}),
    ("experiment", {"experimentId": "{experiment}", "range": WEEKS}),
    (
        "experiment",
        {"experimentId": "{experiment}", "goal": {"type": "CLICK", "itemId": "{item}"}},
    ),
    (
        "experiment",
        {
            "experimentId": "{experiment}",
            "goal": {"type": "CONVERSION", "conversionType": "{goal}"},
            "control": "{variant}",
            "expectedShares": [{"variant": "{variant}", "share": 1}, {"variant": "b", "share": 1}],
        },
    ),
    (
        "experiment",
        {"experimentId": "{experiment}", "goal": {"type": "CUSTOM", "name": "{goal}"}},
    ),
    ("experiments", {"range": WEEKS}),
    ("performanceScore", {"itemId": "{item}", "range": WEEKS}),
    ("performanceScore", {"campaignId": "{campaign}", "range": WEEKS}),
    ("sessionMetrics", {"range": WEEKS}),
    ("sessionMetrics", {"filter": {"visitorId": "{visitor}", "userId": "{user}"}}),
    (
        "sessionMetrics",
        {
            "range": WEEKS,
            "timezone": "Asia/Kathmandu",
            "filter": {
                **UTM,
                "utmCampaign": "{campaign}",
                "entryPage": "{page}",
                "exitPage": "{page}",
                "referrer": "{source}.example",
                "device": "desktop",
                "browser": "Firefox",
                "os": "Linux",
            },
        },
    ),
    ("sessions", {"range": WEEKS}),
    ("sessions", {"range": WEEKS, "after": "{session_cursor}"}),
    ("sessions", {"visitorId": "{visitor}", "userId": "{user}"}),
    ("engagement", {"range": WEEKS, "by": "ITEM"}),
    ("engagement", {"filter": FILTER}),
    ("clickMap", {"itemId": "{item}", "range": WEEKS}),
    ("clickMap", {"page": "{page}", "filter": FILTER}),
    ("trendingItems", {"minimum": 1}),
    ("trendingItems", {"minimum": 1, "filter": FILTER}),
    ("dataQuality", {"range": WEEKS}),
    ("decisions", {}),
    ("decisions", {"filter": LEDGER}),
    ("decisions", {"after": "{decision_cursor}"}),
    ("decisionCounts", {}),
    ("decisionCounts", {"filter": LEDGER}),
    ("explainEvent", {"eventId": "{click}"}),
    ("explainEvent", {"eventId": "{bot}"}),
    ("explainEvent", {"eventId": "{voided}"}),
    ("audit", {}),
    ("funnel", {"steps": [{"type": "IMPRESSION"}, {"type": "CLICK"}], "range": WEEKS}),
    ("funnel", {"steps": [{"itemId": "{item}"}, {"page": "{page}"}], "filter": FILTER}),
    (
        "funnel",
        {
            "steps": [{"type": "CUSTOM", "name": "{goal}"}, {"category": "{category}"}],
            "range": WEEKS,
        },
    ),
    ("retention", {"range": WEEKS, "granularity": "WEEK", "timezone": "Asia/Kathmandu"}),
    ("retention", {"filter": FILTER}),
    ("attribution", {"range": WEEKS}),
    ("attribution", {"filter": FILTER}),
    ("paths", {"itemId": "{item}", "range": WEEKS}),
    ("paths", {"page": "{page}"}),
    ("realtime", {}),
    ("sites", {"includeArchived": True}),
    ("keys", {}),
    ("adminActions", {}),
    ("adminActions", {"action": "rotateItemTokenSecret"}),
    ("exportVisitor", {"visitorId": "{visitor}"}),
    ("exportVisitor", {"visitorId": "{visitor}", "after": "{export_cursor}"}),
    ("exportVisitor", {"userId": "{user}"}),
    ("erasures", {}),
    ("erasure", {"receiptId": "{receipt}"}),
    ("itemTokens", {"itemIds": ["{item}"], "sessionId": "{session}"}),
]
# In this order. What a site's own key is answered differs from what a stranger's is, as well.
MUTATIONS: list[Call] = [
    (
        "createItem",
        {"input": {"id": "{item}", "title": "Mine", "campaignId": "{campaign}", **ITEM}},
    ),
    (
        "updateItem",
        {"id": "{twin}", "input": {"title": "Mine", "campaignId": "{campaign}", **ITEM}},
    ),
    ("archiveItem", {"id": "{twin}"}),
    ("trackImpression", {"input": event("{impression}")}),
    ("trackView", {"input": event("{view}")}),
    ("trackClick", {"input": event("{click}")}),
    ("trackConversion", {"input": event("{conversion}")}),
    ("trackEngagement", {"input": event("{engagement}")}),
    ("trackPageView", {"input": event("{page_view}")}),
    ("trackEvent", {"input": event("{custom}", type="CUSTOM", name="{goal}")}),
    (
        "trackBatch",
        {
            "input": {
                "batchId": "{batch}",
                "events": [event("{bounce}", type="BOUNCE", name="{goal}")],
            }
        },
    ),
    ("releaseEvent", {"eventId": "{bot}"}),
    ("undoVoid", {"voidId": "{void}"}),
    ("voidEvents", {"filter": {"eventIds": ["{voided}"]}, "reason": "mine"}),
    (
        "voidEvents",
        {
            "filter": {
                "itemId": "{item}",
                "sessionId": "{session}",
                "visitorId": "{visitor}",
                "userId": "{user}",
                "source": "{source}",
            },
            "reason": "mine",
        },
    ),
    ("rotateItemTokenSecret", {}),
    (
        "updateSite",
        {
            "input": {
                "name": "Mine",
                "excludedItems": ["{item}"],
                "excludedSources": ["{source}"],
                "excludedAddresses": ["198.51.100.0/24"],
                "allowedOrigins": ["{origin}"],
                **SITE,
            }
        },
    ),
    ("cleanOldEvents", {"daysToKeep": 3}),
    ("eraseVisitor", {"visitorId": "{forgotten_visitor}"}),
    ("eraseVisitor", {"userId": "{forgotten_user}"}),
    ("createKey", {"input": {"scope": "READ", "label": "mine", **KEY}}),
    ("updateKey", {"id": "{key}", "input": {"label": "mine", **KEY}}),
    ("rotateKey", {"id": "{key}"}),
    ("revokeKey", {"id": "{key}"}),
    ("createSite", {"input": {"id": "{site}", "name": "{title}", **SITE}}),
    ("archiveSite", {"id": "{site}"}),
    ("restoreSite", {"id": "{site}"}),
]
# What only the instance's owner may do; to others it is forbidden, whatever they name.
OF_THE_OWNER = {"sites", "createSite", "archiveSite", "restoreSite"}
# With how many messages one event of the stranger's own brings about: what it is told at first, and then.
SUBSCRIPTIONS: list[tuple[str, dict[str, Any], int]] = [
    ("realtime", {"everySeconds": 1}, 2),
    ("eventFeed", {}, 2),
    ("eventFeed", {"itemId": "{item}"}, 2),
]
# Answers to which no data of any site goes: a site's own key is told the same as a stranger's.
SAME_FOR_ALL = {"createKey"}
# Arguments below root fields: none of them names anything that is a site's.
HARMLESS_ARGUMENTS = {"Item.analytics.range", "Item.related.limit"}
