"""Where an address is: its country and region, from a file. The address itself is never kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import maxminddb
from cachetools import LRUCache

from app.core.errors import FootfallError

CACHE_SIZE = 20_000


class GeoDatabaseError(FootfallError):
    """The file cannot be used. The message is for the operator."""


@dataclass(frozen=True, slots=True)
class Place:
    """ISO 3166-1 and 3166-2 codes (`CH`, `CH-ZH`), and a city's English name; None where not known."""

    country: str | None = None
    region: str | None = None
    city: str | None = None


NOWHERE = Place()


class Geography:
    """Looks addresses up in a MaxMind-format file of countries or cities; without one, knows nothing."""

    def __init__(self, database: Path | None) -> None:
        """Raises GeoDatabaseError."""
        self._known: LRUCache[str, Place] = LRUCache(CACHE_SIZE)
        self._reader: maxminddb.Reader | None = None
        if database is not None:
            try:
                self._reader = maxminddb.open_database(database)
            except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
                raise GeoDatabaseError(
                    "FOOTFALL_GEO_DATABASE names a file that cannot be read as a MaxMind database."
                ) from error

    def place_of(self, address: str | None) -> Place:
        """Where an address is, as far as that is known."""
        if self._reader is None or address is None:
            return NOWHERE
        place = self._known.get(address)
        if place is None:
            place = self._known[address] = self._look_up(self._reader, address)
        return place

    def _look_up(self, reader: maxminddb.Reader, address: str) -> Place:
        try:
            found = reader.get(ip_address(address))
        except (ValueError, maxminddb.InvalidDatabaseError):
            return NOWHERE
        return _place(found) if isinstance(found, dict) else NOWHERE


def _place(found: Mapping[str, Any]) -> Place:
    country = _code(found.get("country"))
    subdivisions = found.get("subdivisions")
    subdivision = (
        _code(subdivisions[0]) if isinstance(subdivisions, list) and subdivisions else None
    )
    names = found["city"].get("names") if isinstance(found.get("city"), dict) else None
    city = names.get("en") if isinstance(names, dict) else None
    return Place(country, f"{country}-{subdivision}" if country and subdivision else None, city)


def _code(entry: Any) -> str | None:
    code = entry.get("iso_code") if isinstance(entry, dict) else None
    return code if isinstance(code, str) else None
