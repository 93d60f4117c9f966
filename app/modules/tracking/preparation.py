"""Steps 1 to 3 for one event: validate, screen, enrich. What is left is a document to be stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import Decimal128
from uuid_utils import uuid7

from app.core.config import Settings
from app.core.context import RequestInfo
from app.core.ports import SiteRules
from app.core.site_rules import PrivateData
from app.core.telemetry import StepTimes
from app.modules.tracking.clock_skew import correct_clock
from app.modules.tracking.enrichment import read_agent, read_page, referrer_domain
from app.modules.tracking.events import Candidate, IncomingEvent, Outcome, Reason, Verdict
from app.modules.tracking.geography import NOWHERE, Geography, Place
from app.modules.tracking.identity import derive_identity
from app.modules.tracking.item_tokens.token import TokenCheck
from app.modules.tracking.levels import drop_beyond
from app.modules.tracking.private_data import clean_document
from app.modules.tracking.screening import ScreenedOutError, Screening, refusal
from app.modules.tracking.validation import InvalidEventError, validate
from app.repositories.events import stored_id
from app.repositories.session_items import claim_key
from app.schemas.event import EventType


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is the same for all events of one request."""

    site: str
    rules: SiteRules
    key: str
    request: RequestInfo
    now: datetime
    salt: bytes
    # The rate that the key has of its own.
    key_rate: str | None = None
    batch: str | None = None
    # How far the caller's clock is behind ours; zero where it is right or unknown.
    skew: timedelta = timedelta()
    # What events of items have to pass, where the site wants them signed.
    item_tokens: TokenCheck | None = None


class Preparation:
    """Turns an incoming event into a candidate for storing, or into the outcome that it ended with."""

    def __init__(self, settings: Settings, screening: Screening, geography: Geography) -> None:
        self._screening = screening
        self._geography = geography
        self._tolerance = timedelta(seconds=settings.clock_tolerance)
        days = settings.data_retention_days
        self._retention = timedelta(days=days) if days else None
        self._cooldowns = {
            EventType.IMPRESSION: settings.impression_cooldown,
            EventType.VIEW: settings.impression_cooldown,
            EventType.CLICK: settings.click_cooldown,
        }

    def prepare(
        self, event: IncomingEvent, arrival: Arrival, times: StepTimes
    ) -> Candidate | Outcome:
        """Run the steps. The caller's id is used even for an event that is rejected, if it is usable."""
        times.start()
        correct_clock(event, arrival.skew)
        try:
            validate(
                event, arrival.now, self._tolerance, self._retention_of(event.type, arrival.rules)
            )
        except InvalidEventError as invalid:
            refused = refusal(event, arrival.request, arrival.rules)
            if refused is not None:
                also = "" if event.unreadable is None else f"; and {invalid}"
                return _without_document(event, Reason.NO_CONSENT, refused + also, invalid)
            if invalid.reason is Reason.INVALID:
                return _without_document(event, Reason.INVALID, str(invalid), invalid)
            derive_identity(event, arrival.site, arrival.request, arrival.salt)
            return self._rejected(event, arrival, invalid.reason, str(invalid))
        finally:
            times.end("validate")
        if event.user_agent is None:
            event.user_agent = arrival.request.user_agent
        named_session = event.session_id
        derive_identity(event, arrival.site, arrival.request, arrival.salt)
        try:
            self._screening.screen(
                event,
                named_session,
                arrival.request,
                arrival.rules,
                arrival.key,
                arrival.key_rate,
                arrival.item_tokens,
            )
        except ScreenedOutError as screened_out:
            return self._rejected(event, arrival, screened_out.reason, str(screened_out))
        finally:
            times.end("screen")
        candidate = self._candidate(event, arrival)
        times.end("enrich")
        return candidate

    def candidate_of(
        self, site: str, event_id: str, document: dict[str, Any], rules: SiteRules
    ) -> Candidate:
        """The candidate that a document stands for: a new one, or one that an admin releases."""
        candidate = Candidate(event_id, document, id_is_callers=True)
        cooldown = self._cooldown(EventType(document["type"]), rules)
        if cooldown:
            candidate.cooldown = cooldown
            candidate.claim_key = claim_key(
                site, document["type"], document["session"], document["item"]
            )
        return candidate

    def _cooldown(self, event_type: EventType, rules: SiteRules) -> float:
        """Seconds in which an event of this type is a repeat; 0: none is."""
        instance = self._cooldowns.get(event_type)
        if instance is None:
            return 0
        is_click = event_type is EventType.CLICK
        of_site = rules.click_cooldown if is_click else rules.impression_cooldown
        return instance if of_site is None else of_site

    def _retention_of(self, event_type: EventType, rules: SiteRules) -> timedelta | None:
        """How old an event of this type may be; None: any age."""
        days = rules.retention.get(event_type.value)
        if days is None:
            return self._retention
        of_site = timedelta(days=days)
        return of_site if self._retention is None else min(of_site, self._retention)

    def _rejected(
        self, event: IncomingEvent, arrival: Arrival, reason: Reason, message: str
    ) -> Outcome:
        """The outcome of a valid event that is not counted; it carries what an admin may release.

        Without consent nothing of it is kept.
        """
        if reason is Reason.NO_CONSENT:
            return Outcome(event.id or new_event_id(), Verdict.REJECTED, reason, message)
        kept = self._candidate(event, arrival)
        return Outcome(kept.event_id, Verdict.REJECTED, reason, message, document=kept.document)

    def _candidate(self, event: IncomingEvent, arrival: Arrival) -> Candidate:
        event_id = event.id or new_event_id()
        # The address of a backend service says nothing of its visitor.
        from_browser = arrival.request.user_agent is not None
        place = self._geography.place_of(arrival.request.address if from_browser else None)
        document = enriched_document(event, event_id, arrival, place)
        candidate = self.candidate_of(arrival.site, event_id, document, arrival.rules)
        candidate.id_is_callers = event.id is not None
        return candidate


def _without_document(
    event: IncomingEvent, reason: Reason, message: str, invalid: InvalidEventError
) -> Outcome:
    """The outcome of an event of which nothing is kept. Its own id is answered, if that much is usable."""
    usable = event.id if event.id and not str(invalid).startswith("id: ") else None
    return Outcome(usable or new_event_id(), Verdict.REJECTED, reason, message)


def new_event_id() -> str:
    """An id for an event that came without one; later ones sort later, which keeps the index compact."""
    return str(uuid7())


def enriched_document(
    event: IncomingEvent, event_id: str, arrival: Arrival, place: Place = NOWHERE
) -> dict[str, Any]:
    """What is stored of a valid event (schemas/event.py): fields that it does not have are left out."""
    page = read_page(event.page_url) if event.page_url else None
    utm = page.utm if page else {}
    agent = read_agent(event.user_agent) if event.user_agent else None
    value = event.conversion_value
    document = {
        "_id": stored_id(arrival.site, event_id),
        "site": arrival.site,
        "type": event.type.value,
        "name": event.name,
        "item": event.item_id,
        "session": event.session_id,
        "visitor": event.visitor_id,
        "user": event.user_id,
        "at": event.timestamp or arrival.now,
        "client_at": event.client_timestamp,
        "received_at": arrival.now,
        "batch": arrival.batch,
        "source": event.source,
        "position": event.position,
        "page": page.page if page else None,
        "page_title": event.page_title,
        "referrer": referrer_domain(event.referrer) if event.referrer else None,
        "device": agent.device if agent else None,
        "browser": agent.browser if agent else None,
        "os": agent.os if agent else None,
        "country": place.country,
        "region": place.region,
        "city": place.city if arrival.rules.keep_city else None,
        "language": event.language,
        "timezone": event.timezone,
        "screen": event.screen_resolution,
        "viewport": event.viewport_size,
        "campaign": event.campaign_id,
        "utm_source": event.utm_source or utm.get("utm_source"),
        "utm_medium": event.utm_medium or utm.get("utm_medium"),
        "utm_campaign": event.utm_campaign or utm.get("utm_campaign"),
        "utm_content": event.utm_content or utm.get("utm_content"),
        "utm_term": event.utm_term or utm.get("utm_term"),
        "engagement": event.engagement_duration,
        "scroll_depth": event.scroll_depth,
        "click_position": event.click_position,
        "viewport_position": event.viewport_position,
        "conversion_type": event.conversion_type,
        "value": None if value is None else Decimal128(value),
        "currency": None if value is None else event.conversion_currency or arrival.rules.currency,
        "order": event.order_id,
        "experiment": event.experiment_id,
        "variant": event.variant,
        "consent": event.consent_given,
        "processing_consent": event.data_processing_consent,
        "consent_version": event.consent_version,
        "consent_purposes": event.consent_purposes or None,
        "properties": event.properties,
        "weight": arrival.rules.sample_one_in if arrival.rules.sample_one_in > 1 else None,
    }
    found = {name: value for name, value in document.items() if value is not None}
    drop_beyond(arrival.rules.tracking_level, found)
    if arrival.rules.private_data is PrivateData.CLEAN:
        clean_document(found)
    return found
