"""The GraphQL types of sites."""

from datetime import datetime
from typing import Any

import strawberry

from app.core.described import described
from app.core.event_types import EventType
from app.core.site_rules import PrivateData, TrackingLevel
from app.schemas import Site as SiteDocument


@strawberry.type(description="How long events of a type are kept.")
class EventRetention:
    type: EventType = described("Events of this type")
    days: int = described("are kept for so many days after they happened.")


@strawberry.type(description="A site (tenant): keys, items and events belong to one.")
class Site:
    id: strawberry.ID = strawberry.field(description="Its short name.")
    name: str = strawberry.field(description="Its name for people.")
    timezone: str = strawberry.field(
        description="IANA time zone of its reports, where a query names none."
    )
    currency: str = strawberry.field(description="ISO 4217 code of amounts that name none.")
    created_at: datetime = described("When it was made.")
    archived_at: datetime | None = described(
        "Since when it is archived: reports are answered, and nothing is taken in nor changed. Null "
        "where it is in use."
    )
    allowed_origins: list[str] = described(
        'Origins of pages that may call the API from a browser, "*" for any. They keep other pages '
        "from reading what the API answers; they are no proof of where an event comes from."
    )
    consent_required: bool = strawberry.field(
        description="Whether only events with consentGiven count; others are NO_CONSENT."
    )
    respect_do_not_track: bool = described(
        "Whether events of visitors whose browser sends DNT: 1 or Sec-GPC: 1 are NO_CONSENT."
    )
    tracking_level: TrackingLevel = described("How much of an event is kept.")
    private_data: PrivateData = described("What is done with private data in texts of events.")
    keep_city: bool = described(
        "Whether the city of an address is kept besides its country and region."
    )
    impression_cooldown: float | None = described(
        "Seconds in which a second impression or view of the same item in the same session is a "
        "repeat; null: as the instance has it."
    )
    click_cooldown: float | None = described(
        "The same for clicks, in seconds; null: as the instance has it."
    )
    retention: list[EventRetention] = described(
        "How long events are kept, by type; those of other types as long as the instance keeps them. "
        "What reports count of them stays when they are deleted."
    )
    sample_one_in: int = strawberry.field(
        description="Of so many visitors one is counted, and stands for all of them in reports, which "
        "then are not exact; the others are SAMPLED_OUT. 1 counts all."
    )
    require_item_token: bool = strawberry.field(
        description="Whether events of items that come with a write key need an itemToken signed by the "
        "site's server; others are BAD_SIGNATURE."
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
            created_at=document.created_at,
            archived_at=document.archived_at,
            allowed_origins=document.allowed_origins,
            consent_required=document.consent_required,
            respect_do_not_track=document.respect_do_not_track,
            tracking_level=document.tracking_level,
            private_data=document.private_data,
            keep_city=document.keep_city,
            impression_cooldown=document.impression_cooldown,
            click_cooldown=document.click_cooldown,
            retention=[
                EventRetention(type=EventType(name), days=days)
                for name, days in document.retention.items()
            ],
            sample_one_in=document.sample_one_in,
            require_item_token=document.require_item_token,
            session_ends_on_new_source=document.session_ends_on_new_source,
            excluded_types=[EventType(name) for name in document.excluded_types],
            excluded_items=[strawberry.ID(item) for item in document.excluded_items],
            excluded_sources=document.excluded_sources,
            excluded_addresses=document.excluded_addresses,
        )


def _setting(description: str) -> Any:
    """A field that is left as it is where it is not given."""
    return strawberry.field(default=strawberry.UNSET, description=description)


@strawberry.input(description="A new site.")
class CreateSiteInput:
    id: strawberry.ID = described(
        "Its short name, which stays: 1 to 40 lower case letters, digits and hyphens."
    )
    name: str | None = _setting("Its name for people, 1 to 100 characters. Default: its id.")
    timezone: str | None = _setting("IANA time zone of its reports. Default: UTC.")
    currency: str | None = _setting(
        "ISO 4217 code of amounts that name none. Default: FOOTFALL_CURRENCY."
    )

    def settings(self) -> dict[str, Any]:
        """What was given besides the id; null stands for the default."""
        given = {"name": self.name, "timezone": self.timezone, "currency": self.currency}
        return {name: value for name, value in given.items() if value}


@strawberry.input(description="How long to keep events of a type.")
class EventRetentionInput:
    type: EventType = described("Events of this type")
    days: int = described(
        "are kept for so many days after they happened, not more than the instance keeps them."
    )


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
    allowed_origins: list[str] | None = _setting(
        'Origins of pages that may call the API from a browser, such as "https://shop.example"; "*" for '
        "any, none for none."
    )
    consent_required: bool | None = _setting("Count only events with consentGiven.")
    respect_do_not_track: bool | None = _setting(
        "Count no events of visitors whose browser sends DNT: 1 or Sec-GPC: 1."
    )
    tracking_level: TrackingLevel | None = _setting("How much of an event is kept.")
    private_data: PrivateData | None = _setting(
        "What is done with private data in texts of events."
    )
    keep_city: bool | None = _setting("Keep the city of an address too.")
    impression_cooldown: float | None = _setting(
        "Seconds in which a second impression or view of the same item in the same session is a "
        "repeat, at most a day; null: as the instance has it."
    )
    click_cooldown: float | None = _setting("The same for clicks; null: as the instance has it.")
    retention: list[EventRetentionInput] | None = _setting(
        "How long events are kept, by type, instead of all that was set before. Older ones are deleted "
        "within the hour; what reports count of them stays."
    )
    sample_one_in: int | None = _setting(
        "Count one of so many visitors, 1 to 1,000; always the same ones."
    )
    require_item_token: bool | None = _setting(
        "Count events of items that come with a write key only with a valid itemToken. Make a secret "
        "first (rotateItemTokenSecret), and let pages send tokens: until then all are rejected."
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
        given = {n: value for n, value in vars(self).items() if value is not strawberry.UNSET}
        if given.get("retention") is not None:
            given["retention"] = [(entry.type, entry.days) for entry in given["retention"]]
        return given
