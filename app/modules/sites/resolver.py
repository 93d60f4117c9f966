"""The queries of sites."""

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import Needs
from app.modules.sites.service import SiteService
from app.modules.sites.types import Site


@strawberry.type
class SitesQuery:
    @strawberry.field(
        extensions=[Needs(Scope.READ)], description="The site that the key belongs to."
    )
    async def site(self, info: Info) -> Site:
        principal = require(info.context.principal, Scope.READ)
        return Site.of(await info.context.get(SiteService).get(principal.site))
