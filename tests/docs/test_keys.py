"""The examples of docs/keys.md."""

from typing import Any

from tests.docs.markdown import ROOT, blocks
from tests.modules.keys.asking import create

PAGE = ROOT / "docs" / "keys.md"


async def test_the_operations_can_be_sent_as_they_stand(api: Any) -> None:
    """Each of them is answered, with the id of a key in place of ID."""
    operations = [block.text for block in blocks(PAGE) if block.language == "graphql"]
    assert len(operations) == 6
    for operation in operations:
        made = await create(api)
        assert await api.ask(operation.replace('"ID"', f'"{made["apiKey"]["id"]}"'))
