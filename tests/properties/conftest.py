"""What properties have in common."""

from collections.abc import Iterator

import pytest

from app.modules.analytics.rollups import contents, parts


@pytest.fixture(autouse=True, scope="module")
def few_events_are_many() -> Iterator[None]:
    """Days and quarters of an hour of a few events are divided like those of hundreds of thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "LARGE", 3)
        patch.setattr(contents, "MOST_BYTES", 1)
        yield
