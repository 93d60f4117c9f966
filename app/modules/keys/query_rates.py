"""How much a key may ask."""

from app.core.auth import Principal
from app.core.errors import RateLimitedError
from app.core.rates import KeyRates


class RatesOfQueries:
    """The QueryRates of core/ports.py. Each process counts for itself."""

    def __init__(self, default: str) -> None:
        self._rates = KeyRates(default)

    def count(self, principal: Principal) -> None:
        rate = self._rates.of(principal.rate_limit)
        if not rate.allows(principal.key_id):
            seconds = rate.seconds_to_wait(principal.key_id)
            raise RateLimitedError(
                f"Too many queries with this key. Try again in {seconds} s.", retry_after=seconds
            )
