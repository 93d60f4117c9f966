"""So many of something in so much time. Each process counts for itself."""

import math
import re
import time

from cachetools import LRUCache
from limits import RateLimitItem, RateLimitItemPerSecond, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

OFF = "off"
RATE_FORMAT = 'must be like "6000/minute" (second, minute, hour, day) or "off"'
_RATE = re.compile(r"[1-9][0-9]{0,8}/(?:second|minute|hour|day)")
# As many different rates of keys are known at once.
_KNOWN_RATES = 1_000


def is_rate(text: str) -> bool:
    """Whether this is a rate as settings and keys have it."""
    return text == OFF or _RATE.fullmatch(text) is not None


class Rate:
    """So many in so much time; "off" for any number."""

    def __init__(self, rate: str, window: float | None = None) -> None:
        self._limit = _parse_rate(rate, window)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, who: str | None) -> bool:
        """Count one; False where it is one too many. What has no address is an import."""
        if self._limit is None or who is None:
            return True
        return self._limiter.hit(self._limit, who)

    def seconds_to_wait(self, who: str) -> int:
        """After how many seconds there will be room for another one, at least 1."""
        if self._limit is None:
            return 1
        reset = self._limiter.get_window_stats(self._limit, who).reset_time
        return max(1, math.ceil(reset - time.time()))


class KeyRates:
    """The rates of API keys: a key's own where it has one, else the instance's."""

    def __init__(self, default: str) -> None:
        self._default = Rate(default)
        self._own: LRUCache[str, Rate] = LRUCache(_KNOWN_RATES)

    def of(self, own: str | None) -> Rate:
        """Where a key with this rate of its own, or with none, is counted."""
        if own is None:
            return self._default
        rate = self._own.get(own)
        if rate is None:
            rate = self._own[own] = Rate(own)
        return rate


def _parse_rate(rate: str, window: float | None) -> RateLimitItem | None:
    if rate == OFF:
        return None
    limit = parse(rate)
    if window is None:
        return limit
    return RateLimitItemPerSecond(limit.amount, max(1, round(window)))
