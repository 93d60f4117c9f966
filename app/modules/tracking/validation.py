"""Step 1: is the event what the contract says? Every field has a bound and a reason."""

import re
import zoneinfo
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from math import isfinite
from operator import attrgetter
from urllib.parse import urlsplit

from app.core.currencies import is_currency
from app.core.json_values import (
    CONTROL_CHARACTERS,
    JsonBounds,
    JsonValueError,
    check_json_object,
)
from app.modules.tracking.events import IncomingEvent, Reason
from app.schemas.event import EventType

ITEM_EVENTS = frozenset(
    {
        EventType.IMPRESSION,
        EventType.VIEW,
        EventType.CLICK,
        EventType.ENGAGEMENT,
        EventType.BOUNCE,
    }
)

MAX_ENGAGEMENT_MS = 30 * 60 * 1000
PROPERTIES = JsonBounds(bytes=10 * 1024)
MAX_POSITION = 1_000_000
MAX_PURPOSES = 20
LONGEST_PURPOSE = 64
MAX_PIXELS = 1_000_000.0
MAX_VALUE = Decimal(10) ** 15

# Text fields, the contract's name, and how many characters each may have.
_TEXTS = (
    ("id", "id", 128),
    ("item_id", "itemId", 256),
    ("session_id", "sessionId", 256),
    ("visitor_id", "visitorId", 256),
    ("user_id", "userId", 256),
    ("name", "name", 100),
    ("source", "source", 256),
    ("page_url", "pageUrl", 2048),
    ("page_title", "pageTitle", 512),
    ("referrer", "referrer", 2048),
    ("user_agent", "userAgent", 2048),
    ("language", "language", 35),
    ("timezone", "timezone", 64),
    ("screen_resolution", "screenResolution", 11),
    ("viewport_size", "viewportSize", 11),
    ("campaign_id", "campaignId", 256),
    ("utm_source", "utmSource", 256),
    ("utm_medium", "utmMedium", 256),
    ("utm_campaign", "utmCampaign", 256),
    ("utm_content", "utmContent", 256),
    ("utm_term", "utmTerm", 256),
    ("conversion_type", "conversionType", 100),
    ("conversion_currency", "conversionCurrency", 3),
    ("order_id", "orderId", 256),
    ("experiment_id", "experimentId", 100),
    ("variant", "variant", 100),
    ("honeypot", "honeypot", 2048),
    ("consent_version", "consentVersion", 64),
    ("item_token", "itemToken", 256),
)
# The values of all of them at once, which is quicker than one by one.
_values_of = attrgetter(*(attribute for attribute, _, _ in _TEXTS))
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})*")
_SIZE = re.compile(r"\d{1,5}x\d{1,5}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# Browsers leave these out before they look for the scheme.
_IGNORED_IN_ADDRESSES = re.compile(r"^\s+|[\t\r\n]+")
_UNSAFE_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})


class InvalidEventError(Exception):
    """The event cannot be counted: `reason` is INVALID or TIMESTAMP, the message names the field."""

    def __init__(self, field: str, why: str, reason: Reason = Reason.INVALID) -> None:
        super().__init__(f"{field}: {why}")
        self.reason = reason


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def validate(
    event: IncomingEvent,
    now: datetime,
    tolerance: timedelta,
    retention: timedelta | None,
) -> None:
    """Check every field; empty texts become absent. Raises InvalidEventError at the first bad one.

    `tolerance` is how far in the future an event may lie, `retention` how old it may be (None: any).
    """
    if event.unreadable is not None:
        field, _, why = event.unreadable.partition(": ")
        raise InvalidEventError(field, why)
    for value, (attribute, field, longest) in zip(_values_of(event), _TEXTS, strict=True):
        if value is None:
            continue
        if value == "":
            setattr(event, attribute, None)
        elif len(value) > longest:
            raise InvalidEventError(field, f"must have at most {longest} characters")
        elif not value.isprintable() and CONTROL_CHARACTERS.search(value):
            raise InvalidEventError(field, "must not contain control characters or lone surrogates")
    if event.type in ITEM_EVENTS and event.item_id is None:
        raise InvalidEventError("itemId", f"is needed for {event.type.value}")
    if event.type is EventType.CUSTOM and event.name is None:
        raise InvalidEventError("name", "is needed for CUSTOM")
    _check_patterns(event)
    _check_numbers(event)
    if event.properties is not None:
        try:
            check_json_object(event.properties, PROPERTIES)
        except JsonValueError as error:
            raise InvalidEventError("properties", str(error)) from None
    if event.consent_purposes is not None:
        _check_purposes(event.consent_purposes)
    _check_time(event.timestamp, now, tolerance, retention)


def _check_purposes(purposes: list[str]) -> None:
    if len(purposes) > MAX_PURPOSES:
        raise InvalidEventError("consentPurposes", f"must be at most {MAX_PURPOSES}")
    for purpose in purposes:
        if not 0 < len(purpose) <= LONGEST_PURPOSE or not purpose.isprintable():
            raise InvalidEventError(
                "consentPurposes", f"must have 1 to {LONGEST_PURPOSE} printable characters each"
            )


def _check_patterns(event: IncomingEvent) -> None:
    if event.language is not None and not _LANGUAGE.fullmatch(event.language):
        raise InvalidEventError("language", 'must be a language tag such as "de-CH"')
    if event.timezone is not None and event.timezone not in _timezones():
        raise InvalidEventError("timezone", 'must be an IANA time zone such as "Europe/Zurich"')
    for field, value in (
        ("screenResolution", event.screen_resolution),
        ("viewportSize", event.viewport_size),
    ):
        if value is not None and not _SIZE.fullmatch(value):
            raise InvalidEventError(field, 'must be like "1920x1080"')
    for field, value in (("pageUrl", event.page_url), ("referrer", event.referrer)):
        if value is not None:
            problem = _problem_of_address(value)
            if problem is not None:
                raise InvalidEventError(field, problem)
    currency = event.conversion_currency
    if currency is not None and not is_currency(currency):
        raise InvalidEventError("conversionCurrency", 'must be an ISO 4217 code such as "EUR"')


@lru_cache(maxsize=20_000)
def _problem_of_address(value: str) -> str | None:
    scheme = _SCHEME.match(_IGNORED_IN_ADDRESSES.sub("", value))
    if scheme and scheme[0][:-1].lower() in _UNSAFE_SCHEMES:
        return "must be an http(s) or app address, or a path"
    try:
        urlsplit(value).port  # noqa: B018  # reading the port is what checks it
    except ValueError:
        return "must be a valid address"
    return None


def _check_numbers(event: IncomingEvent) -> None:
    _check_range("position", event.position, 1, MAX_POSITION)
    _check_range("engagementDuration", event.engagement_duration, 0, MAX_ENGAGEMENT_MS)
    _check_range("scrollDepth", event.scroll_depth, 0, 100)
    value = event.conversion_value
    if value is not None and not 0 <= value < MAX_VALUE:
        raise InvalidEventError("conversionValue", "must be from 0 to below 10^15")
    for field, point in (
        ("clickPosition", event.click_position),
        ("viewportPosition", event.viewport_position),
    ):
        for axis, pixels in (point or {}).items():
            if not isfinite(pixels) or abs(pixels) > MAX_PIXELS:
                raise InvalidEventError(
                    f"{field}.{axis}", f"must be within {MAX_PIXELS:.0f} pixels"
                )


def _check_range(field: str, value: int | None, lowest: int, highest: int) -> None:
    if value is not None and not lowest <= value <= highest:
        raise InvalidEventError(field, f"must be from {lowest} to {highest}")


def _check_time(
    timestamp: datetime | None, now: datetime, tolerance: timedelta, retention: timedelta | None
) -> None:
    if timestamp is None:
        return
    if timestamp > now + tolerance:
        raise InvalidEventError("timestamp", "lies too far in the future", Reason.TIMESTAMP)
    if retention is not None and timestamp < now - retention:
        raise InvalidEventError("timestamp", "is older than events are kept here", Reason.TIMESTAMP)
