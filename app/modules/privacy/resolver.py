"""The queries and mutations of privacy."""

from typing import Annotated

import strawberry

from app.core.admin_actions import note_person, note_target
from app.core.auth import Scope, require
from app.core.context import Info
from app.core.errors import BadInputError
from app.core.permissions import ADMIN, ADMIN_ALSO_ARCHIVED, ADMIN_RECORDED
from app.core.subjects import Subject, SubjectKind
from app.core.texts import check_id
from app.modules.privacy.erasing import ErasureService
from app.modules.privacy.exporting import ExportService
from app.modules.privacy.types import ErasureReceipt, VisitorExport

VisitorId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The visitor: whose events carry this visitorId."),
]
UserId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The user: whose events carry this userId."),
]


def subject_of(visitor_id: str | None, user_id: str | None) -> Subject:
    """Who is named by exactly one of the two. Raises BadInputError."""
    named = [(SubjectKind.VISITOR, "visitorId", visitor_id), (SubjectKind.USER, "userId", user_id)]
    given = [(kind, field, value) for kind, field, value in named if value is not None]
    if len(given) != 1:
        raise BadInputError("give either visitorId or userId")
    [(kind, field, value)] = given
    return Subject(kind, check_id(value, field))


@strawberry.type
class PrivacyQuery:
    @strawberry.field(
        extensions=ADMIN_RECORDED,
        description="Everything that is stored of a visitor or a user: exactly what eraseVisitor "
        "would remove. Page by page.",
    )
    async def export_visitor(
        self,
        info: Info,
        visitor_id: VisitorId = None,
        user_id: UserId = None,
        limit: Annotated[
            int | None, strawberry.argument(description="Records on a page, from 1 to 1,000.")
        ] = 500,
        after: Annotated[
            str | None, strawberry.argument(description="nextCursor of the page before.")
        ] = None,
    ) -> VisitorExport:
        principal = require(info.context.principal, Scope.ADMIN)
        subject = subject_of(visitor_id, user_id)
        note_person(subject.kind.value, subject.id)
        page = await info.context.get(ExportService).page(
            principal.site, subject, 500 if limit is None else limit, after
        )
        return VisitorExport.of(page)

    @strawberry.field(extensions=ADMIN, description="Receipts of what was erased, newest first.")
    async def erasures(
        self,
        info: Info,
        limit: Annotated[
            int | None, strawberry.argument(description="How many, from 1 to 500.")
        ] = 50,
    ) -> list[ErasureReceipt]:
        principal = require(info.context.principal, Scope.ADMIN)
        found = await info.context.get(ErasureService).newest(
            principal.site, 50 if limit is None else limit
        )
        return [ErasureReceipt.of(erasure) for erasure in found]

    @strawberry.field(
        extensions=ADMIN, description="One receipt, as to see whether the erasure has ended."
    )
    async def erasure(
        self,
        info: Info,
        receipt_id: Annotated[
            strawberry.ID, strawberry.argument(description="Of the receipt that was answered.")
        ],
    ) -> ErasureReceipt:
        principal = require(info.context.principal, Scope.ADMIN)
        found = await info.context.get(ErasureService).receipt(
            principal.site, check_id(receipt_id, "receiptId")
        )
        return ErasureReceipt.of(found)


@strawberry.type
class PrivacyMutation:
    @strawberry.mutation(
        extensions=ADMIN_ALSO_ARCHIVED,
        description="Erase a visitor or a user for good: events, sessions, records in the ledger, and "
        "everything that was computed of them, sketches included. Reports then are what the events "
        "that are left say. What arrives of them afterwards is stored again. docs/privacy.md says "
        "what the database's own log and backups keep, and for how long.",
    )
    async def erase_visitor(
        self, info: Info, visitor_id: VisitorId = None, user_id: UserId = None
    ) -> ErasureReceipt:
        principal = require(info.context.principal, Scope.ADMIN)
        erasure, proof = await info.context.get(ErasureService).erase(
            principal.site, subject_of(visitor_id, user_id)
        )
        # Not who: the log would then remember what is to be forgotten.
        note_target(erasure.id)
        return ErasureReceipt.of(erasure, proof)
