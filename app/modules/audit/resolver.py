"""The query of the audit."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.modules.audit.service import AuditService
from app.modules.audit.types import Audit


@strawberry.type
class AuditQuery:
    @strawberry.field(
        extensions=READ,
        description="Recount a range from what is stored and compare it with what reports answer.",
    )
    async def audit(
        self,
        info: Info,
        start: Annotated[
            datetime | None,
            strawberry.argument(description="The first instant. Default: the site's first event."),
        ] = None,
        end: Annotated[
            datetime | None,
            strawberry.argument(description="The first instant after the range. Default: now."),
        ] = None,
    ) -> Audit:
        principal = require(info.context.principal, Scope.READ)
        return Audit.of(await info.context.get(AuditService).audit(principal.site, start, end))
