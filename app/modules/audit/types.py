"""The GraphQL types of the audit."""

from datetime import datetime

import strawberry

from app.core.scalars import Long
from app.modules.audit import service


@strawberry.type(description="One number, as reports answer it and as it is counted again.")
class AuditCheck:
    name: str = strawberry.field(description="The number's name in Metrics.")
    reported: Long = strawberry.field(description="What reports answer.")
    recounted: Long = strawberry.field(description="What is counted in the stored events.")
    agrees: bool = strawberry.field(description="Whether the two are the same.")


@strawberry.type(description="How many events ended in one way.")
class AuditEnding:
    verdict: str = strawberry.field(description="DUPLICATE or REJECTED.")
    reason: str = strawberry.field(description="The reason, as in the ledger.")
    count: Long = strawberry.field(description="How many events.")


@strawberry.type(
    description="Whether what was received adds up, and whether reports answer what is stored. Times are "
    "those of the events; of what is INVALID, those of arrival. The ledger reaches back as far as it is "
    "kept."
)
class Audit:
    start: datetime = strawberry.field(description="Where the audited range begins.")
    end: datetime = strawberry.field(description="Where it ends, left out.")
    received: Long = strawberry.field(description="Accepted, duplicate and rejected together.")
    accepted: Long = strawberry.field(description="Stored and counted.")
    duplicates: Long = strawberry.field(description="Another event stands for them.")
    rejected: Long = strawberry.field(description="Not counted, what was withdrawn among them.")
    endings: list[AuditEnding] = strawberry.field(description="What was not counted, by reason.")
    checks: list[AuditCheck] = strawberry.field(description="Every number that was compared.")
    differences: list[str] = strawberry.field(
        description="The numbers that do not agree, in words; empty when all is well."
    )
    notes: list[str] = strawberry.field(
        description="What is no difference but should be known, in words."
    )
    clean: bool = strawberry.field(description="Whether there is no difference.")

    @classmethod
    def of(cls, audit: service.Audit) -> "Audit":
        return cls(
            start=audit.start,
            end=audit.end,
            received=audit.received,
            accepted=audit.accepted,
            duplicates=audit.duplicates,
            rejected=audit.rejected,
            endings=[
                AuditEnding(verdict=e.verdict, reason=e.reason, count=e.count) for e in audit.ended
            ],
            checks=[
                AuditCheck(name=c.name, reported=c.reported, recounted=c.recounted, agrees=c.agrees)
                for c in audit.checks
            ],
            differences=audit.differences,
            notes=audit.notes,
            clean=not audit.differences,
        )
