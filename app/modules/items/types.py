"""The GraphQL types of the catalogue."""

import decimal
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
from strawberry.scalars import JSON

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.errors import BadInputError, LimitExceededError
from app.core.pagination import Pagination
from app.modules.items.enums import ItemStatus
from app.modules.items.loaders import RelatedTo, analytics_loader, related_loader
from app.modules.items.related import Likeness
from app.schemas import Item as ItemDocument

if TYPE_CHECKING:  # of the analytics module, known here by name only
    ItemAnalytics = Any
    RangeInput = Any

MAX_RELATED = 50
MAX_RELATED_IN_ALL = 1_000


@strawberry.type(description="An item of the catalogue: an auction lot, a banner, a product.")
class Item:
    id: strawberry.ID = strawberry.field(description="Its id on the site.")
    title: str = strawberry.field(description="What it is called.")
    kind: str = strawberry.field(description='"auction", "banner", "product", ...')
    description: str | None = strawberry.field(description="More about it.")
    category: str | None = strawberry.field(description="What it belongs to.")
    status: ItemStatus = strawberry.field(description="Where it is in its life.")
    price: decimal.Decimal | None = strawberry.field(description="Its price, in currency.")
    currency: str | None = strawberry.field(description="ISO 4217 code of the price's currency.")
    image_url: str | None = strawberry.field(description="Address or path of a picture of it.")
    link: str | None = strawberry.field(description="Address or path that it leads to.")
    campaign_id: strawberry.ID | None = strawberry.field(
        description="The campaign that it belongs to."
    )
    starts_at: datetime | None = strawberry.field(description="When it begins to be on offer.")
    ends_at: datetime | None = strawberry.field(description="When it ceases to be on offer.")
    attributes: JSON | None = strawberry.field(description="Anything else about it, as an object.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was changed last.")
    # How many items the answer may have at this one's place: the product of the limits around it.
    among: strawberry.Private[int] = 1

    @classmethod
    def of(cls, document: ItemDocument, among: int = 1) -> "Item":
        price, campaign = document.price, document.campaign
        return cls(
            id=strawberry.ID(document.item),
            title=document.title,
            kind=document.kind,
            description=document.description,
            category=document.category,
            status=document.status,
            price=None if price is None else price.to_decimal(),
            currency=document.currency,
            image_url=document.image_url,
            link=document.link,
            campaign_id=None if campaign is None else strawberry.ID(campaign),
            starts_at=document.starts_at,
            ends_at=document.ends_at,
            attributes=cast("JSON | None", document.attributes),
            created_at=document.created_at,
            updated_at=document.updated_at,
            among=among,
        )

    @strawberry.field(description="What happened to the item in a range of time.")
    async def analytics(
        self,
        info: Info,
        range: Annotated[
            Annotated["RangeInput", strawberry.lazy("app.modules.analytics.types")] | None,
            strawberry.argument(description="The range. Default: the last 30 days."),
        ] = None,
    ) -> Annotated["ItemAnalytics", strawberry.lazy("app.modules.analytics.types")]:
        principal = require(info.context.principal, Scope.READ)
        return await analytics_loader(info.context, principal.site, range).load(self.id)

    @strawberry.field(
        description="Other ACTIVE items like this one: of the same category, newest first, then of "
        "the same kind, newest first. In a list of items the list's limit times this one may be at "
        f"most {MAX_RELATED_IN_ALL:,}; beyond it is LIMIT_EXCEEDED."
    )
    async def related(
        self,
        info: Info,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many at most, 1 to {MAX_RELATED}."),
        ] = 5,
    ) -> list["Item"]:
        principal = require(info.context.principal, Scope.READ)
        limit = 5 if limit is None else limit
        if not 1 <= limit <= MAX_RELATED:
            raise BadInputError(f"must be from 1 to {MAX_RELATED}", "limit")
        among = self.among * limit
        if among > MAX_RELATED_IN_ALL:
            raise LimitExceededError(
                f"times the limits around it must be at most {MAX_RELATED_IN_ALL}", "limit"
            )
        asked = RelatedTo(self.id, Likeness(self.category, self.kind))
        found = await related_loader(info.context, principal.site, limit).load(asked)
        return [Item.of(document, among) for document in found]


@strawberry.type(description="One page of items.")
class ItemPage:
    data: list[Item] = strawberry.field(description="The items, in the order asked for.")
    pagination: Pagination = strawberry.field(description="Which page this is.")
