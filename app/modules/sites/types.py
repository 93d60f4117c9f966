"""The GraphQL types of sites."""

import strawberry

from app.schemas import Site as SiteDocument


@strawberry.type(description="The site (tenant) that the key belongs to.")
class Site:
    id: strawberry.ID = strawberry.field(description="Its short name.")
    name: str = strawberry.field(description="Its name for people.")
    timezone: str = strawberry.field(
        description="IANA time zone of its reports, where a query names none."
    )
    currency: str = strawberry.field(description="ISO 4217 code of amounts that name none.")

    @classmethod
    def of(cls, document: SiteDocument) -> "Site":
        return cls(
            id=strawberry.ID(document.id),
            name=document.name,
            timezone=document.timezone,
            currency=document.currency,
        )
