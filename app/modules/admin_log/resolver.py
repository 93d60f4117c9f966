"""The query of the log of admin actions."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.core.auth import INSTANCE, Scope, require
from app.core.context import Info
from app.core.permissions import ADMIN
from app.core.ports import Ranges
from app.modules.admin_log.service import MAX_PAGE_SIZE, MAX_REACHED, AdminLogService
from app.modules.admin_log.types import AdminActionPage

if TYPE_CHECKING:
    RangeInput = Any

DEFAULT_LIMIT = 50


@strawberry.type
class AdminLogQuery:
    @strawberry.field(
        extensions=ADMIN,
        description="What admins have changed on the site, newest first: by which key or from the "
        "command line, what exactly, and what became of it. Needs an admin key. It is kept for "
        "FOOTFALL_ADMIN_LOG_RETENTION_DAYS. (`audit` is something else: it recounts events.)",
    )
    async def admin_actions(
        self,
        info: Info,
        range: Annotated[
            Annotated["RangeInput", strawberry.lazy("app.modules.analytics.types")] | None,
            strawberry.argument(description="When they were begun. Default: the last 30 days."),
        ] = None,
        action: Annotated[
            str | None,
            strawberry.argument(
                description='Only actions of this name, such as "revokeKey". Default: all.'
            ),
        ] = None,
        page: Annotated[
            int | None,
            strawberry.argument(
                description=f"Which page, from 1. Actions past the {MAX_REACHED:,}th cannot be reached: "
                "narrow the range instead."
            ),
        ] = 1,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many on a page, 1 to {MAX_PAGE_SIZE}."),
        ] = DEFAULT_LIMIT,
        of_instance: Annotated[
            bool | None,
            strawberry.argument(
                description="For the instance's owner: what was done to no site, such as a new key of "
                "the owner, instead of what was done to the site that the request names."
            ),
        ] = False,
    ) -> AdminActionPage:
        principal = require(info.context.principal, Scope.ADMIN)
        if of_instance:
            require(principal, Scope.OWNER)
        start, end = await info.context.get(Ranges).resolve(principal.site, range)
        found = await info.context.get(AdminLogService).page(
            INSTANCE if of_instance else principal.site,
            start,
            end,
            action,
            1 if page is None else page,
            DEFAULT_LIMIT if limit is None else limit,
        )
        return AdminActionPage.of(found)
