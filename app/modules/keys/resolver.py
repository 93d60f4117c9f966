"""The query and the mutations of API keys."""

from datetime import timedelta
from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import ADMIN, ADMIN_ALSO_ARCHIVED
from app.modules.keys.service import MAX_GRACE, MAX_USABLE, KeyService
from app.modules.keys.types import (
    ApiKey,
    CreatedKey,
    CreateKeyInput,
    UpdateKeyInput,
    given_attributes,
)

KeyId = Annotated[strawberry.ID, strawberry.argument(description="The key's id.")]
_MAX_GRACE_SECONDS = int(MAX_GRACE.total_seconds())


@strawberry.type
class KeysQuery:
    @strawberry.field(
        extensions=ADMIN,
        description="The API keys of the site: those that can be used first, then those that have "
        "ended, each the newest first. Needs an admin key.",
    )
    async def keys(self, info: Info) -> list[ApiKey]:
        principal = require(info.context.principal, Scope.ADMIN)
        found = await info.context.get(KeyService).list_keys(principal.site)
        return [ApiKey.of(key) for key in found]


@strawberry.type
class KeysMutation:
    @strawberry.mutation(
        extensions=ADMIN,
        description="Make an API key of the site. The key itself is in this answer alone. A site may "
        f"have {MAX_USABLE} keys that can be used.",
    )
    async def create_key(
        self,
        info: Info,
        input: Annotated[CreateKeyInput, strawberry.argument(description="The key.")],
    ) -> CreatedKey:
        principal = require(info.context.principal, Scope.ADMIN)
        attributes = given_attributes(input)
        label = attributes.pop("label")
        service = info.context.get(KeyService)
        return CreatedKey.of(
            await service.create_key(principal.site, input.scope.scope, label, attributes)
        )

    @strawberry.mutation(
        extensions=ADMIN,
        description="Change what a key has been given, in every process within 5 s. A key that is "
        "revoked or has expired cannot be changed: CONFLICT.",
    )
    async def update_key(
        self,
        info: Info,
        id: KeyId,
        input: Annotated[UpdateKeyInput, strawberry.argument(description="What changes.")],
    ) -> ApiKey:
        principal = require(info.context.principal, Scope.ADMIN)
        service = info.context.get(KeyService)
        return ApiKey.of(await service.update_key(principal.site, id, given_attributes(input)))

    @strawberry.mutation(
        extensions=ADMIN,
        description="Make a new key in place of another one, with the same scope, label, origins, rate "
        "and end. The old one is revoked at once, or after a grace in which both can be used.",
    )
    async def rotate_key(
        self,
        info: Info,
        id: KeyId,
        grace_seconds: Annotated[
            int | None,
            strawberry.argument(
                description="Seconds for which the old key can still be used, 0 to "
                f"{_MAX_GRACE_SECONDS} (7 days)."
            ),
        ] = 0,
    ) -> CreatedKey:
        principal = require(info.context.principal, Scope.ADMIN)
        grace = timedelta(seconds=grace_seconds or 0)
        return CreatedKey.of(
            await info.context.get(KeyService).rotate_key(principal.site, id, grace)
        )

    @strawberry.mutation(
        extensions=ADMIN_ALSO_ARCHIVED,
        description="Revoke a key: refused in every process within 5 s, and open connections that were "
        "made with it are closed within 10 s. The last admin key of a site that can be used is kept "
        "(CONFLICT), unless the instance's owner asks. A key that has ended stays as it is.",
    )
    async def revoke_key(self, info: Info, id: KeyId) -> ApiKey:
        principal = require(info.context.principal, Scope.ADMIN)
        service = info.context.get(KeyService)
        return ApiKey.of(
            await service.revoke_key(principal.site, id, even_the_last=principal.is_owner)
        )
