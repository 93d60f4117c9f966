"""The GraphQL types of sites."""

from typing import Any

import strawberry

from app.schemas import Site as SiteDocument
from app.schemas.event import EventType


@strawberry.type(description="The site (tenant) that the key belongs to.")
class Site:
    id: strawberry.ID = strawberry.field(description="Its short name.")
    name: str = strawberry.field(description="Its name for people.")
    timezone: str = strawberry.field(
        description="IANA time zone of its reports, where a query names none."
    )
    currency: str = strawberry.field(description="ISO 4217 code of amounts that name none.")
    consent_required: bool = strawberry.field(
        description="Whether only events with consentGiven count; others are NO_CONSENT."
    )
    sample_one_in: int = strawberry.field(
        description="Of so many visitors one is counted, and stands for all of them in reports, which "
        "then are not exact; the others are SAMPLED_OUT. 1 counts all."
    )
    session_ends_on_new_source: bool = strawberry.field(
        description="Whether a session also ends when an event comes from another referrer or with "
        "other UTM parameters than it began with, and not only after 30 minutes without activity."
    )
    excluded_types: list[EventType] = strawberry.field(
        description="Event types that are not counted: EXCLUDED."
    )
    excluded_items: list[strawberry.ID] = strawberry.field(
        description="Items whose events are not counted: EXCLUDED."
    )
    excluded_sources: list[str] = strawberry.field(
        description="Sources whose events are not counted: EXCLUDED."
    )
    excluded_addresses: list[str] = strawberry.field(
        description="Addresses and networks whose events are not counted, as of the office: EXCLUDED."
    )

    @classmethod
    def of(cls, document: SiteDocument) -> "Site":
        return cls(
            id=strawberry.ID(document.id),
            name=document.name,
            timezone=document.timezone,
            currency=document.currency,
            consent_required=document.consent_required,
            sample_one_in=document.sample_one_in,
            session_ends_on_new_source=document.session_ends_on_new_source,
            excluded_types=[EventType(name) for name in document.excluded_types],
            excluded_items=[strawberry.ID(item) for item in document.excluded_items],
            excluded_sources=document.excluded_sources,
            excluded_addresses=document.excluded_addresses,
        )


def _setting(description: str) -> Any:
    """A field that is left as it is where it is not given."""
    return strawberry.field(default=strawberry.UNSET, description=description)


@strawberry.input(
    description="Settings of a site to change; what is left out stays. Takes effect in every process "
    "within seconds, for events that arrive from then on."
)
class UpdateSiteInput:
    name: str | None = _setting("Its name for people, 1 to 100 characters.")
    timezone: str | None = _setting("IANA time zone of its reports.")
    currency: str | None = _setting(
        "ISO 4217 code of amounts that name none. Stored amounts keep theirs."
    )
    consent_required: bool | None = _setting("Count only events with consentGiven.")
    sample_one_in: int | None = _setting(
        "Count one of so many visitors, 1 to 1,000; always the same ones."
    )
    session_ends_on_new_source: bool | None = _setting(
        "End a session also when an event comes from another referrer or with other UTM parameters. "
        "Sessions that are known are divided anew by it, as far as their events are still there."
    )
    excluded_types: list[EventType] | None = _setting("Event types that are not counted.")
    excluded_items: list[strawberry.ID] | None = _setting("Items whose events are not counted.")
    excluded_sources: list[str] | None = _setting("Sources whose events are not counted.")
    excluded_addresses: list[str] | None = _setting(
        "Addresses and networks whose events are not counted."
    )

    def changes(self) -> dict[str, Any]:
        """What was given, by the document's field."""
        return {name: value for name, value in vars(self).items() if value is not strawberry.UNSET}
