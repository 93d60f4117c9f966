"""What the tests of keys ask."""

from typing import Any

KEY = (
    """{ id label scope hint allowedOrigins rateLimit createdAt lastUsedAt expiresAt revokedAt }"""
)
KEYS_QUERY = f"{{ keys {KEY} }}"
CREATE = f"""mutation ($input: CreateKeyInput!) {{
  createKey(input: $input) {{ key apiKey {KEY} }} }}"""
ROTATE = f"""mutation ($id: ID!, $grace: Int) {{
  rotateKey(id: $id, graceSeconds: $grace) {{ key apiKey {KEY} }} }}"""
REVOKE = f"mutation ($id: ID!) {{ revokeKey(id: $id) {KEY} }}"
UPDATE = f"""mutation ($id: ID!, $input: UpdateKeyInput!) {{
  updateKey(id: $id, input: $input) {KEY} }}"""


async def create(api: Any, scope: str = "READ", label: str = "made", **more: Any) -> dict[str, Any]:
    """A new key: `key` and `apiKey`."""
    data = await api.ask(CREATE, {"input": {"scope": scope, "label": label, **more}})
    made: dict[str, Any] = data["createKey"]
    return made


async def listed(api: Any, **how: Any) -> list[dict[str, Any]]:
    """The site's keys."""
    found: list[dict[str, Any]] = (await api.ask(KEYS_QUERY, **how))["keys"]
    return found


async def one(api: Any, key_id: str) -> dict[str, Any]:
    """The key of this id."""
    [found] = [key for key in await listed(api) if key["id"] == key_id]
    return found


async def code_with(
    api: Any, key: str, query: str = "{ site { id } }", **headers: str
) -> str | None:
    """The code of the first error that the query has with this key; None where it is answered."""
    response = await api.http.post(
        "/graphql", json={"query": query}, headers={"Authorization": f"Bearer {key}", **headers}
    )
    errors = response.json().get("errors")
    return errors[0]["extensions"]["code"] if errors else None
