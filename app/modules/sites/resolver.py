"""The queries and mutations of sites."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import ADMIN, OWNER, READ
from app.modules.sites.service import SiteService
from app.modules.sites.types import CreateSiteInput, Site, UpdateSiteInput

SiteId = Annotated[strawberry.ID, strawberry.argument(description="The site's short name.")]


@strawberry.type
class SitesQuery:
    @strawberry.field(
        extensions=READ,
        description="The site that the key belongs to, or that the owner's request names.",
    )
    async def site(self, info: Info) -> Site:
        principal = require(info.context.principal, Scope.READ)
        return Site.of(await info.context.get(SiteService).get(principal.site))

    @strawberry.field(
        extensions=OWNER, description="Every site, by its short name. For the instance's owner."
    )
    async def sites(
        self,
        info: Info,
        include_archived: Annotated[
            bool | None, strawberry.argument(description="Archived ones too.")
        ] = False,
    ) -> list[Site]:
        require(info.context.principal, Scope.OWNER)
        service = info.context.get(SiteService)
        return [Site.of(site) for site in await service.all(archived=bool(include_archived))]


@strawberry.type
class SitesMutation:
    @strawberry.mutation(
        extensions=ADMIN,
        description="Change settings of the key's site, or of the one that the owner's request names.",
    )
    async def update_site(
        self,
        info: Info,
        input: Annotated[UpdateSiteInput, strawberry.argument(description="What to change.")],
    ) -> Site:
        principal = require(info.context.principal, Scope.ADMIN)
        service = info.context.get(SiteService)
        return Site.of(await service.update(principal.site, input.changes()))

    @strawberry.mutation(
        extensions=OWNER,
        description="Make a site. It has no keys yet: the owner makes them, naming the site. For the "
        "instance's owner.",
    )
    async def create_site(
        self,
        info: Info,
        input: Annotated[CreateSiteInput, strawberry.argument(description="The new site.")],
    ) -> Site:
        require(info.context.principal, Scope.OWNER)
        service = info.context.get(SiteService)
        return Site.of(await service.create(input.id, input.settings()))

    @strawberry.mutation(
        extensions=OWNER,
        description="Take in and change nothing more on a site: events and changes are FORBIDDEN within "
        "seconds, in every process. Its keys go on asking, and what is stored stays as long as it would "
        "have. For the instance's owner.",
    )
    async def archive_site(self, info: Info, id: SiteId) -> Site:
        require(info.context.principal, Scope.OWNER)
        return Site.of(await info.context.get(SiteService).archive(id))

    @strawberry.mutation(
        extensions=OWNER,
        description="Use an archived site again, with the keys and settings that it had. For the "
        "instance's owner.",
    )
    async def restore_site(self, info: Info, id: SiteId) -> Site:
        require(info.context.principal, Scope.OWNER)
        return Site.of(await info.context.get(SiteService).restore(id))
