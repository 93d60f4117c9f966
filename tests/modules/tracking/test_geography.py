"""Country and region from a file; the address is never kept."""

from pathlib import Path
from typing import Any

import pytest

from app.modules.tracking.geography import NOWHERE, GeoDatabaseError, Geography, Place
from tests.modules.analytics.asking import report, values
from tests.modules.tracking.mmdb import write_database
from tests.modules.tracking.test_tracking import FIREFOX

ZURICH = {
    "country": {"iso_code": "CH"},
    "subdivisions": [{"iso_code": "ZH"}],
    "city": {"names": {"en": "Zurich"}},
}
NETWORKS = {
    "192.0.2.0/24": ZURICH,
    "198.51.100.0/24": {"country": {"iso_code": "FR"}},
    "203.0.113.0/25": {"continent": {"code": "EU"}},
}
BROWSER = {"Origin": "https://shop.example", "User-Agent": FIREFOX}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "places.mmdb"
    write_database(path, NETWORKS)
    return path


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.77", Place("CH", "CH-ZH", "Zurich")),
        ("198.51.100.1", Place("FR", None, None)),
        ("203.0.113.1", NOWHERE),
        ("203.0.113.200", NOWHERE),
        ("2001:db8::1", NOWHERE),
        ("testclient", NOWHERE),
        (None, NOWHERE),
    ],
)
def test_a_place_is_as_much_as_the_file_says(
    database: Path, address: str | None, place: Place
) -> None:
    """ISO codes of country and region, and a city; whatever cannot be found is nowhere, twice as well."""
    geography = Geography(database)
    assert geography.place_of(address) == place
    assert geography.place_of(address) == place
    assert Geography(None).place_of(address) == NOWHERE


def test_a_file_that_is_none_is_said_at_the_start(tmp_path: Path) -> None:
    """Missing, a folder, or something else: the operator is told which setting it is."""
    other = tmp_path / "other.mmdb"
    other.write_bytes(b"something else")
    for path in (tmp_path / "missing.mmdb", tmp_path, other):
        with pytest.raises(GeoDatabaseError, match="FOOTFALL_GEO_DATABASE"):
            Geography(path)


async def test_reports_are_by_country_and_region(make_api: Any, database: Path) -> None:
    """Of events that a browser sent; a backend service's own address says nothing of its visitors. The
    city only where the site wants it, and the address nowhere."""
    api = await make_api(geo_database=database)
    view = {"type": "PAGE_VIEW"}
    await api.track(view, view, headers=BROWSER)
    await api.track(view)
    assert values(await report(api, by=["COUNTRY", "REGION"])) == [("CH", "CH-ZH"), (None, None)]
    assert await api.database["events"].count_documents({"city": {"$exists": True}}) == 0
    await api.ask("mutation { updateSite(input: {keepCity: true}) { id } }")
    await api.track(view, headers=BROWSER)
    [event] = await api.database["events"].find({"city": "Zurich"}).to_list(None)
    assert "192.0.2.1" not in str(event)
