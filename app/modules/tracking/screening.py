"""Step 2: should the event be counted? Bots, consent, the site's exclusions, and rates."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_network

from crawleruseragents import is_crawler

from app.core.addresses import parsed_address
from app.core.config import Settings
from app.core.context import RequestInfo
from app.core.ports import SiteRules
from app.core.rates import KeyRates, Rate
from app.modules.tracking.events import IncomingEvent, Reason
from app.modules.tracking.item_tokens.token import TokenCheck

# What says of itself that no person looks at it; the crawler list leaves out some of these.
_AUTOMATED = ("headlesschrome", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver")


class ScreenedOutError(Exception):
    """The event is valid and not counted: why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Screening:
    """Decides by the event, the request and the site's rules. Each process counts rates for itself."""

    def __init__(self, settings: Settings) -> None:
        self._by_address = Rate(settings.rate_limit, settings.rate_limit_window)
        self._by_key = KeyRates(settings.rate_limit_per_key)
        self._by_session = Rate(settings.rate_limit_per_session)

    def screen(
        self,
        event: IncomingEvent,
        named_session: str | None,
        request: RequestInfo,
        rules: SiteRules,
        key: str,
        key_rate: str | None = None,
        item_tokens: TokenCheck | None = None,
    ) -> None:
        """Raises ScreenedOutError. What is turned away for what it is uses up no rate.

        `key_rate` is the rate that the key has of its own; None: that of the settings.
        `named_session` is the session that the caller named: one that was derived is an address.
        `item_tokens` is None where the site does not want events of items to be signed.
        """
        refused = refusal(event, request, rules)
        if refused is not None:
            raise ScreenedOutError(Reason.NO_CONSENT, refused)
        if event.honeypot:
            raise ScreenedOutError(Reason.BOT, "honeypot: was filled in, which no person does")
        if event.user_agent is not None and is_bot(event.user_agent):
            raise ScreenedOutError(Reason.BOT, "userAgent: belongs to a crawler or script")
        excluded = exclusion(event, request, rules)
        if excluded is not None:
            raise ScreenedOutError(Reason.EXCLUDED, f"This site excludes events by {excluded}.")
        if not in_sample(event.visitor_id or "", rules.sample_one_in):
            raise ScreenedOutError(
                Reason.SAMPLED_OUT, f"This site counts one of {rules.sample_one_in} visitors."
            )
        problem = item_tokens.problem(event, named_session) if item_tokens else None
        if problem is not None:
            raise ScreenedOutError(Reason.BAD_SIGNATURE, problem)
        for rate, who, name in (
            (self._by_address, request.address, "address"),
            (self._by_key.of(key_rate), key, "key"),
            (self._by_session, named_session, "session"),
        ):
            if not rate.allows(who):
                raise ScreenedOutError(
                    Reason.RATE_LIMITED, f"Too many events of this {name}. Send it again later."
                )


def refusal(event: IncomingEvent, request: RequestInfo, rules: SiteRules) -> str | None:
    """Why nothing of this event may be kept, whatever else there is to say of it; None where it may."""
    if rules.respect_do_not_track and request.refuses_tracking:
        return "This site honours Do Not Track and Global Privacy Control."
    if rules.consent_required and not event.consent_given:
        return "consentGiven: this site counts only who agreed"
    return None


@lru_cache(maxsize=20_000)
def is_bot(user_agent: str) -> bool:
    """Whether a user agent is a crawler's, a script's or a headless browser's.

    Source of the list: the package crawler-user-agents.
    """
    lowered = user_agent.lower()
    return any(word in lowered for word in _AUTOMATED) or bool(is_crawler(user_agent))


def exclusion(event: IncomingEvent, request: RequestInfo, rules: SiteRules) -> str | None:
    """By what the site excludes this event; None where it does not."""
    if event.type.value in rules.excluded_types:
        return "type"
    if event.item_id is not None and event.item_id in rules.excluded_items:
        return "item"
    if event.source is not None and event.source in rules.excluded_sources:
        return "source"
    if request.address and is_in_networks(request.address, tuple(rules.excluded_addresses)):
        return "address"
    return None


def in_sample(visitor: str, one_in: int) -> bool:
    """Whether a visitor is counted: the same answer in every process and at every time."""
    if one_in == 1:
        return True
    digest = hashlib.blake2b(visitor.encode(), digest_size=8, person=b"sample").digest()
    return int.from_bytes(digest, "big") % one_in == 0


@lru_cache(maxsize=20_000)
def is_in_networks(address: str, networks: Sequence[str]) -> bool:
    """Whether an address is one of these addresses or in one of these networks."""
    ip = parsed_address(address)
    return ip is not None and any(ip in ip_network(network, strict=False) for network in networks)
