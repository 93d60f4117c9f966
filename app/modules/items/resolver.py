"""The queries and mutations of the catalogue."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.core.auth import Principal, Scope, require
from app.core.context import Info
from app.core.pagination import Pagination
from app.core.permissions import ADMIN_UNRECORDED, READ
from app.core.ports import ImpressionTracker, ShownItems
from app.modules.items.inputs import (
    CreateItemInput,
    ItemFilter,
    ItemSort,
    TrackingContext,
    UpdateItemInput,
    fields_of,
    item_query,
)
from app.modules.items.service import ItemService
from app.modules.items.types import Item, ItemPage

ItemId = Annotated[strawberry.ID, strawberry.argument(description="The item.")]
Tracking = Annotated[
    TrackingContext | None,
    strawberry.argument(description="Whom the answer is shown to: tracks an impression of each."),
]


def _track(
    info: Info,
    principal: Principal,
    tracking: TrackingContext | None,
    item_ids: Sequence[str],
    source: str,
    first_position: int | None,
) -> None:
    """Track what is about to be answered, where that is asked for."""
    if tracking is None:
        return
    shown = ShownItems(
        item_ids=item_ids,
        session_id=tracking.session_id,
        source=tracking.source or source,
        first_position=first_position,
        visitor_id=tracking.visitor_id,
        user_id=tracking.user_id,
    )
    info.context.get(ImpressionTracker).track_items(principal, info.context.request, shown)


@strawberry.type
class ItemsQuery:
    @strawberry.field(
        extensions=READ,
        description="One item, archived or not; null where the site has none of this id.",
    )
    async def item(self, info: Info, id: ItemId, tracking: Tracking = None) -> Item | None:
        principal = require(info.context.principal, Scope.READ)
        document = await info.context.get(ItemService).get(principal.site, id)
        if document is None:
            return None
        _track(info, principal, tracking, [document.item], "item", None)
        return Item.of(document)

    @strawberry.field(
        extensions=READ,
        description="Items of the catalogue, page by page. Items past the 10,000th cannot be reached: "
        "narrow the search instead.",
    )
    async def items(
        self,
        info: Info,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="Words to look for in title, category and description, at most 200 "
                "characters. An item must have every word, whole, in any order and in any of the three. "
                "Upper and lower case and accents make no difference. Words are letters and digits; "
                "everything else stands between words, and none of it is an operator: -word and "
                '"word" look for word.'
            ),
        ] = None,
        filter: Annotated[
            ItemFilter | None, strawberry.argument(description="Which items.")
        ] = None,
        sort: Annotated[
            ItemSort | None,
            strawberry.argument(
                description="Default: by RELEVANCE with a search, else by CREATED_AT; DESC."
            ),
        ] = None,
        page: Annotated[int | None, strawberry.argument(description="Which page, from 1.")] = 1,
        limit: Annotated[
            int | None, strawberry.argument(description="How many on a page, 1 to 100.")
        ] = 20,
        tracking: Tracking = None,
    ) -> ItemPage:
        principal = require(info.context.principal, Scope.READ)
        query = item_query(search, filter, sort, page, limit)
        documents, total = await info.context.get(ItemService).find(principal.site, query)
        ids = [document.item for document in documents]
        _track(info, principal, tracking, ids, "search", query.skip + 1)
        return ItemPage(
            data=[Item.of(document, query.limit) for document in documents],
            pagination=Pagination.of(query.page, query.limit, total),
        )


@strawberry.type
class ItemsMutation:
    @strawberry.mutation(extensions=ADMIN_UNRECORDED, description="Add an item to the catalogue.")
    async def create_item(
        self,
        info: Info,
        input: Annotated[CreateItemInput, strawberry.argument(description="The item.")],
    ) -> Item:
        principal = require(info.context.principal, Scope.ADMIN)
        service = info.context.get(ItemService)
        return Item.of(await service.create(principal.site, fields_of(input)))

    @strawberry.mutation(
        extensions=ADMIN_UNRECORDED,
        description="Change the given fields of an item, all of them at once or none.",
    )
    async def update_item(
        self,
        info: Info,
        id: ItemId,
        input: Annotated[UpdateItemInput, strawberry.argument(description="What changes.")],
    ) -> Item:
        principal = require(info.context.principal, Scope.ADMIN)
        service = info.context.get(ItemService)
        return Item.of(await service.update(principal.site, id, fields_of(input)))

    @strawberry.mutation(
        extensions=ADMIN_UNRECORDED,
        description="Put an item away: its status becomes ARCHIVED. Its events stay. An item that is "
        "archived already stays as it is.",
    )
    async def archive_item(self, info: Info, id: ItemId) -> Item:
        principal = require(info.context.principal, Scope.ADMIN)
        return Item.of(await info.context.get(ItemService).archive(principal.site, id))
