"""The GraphQL types of privacy."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from app.core.described import described
from app.core.enums import graphql_enum
from app.core.scalars import Long
from app.core.subjects import SubjectKind
from app.modules.privacy.erasing import GONE_EVENTS
from app.modules.privacy.exporting import Page
from app.repositories.personal_data import DECISIONS, EVENTS, SESSIONS
from app.schemas import Erasure as ErasureDocument

graphql_enum(
    SubjectKind,
    "By which of an event's ids somebody is named.",
    {"VISITOR": "By visitorId.", "USER": "By userId."},
)


@strawberry.type(description="How much an erasure removed.")
class Erased:
    events: Long = described("Events, also those that an admin had withdrawn.")
    sessions: Long = described("Sessions that named them.")
    decisions: Long = described("Records of events that were not counted.")
    gone_events: Long = described(
        "Events that were deleted before, of which the rollups still had the numbers."
    )


@strawberry.type(
    description="That somebody was erased. It names nobody: `digest` is keyed with `proof`, which is "
    "answered once and stored nowhere. Who has the proof and the id can show that the id was erased."
)
class ErasureReceipt:
    receipt_id: strawberry.ID = described("Of the receipt; later ones sort later.")
    kind: SubjectKind = described("By which id they were named.")
    digest: str = described(
        "HMAC-SHA256, hex, of `visitor:ID` or `user:ID`, with the text of the proof as key."
    )
    proof: str | None = described("Only in the answer of eraseVisitor: keep it with the receipt.")
    requested_at: datetime = described("When the erasure began.")
    finished_at: datetime | None = described(
        "When everything was gone; null while the rollups are still to be made right, which goes on by "
        "itself. Reports leave erased events out from the first moment."
    )
    removed: Erased = described("How much was removed.")

    @classmethod
    def of(cls, erasure: ErasureDocument, proof: str | None = None) -> "ErasureReceipt":
        removed = erasure.removed
        return cls(
            receipt_id=strawberry.ID(erasure.id),
            kind=SubjectKind(erasure.kind),
            digest=erasure.digest,
            proof=proof,
            requested_at=erasure.requested_at,
            finished_at=erasure.finished_at,
            removed=Erased(
                events=removed.get(EVENTS, 0),
                sessions=removed.get(SESSIONS, 0),
                decisions=removed.get(DECISIONS, 0),
                gone_events=removed.get(GONE_EVENTS, 0),
            ),
        )


@strawberry.type(description="Something that is stored of somebody.")
class VisitorRecord:
    kind: str = described(
        '"events", "sessions", "decisions" (records of events that were not counted), or '
        '"gone_events": what is left, by quarters of an hour, of events that were deleted.'
    )
    data: JSON = described("What is stored, field by field (docs/privacy.md).")


@strawberry.type(description="What is stored of somebody, a page of it.")
class VisitorExport:
    records: list[VisitorRecord] = described("The records, by kind.")
    next_cursor: str | None = described(
        "Give it as `after` for the next page; null on the last one."
    )

    @classmethod
    def of(cls, page: Page) -> "VisitorExport":
        records = [VisitorRecord(kind=each.kind, data=JSON(each.data)) for each in page.records]
        return cls(records=records, next_cursor=page.next_cursor)
