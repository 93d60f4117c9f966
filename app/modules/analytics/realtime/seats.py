"""How many may subscribe at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.context import Context
from app.core.errors import LimitExceededError

PER_CONNECTION = 10
# One site's subscribers leave room for those of others.
PER_SITE = 100
PER_PROCESS = 500


class Seats:
    """The subscriptions that are open in this process."""

    def __init__(
        self,
        per_connection: int = PER_CONNECTION,
        per_site: int = PER_SITE,
        per_process: int = PER_PROCESS,
    ) -> None:
        self._per_connection = per_connection
        self._per_site = per_site
        self._per_process = per_process
        self._of_sites: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._of_sites.total()

    def check(self, connection: Context, site: str) -> None:
        """Raises LimitExceededError unless there is room for one more."""
        if connection.subscriptions >= self._per_connection:
            raise _too_many(f"A connection may have {self._per_connection} subscriptions at once.")
        if self._of_sites[site] >= self._per_site:
            raise _too_many(
                f"A site may have {self._per_site} subscriptions at once in one process."
            )
        if self.taken >= self._per_process:
            raise _too_many(f"A process may have {self._per_process} subscriptions at once.")

    @contextmanager
    def take(self, connection: Context, site: str) -> Iterator[None]:
        """`with seats.take(context, site):` one subscription. Raises LimitExceededError."""
        self.check(connection, site)
        connection.subscriptions += 1
        self._of_sites[site] += 1
        try:
            yield
        finally:
            connection.subscriptions -= 1
            self._of_sites -= Counter([site])  # forgets a site without any


def _too_many(message: str) -> LimitExceededError:
    return LimitExceededError(f"{message} End one, or try again later.")
