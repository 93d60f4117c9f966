"""The queries and mutations of sites."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import Needs
from app.modules.sites.service import SiteService
from app.modules.sites.types import Site, UpdateSiteInput


@strawberry.type
class SitesQuery:
    @strawberry.field(
        extensions=[Needs(Scope.READ)], description="The site that the key belongs to."
    )
    async def site(self, info: Info) -> Site:
        principal = require(info.context.principal, Scope.READ)
        return Site.of(await info.context.get(SiteService).get(principal.site))


@strawberry.type
class SitesMutation:
    @strawberry.mutation(
        extensions=[Needs(Scope.ADMIN)], description="Change settings of the key's site."
    )
    async def update_site(
        self,
        info: Info,
        input: Annotated[UpdateSiteInput, strawberry.argument(description="What to change.")],
    ) -> Site:
        principal = require(info.context.principal, Scope.ADMIN)
        service = info.context.get(SiteService)
        return Site.of(await service.update(principal.site, input.changes()))
