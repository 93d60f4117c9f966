"""What the tests of importing share."""

from pathlib import Path
from typing import Any

import pytest

from tests.importing.importer import Importer


@pytest.fixture
def importer(api: Any, tmp_path: Path) -> Importer:
    """Imports into an empty database of a real mongod."""
    return Importer(api, tmp_path)
