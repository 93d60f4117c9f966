"""A key of one site can neither read nor change nor learn of another's."""

from typing import Any

import pytest
from graphql import FieldNode, parse

from app.api import build_schema
from tests.conftest import OTHER_SITE_KEYS
from tests.sockets import connected

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
METRICS = "events impressions clicks uniqueVisitors uniqueUsers uniqueSessions revenue"

# One operation for every root field that reads or changes what is there. What other operations
# make is theirs alone, and ALONE says so.
OPERATIONS = [
    "{ site { id name timezone currency consentRequired } }",
    '{ item(id: "lot-1") { id title analytics { impressions } related { id } } }',
    '{ items(search: "vase") { data { id } pagination { total } } }',
    "{ items(sort: {by: POPULARITY}) { data { id } } }",
    '{ itemAnalytics(itemId: "lot-1", range: {preset: ALL}) { impressions clicks } }',
    '{ userAnalytics(userId: "user-1") { impressions clicks viewedItems clickedItems } }',
    "{ popularItems { itemId item { title } impressions } }",
    "{ timeSeries(range: {preset: LAST_7_DAYS}) { start metrics { events uniqueVisitors } } }",
    f"{{ overview {{ current {{ {METRICS} }} changePercent }} }}",
    "{ report(by: [ITEM, CATEGORY]) { totals { events } rows { dimensions { value } } meta { rows } } }",
    '{ experiment(experimentId: "ab") { variants { variant visitors } warnings { code } } }',
    "{ experiments { experimentId variants events } }",
    '{ performanceScore(itemId: "lot-1") { score sampleSize { events } } }',
    "{ sessionMetrics { sessions { value } visitors { value } entryPages { page } } }",
    "{ sessions { data { id sessionId visitorId } nextCursor } }",
    "{ engagement(by: ITEM) { duration { count } scrollDepth { pages } rows { dimension { value } } } }",
    '{ clickMap(itemId: "lot-1") { clicks withoutPosition maximum } }',
    "{ trendingItems(minimum: 1) { items { itemId item { title } current } } }",
    "{ dataQuality { severity checks { value total finding } overclickedItems { itemId } } }",
    "{ decisions { data { eventId } nextCursor } }",
    "{ decisionCounts { start count } }",
    '{ explainEvent(eventId: "click-1") { state event decisions { reason } } }',
    '{ explainEvent(eventId: "bot-1") { state event decisions { reason } } }',
    "{ audit { received accepted endings { count } checks { reported } } }",
    "{ funnel(steps: [{type: IMPRESSION}, {type: CLICK}]) { steps { visitors medianSeconds } } }",
    "{ retention { cohorts { start visitors } overall { visitors } } }",
    "{ attribution { total { conversions } rows { value direct credit { conversions } } } }",
    '{ paths(itemId: "lot-1") { sessions rows { value sessions } ended } }',
    "{ realtime { activeVisitors events byType { type events } topItems { itemId item { title } } } }",
    'mutation { updateItem(id: "lot-1", input: {title: "Mine"}) { id } }',
    'mutation { archiveItem(id: "lot-1") { id } }',
    "mutation { cleanOldEvents(daysToKeep: 0) { events } }",
    'mutation { releaseEvent(eventId: "bot-1") { verdict } }',
    'mutation { undoVoid(voidId: "%(void)s") }',
]
# One for every subscription, with how many messages one event of the site's own brings about: what it
# is told at first, and then.
SUBSCRIPTIONS = {
    "subscription { realtime(everySeconds: 1) { activeVisitors activeSessions events "
    "byType { type events } topItems { itemId item { title } } topPages { page } } }": 2,
    "subscription { eventFeed { kind at event { eventId type itemId visitor session } } }": 2,
}
ALONE = {
    "createItem",
    "updateSite",
    "voidEvents",
    *(f"track{what}" for what in ("Impression", "View", "Click", "Conversion", "Engagement")),
    *(f"track{what}" for what in ("PageView", "Event", "Batch")),
}
COLLECTIONS = ("api_keys", "decisions", "events", "items", "session_items", "sites")


def root_field(operation: str) -> str:
    [definition] = parse(operation).definitions
    [field] = definition.selection_set.selections
    assert isinstance(field, FieldNode)
    return field.name.value


async def fill(api: Any) -> str:
    """Data of every kind on the site demo; the id of a void."""
    await api.ask('mutation { createItem(input: {id: "lot-1", title: "Vase"}) { id } }')
    who = {"itemId": "lot-1", "userId": "user-1", "visitorId": "v", "sessionId": "s"}
    await api.track(
        {"type": "IMPRESSION", "experimentId": "ab", "variant": "a", **who},
        {"type": "CLICK", "id": "click-1", **who},
        {"type": "CLICK", "id": "click-2", **who},
        {"type": "CONVERSION", "conversionValue": "5", "id": "sale-1", **who},
        {"type": "CLICK", "id": "bot-1", "userAgent": GOOGLEBOT, **who},
    )
    void = await api.ask(
        'mutation { voidEvents(filter: {eventIds: ["sale-1"]}, reason: "x") { voidId } }'
    )
    return str(void["voidEvents"]["voidId"])


async def stored_of_demo(api: Any) -> dict[str, list[Any]]:
    """Everything stored that is the site demo's."""
    of_demo = {"$or": [{"site": "demo"}, {"_id": {"$regex": "^demo(:|$)"}}]}
    return {
        name: await api.database[name].find(of_demo).sort("_id").to_list(None)
        for name in COLLECTIONS
    }


def test_every_root_field_is_walked() -> None:
    """A new field of Query, Mutation or Subscription without an operation here fails."""
    schema = build_schema()
    subscriptions = {root_field(operation) for operation in SUBSCRIPTIONS}
    assert set(schema._schema.subscription_type.fields) == subscriptions
    fields = set(schema._schema.query_type.fields) | set(schema._schema.mutation_type.fields)
    assert fields == {root_field(operation) for operation in OPERATIONS} | ALONE


async def test_another_site_answers_as_if_there_were_none(api: Any) -> None:
    """Every answer is byte for byte what it was before the other site had anything, and nothing of
    the other site has changed."""
    nothing = "00000000-0000-7000-8000-000000000000"
    before = [
        await api.post(o % {"void": nothing} if "%(" in o else o, keys=OTHER_SITE_KEYS)
        for o in OPERATIONS
    ]
    void = await fill(api)
    stored = await stored_of_demo(api)
    assert all(stored[name] for name in COLLECTIONS)
    after = [
        await api.post(o % {"void": void} if "%(" in o else o, keys=OTHER_SITE_KEYS)
        for o in OPERATIONS
    ]
    for operation, was, now in zip(OPERATIONS, before, after, strict=True):
        assert now == was, operation
    assert await stored_of_demo(api) == stored


@pytest.mark.parametrize(("subscription", "messages"), SUBSCRIPTIONS.items())
async def test_subscribers_hear_nothing_of_another_site(
    make_api: Any, subscription: str, messages: int
) -> None:
    """What they are sent is the same whether the other site tracks everything or nothing meanwhile."""
    heard = []
    for other_site_is_busy in (False, True):
        api = await make_api()
        async with connected(api, keys=OTHER_SITE_KEYS) as socket, connected(api) as of_demo:
            operation = socket.start(subscription)
            told = [await socket.next(operation)]
            if other_site_is_busy:
                theirs = of_demo.start(subscription)
                await of_demo.next(theirs)
                await fill(api)
                await of_demo.next(theirs)  # so that it has been there to be heard
            own = {"type": "PAGE_VIEW", "id": "own", "visitorId": "v", "sessionId": "s"}
            await api.track(own, keys=OTHER_SITE_KEYS)
            told += [await socket.next(operation) for _ in range(messages - 1)]
            socket.complete(operation)
            assert socket.waiting(operation) == 0
        heard.append(told)
    assert heard[0] == heard[1]


async def test_the_same_ids_are_separate_things_on_two_sites(api: Any) -> None:
    """Items, events, sessions, visitors and orders of one name collide with nobody's."""
    await fill(api)
    create = 'mutation { createItem(input: {id: "lot-1", title: "Theirs"}) { id } }'
    await api.ask(create, keys=OTHER_SITE_KEYS)
    who = {"itemId": "lot-1", "userId": "user-1", "visitorId": "v", "sessionId": "s"}
    results = await api.track(
        {"type": "IMPRESSION", **who},
        {"type": "CLICK", "id": "click-1", **who},
        keys=OTHER_SITE_KEYS,
    )
    assert [result["verdict"] for result in results] == ["ACCEPTED", "ACCEPTED"]
    title = '{ item(id: "lot-1") { title } }'
    assert (await api.ask(title))["item"]["title"] == "Vase"
    assert (await api.ask(title, keys=OTHER_SITE_KEYS))["item"]["title"] == "Theirs"
    clicks = "{ overview { current { clicks } } }"
    assert (await api.ask(clicks, keys=OTHER_SITE_KEYS))["overview"]["current"]["clicks"] == 1
