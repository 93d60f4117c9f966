"""The keys of the site demo: made once, kept in a file, working at every start."""

from pathlib import Path
from typing import Any

import pytest

from app.core.auth import Scope
from app.core.config import Settings
from app.demo.keys import FILE_NAME, ensure_keys
from tests.conftest import KEYS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings without demo keys, with a data folder that is not there yet."""
    return Settings(_env_file=None, data_dir=tmp_path / "data")


async def working(api: Any, keys: dict[Scope, str]) -> bool:
    """Whether each of the keys is known as one of its scope of the site demo."""
    for scope, key in keys.items():
        principal = await api.services.sites.authenticate(key)
        if principal is None or (principal.site, principal.scope) != ("demo", scope):
            return False
    return set(keys) == set(Scope)


async def test_keys_are_made_once_and_kept(api: Any, settings: Settings) -> None:
    """In a file that nobody else can read; the second start has the same."""
    keys = await ensure_keys(api.services.sites, settings)
    assert await working(api, keys)
    file = settings.data_dir / FILE_NAME
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"FOOTFALL_DEMO_READ_KEY={keys[Scope.READ]}" in file.read_text().splitlines()
    assert await ensure_keys(api.services.sites, settings) == keys


async def test_another_database_learns_the_kept_keys(make_api: Any, settings: Settings) -> None:
    """Links and scripts go on working when the data was thrown away."""
    api = await make_api()
    keys = await ensure_keys(api.services.sites, settings)
    await api.database["api_keys"].delete_many({})
    api.services.sites._principals.clear()
    assert await ensure_keys(api.services.sites, settings) == keys
    assert await working(api, keys)


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_revoked_key_is_not_printed_again(
    api: Any, settings: Settings, scope: Scope
) -> None:
    """Where one was revoked, all three are new, and the old ones work no longer."""
    old = await ensure_keys(api.services.sites, settings)
    assert await api.services.sites.revoke_key("demo", old[scope][:14]) == 1
    new = await ensure_keys(api.services.sites, settings)
    assert await working(api, new)
    assert not set(old.values()) & set(new.values())
    api.services.sites._principals.clear()
    for key in old.values():
        assert await api.services.sites.authenticate(key) is None


async def test_a_file_that_lacks_a_key_is_made_anew(api: Any, settings: Settings) -> None:
    """Half a file is no file."""
    await ensure_keys(api.services.sites, settings)
    file = settings.data_dir / FILE_NAME
    file.write_text(file.read_text().splitlines()[0])
    keys = await ensure_keys(api.services.sites, settings)
    assert await working(api, keys)
    assert len(file.read_text().splitlines()) == 3


async def test_keys_of_the_settings_win(api: Any, tmp_path: Path) -> None:
    """They are used as they are, and no file is written."""
    settings = api.settings.model_copy(update={"data_dir": tmp_path})
    assert await ensure_keys(api.services.sites, settings) == KEYS
    assert not (tmp_path / FILE_NAME).exists()
