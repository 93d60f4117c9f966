"""Step 2: should the event be counted? Bots and rates; the site's own rules will join them here."""

from functools import lru_cache

from crawleruseragents import is_crawler
from limits import RateLimitItem, RateLimitItemPerSecond, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

# What says of itself that no person looks at it; the crawler list leaves out some of these.
_AUTOMATED = ("headlesschrome", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver")


@lru_cache(maxsize=20_000)
def is_bot(user_agent: str) -> bool:
    """Whether a user agent is a crawler's, a script's or a headless browser's.

    Source of the list: the package crawler-user-agents.
    """
    lowered = user_agent.lower()
    return any(word in lowered for word in _AUTOMATED) or bool(is_crawler(user_agent))


class AddressRate:
    """How many events one address may send. Each process counts for itself."""

    def __init__(self, rate: str, window: float | None) -> None:
        self._limit = _parse_rate(rate, window)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, address: str | None) -> bool:
        """Count one event of this address; False where it is one too many. Imports have no address."""
        if self._limit is None or address is None:
            return True
        return self._limiter.hit(self._limit, address)


def _parse_rate(rate: str, window: float | None) -> RateLimitItem | None:
    if rate == "off":
        return None
    limit = parse(rate)
    if window is None:
        return limit
    return RateLimitItemPerSecond(limit.amount, max(1, round(window)))
