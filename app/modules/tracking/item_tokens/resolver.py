"""The query and the mutation of item tokens."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import ADMIN, READ
from app.modules.tracking.enums import EventType
from app.modules.tracking.item_tokens.service import DAY, ItemTokens
from app.modules.tracking.item_tokens.types import ItemToken, ItemTokenSecret


@strawberry.type
class ItemTokensQuery:
    @strawberry.field(
        extensions=READ,
        description="Signed tokens for items that a server is about to show, to be sent along by the page "
        "as itemToken. For hosts that ask Footfall while they render; others sign for themselves "
        "(docs/item-tokens.md). CONFLICT before the first rotateItemTokenSecret.",
    )
    async def item_tokens(
        self,
        info: Info,
        item_ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(
                description="The items, 1 to 1,000. They need not be in the catalogue."
            ),
        ],
        types: Annotated[
            list[EventType] | None,
            strawberry.argument(description="The event types that they are for. Default: any."),
        ] = None,
        session_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The session that they are for, which events must name as sessionId. "
                "Default: any."
            ),
        ] = None,
        expires_in: Annotated[
            int | None,
            strawberry.argument(
                description="Seconds that they are accepted for, 1 to 2,592,000 (30 days)."
            ),
        ] = DAY,
    ) -> list[ItemToken]:
        principal = require(info.context.principal, Scope.READ)
        tokens, expires_at = await info.context.get(ItemTokens).sign(
            principal.site,
            item_ids,
            types or (),
            session_id,
            DAY if expires_in is None else expires_in,
        )
        return [
            ItemToken(item_id=item_id, token=token, expires_at=expires_at)
            for item_id, token in zip(item_ids, tokens, strict=True)
        ]


@strawberry.type
class ItemTokensMutation:
    @strawberry.mutation(
        extensions=ADMIN,
        description="Make a new secret for signing item tokens, the first or the next. Every process "
        "knows it within 5 seconds. The one before is accepted for a while, any older one no longer.",
    )
    async def rotate_item_token_secret(
        self,
        info: Info,
        previous_valid_for: Annotated[
            int | None,
            strawberry.argument(
                description="Seconds that tokens of the secret before are still accepted, 0 to "
                "2,592,000 (30 days). 0 where it has leaked."
            ),
        ] = DAY,
    ) -> ItemTokenSecret:
        principal = require(info.context.principal, Scope.ADMIN)
        valid_for = DAY if previous_valid_for is None else previous_valid_for
        return ItemTokenSecret.of(
            await info.context.get(ItemTokens).rotate(principal.site, valid_for)
        )
