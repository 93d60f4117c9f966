"""Pages of which origins may call the API from a browser."""

from typing import Any

import pytest

from tests.conftest import OWNER_KEY
from tests.sockets import Socket, connected

SHOP = "https://shop.example"
OTHER = "https://other.example"
QUERY = {"query": "{ site { id } }"}
TRACK = {"query": 'mutation { trackClick(input: {itemId: "a"}) { verdict } }'}


async def allow(api: Any, *origins: str, site: str = "demo") -> None:
    """The site allows these origins from now on."""
    await api.services.sites.update(site, {"allowed_origins": list(origins)})


async def preflight(api: Any, origin: str, **headers: str) -> Any:
    return await api.http.options(
        "/graphql",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
            **headers,
        },
    )


async def call(api: Any, origin: str | None, key: str = "test-write-key", body: Any = TRACK) -> Any:
    headers = {"x-api-key": key, "user-agent": "Mozilla/5.0 Firefox/140.0"}
    headers |= {"origin": origin} if origin else {}
    return await api.http.post("/graphql", json=body, headers=headers)


def allowed(response: Any) -> str | None:
    value: str | None = response.headers.get("access-control-allow-origin")
    return value


async def test_any_origin_by_default(api: Any) -> None:
    """A preflight is answered for a day, and the answer may be read."""
    answer = await preflight(api, SHOP)
    assert answer.status_code == 200
    assert allowed(answer) == "*"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "86400"
    assert allowed(await call(api, SHOP)) == "*"
    assert "access-control-allow-origin" not in (await call(api, None)).headers


async def test_a_site_allows_its_own_pages_alone(api: Any) -> None:
    """Another origin's page can neither track with the public key nor read the refusal."""
    await allow(api, SHOP)
    await allow(api, OTHER, site="other")
    for origin in (SHOP, OTHER):  # one of the sites allows it, and a preflight has no key
        assert allowed(await preflight(api, origin)) == origin
    assert (await preflight(api, "https://evil.example")).status_code == 403

    good = await call(api, SHOP)
    assert good.json()["data"]["trackClick"]["verdict"] == "ACCEPTED"
    assert allowed(good) == SHOP
    for origin in (OTHER, "https://evil.example", "null", "https://shop.example.evil.example"):
        bad = await call(api, origin)
        assert bad.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert allowed(bad) is None
        assert "Origin" in bad.headers["vary"]
    assert await api.database["events"].count_documents({}) == 1


@pytest.mark.parametrize("origin", [SHOP, "https://SHOP.example", "https://shop.example:443"])
async def test_origins_are_compared_as_origins(api: Any, origin: str) -> None:
    """Case and the usual port make no difference."""
    await allow(api, SHOP)
    assert (await call(api, origin)).json()["data"]["trackClick"]["verdict"] == "ACCEPTED"


async def test_programs_send_no_origin(api: Any) -> None:
    """A backend service is not held against the origins of pages."""
    await allow(api, SHOP)
    assert (await call(api, None)).json()["data"]["trackClick"]["verdict"] == "ACCEPTED"


async def test_footfalls_own_page_may_always_ask(api: Any) -> None:
    """GraphiQL works whatever a site allows."""
    await allow(api, SHOP)
    answer = await call(api, "http://test", "test-read-key", QUERY)
    assert answer.json()["data"]["site"]["id"] == "demo"


async def test_the_instances_setting_is_a_bound(make_api: Any) -> None:
    """FOOTFALL_CORS_ORIGINS counts for all sites, whatever they allow."""
    api = await make_api(cors_origins=f"{SHOP}, {OTHER}")
    assert allowed(await preflight(api, OTHER)) == OTHER
    assert (await preflight(api, "https://evil.example")).status_code == 403
    assert allowed(await call(api, SHOP)) == SHOP
    refused = await call(api, "https://evil.example")
    assert allowed(refused) is None
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_an_error_before_the_key_is_known_may_be_read(api: Any) -> None:
    """A page's own developer sees why a request was refused."""
    await allow(api, SHOP)
    await allow(api, SHOP, site="other")
    response = await api.http.post("/graphql", content=b"{", headers={"origin": SHOP})
    assert response.status_code == 415
    assert allowed(response) == SHOP
    response = await call(api, OTHER, key="nobody")
    assert allowed(response) is None


async def test_a_setting_that_is_no_origin_is_refused(make_api: Any) -> None:
    """Footfall does not start with an origin that no browser ever sends."""
    with pytest.raises(ValueError, match=r"cors_origins[\s\S]*must be origins"):
        await make_api(cors_origins="shop.example")


@pytest.mark.parametrize("origin", ["https://a.example\r\nX-Evil: 1", "x" * 10_000, "\xff"])
async def test_an_origin_is_never_put_into_a_header_unread(api: Any, origin: str) -> None:
    """What is no origin is answered, without a header of its making."""
    for site in ("demo", "other"):
        await allow(api, SHOP, site=site)
    response = await api.http.post(
        "/graphql", json=QUERY, headers=[(b"origin", origin.encode("latin-1"))]
    )
    assert "x-evil" not in response.headers
    assert allowed(response) is None


CREATE = 'mutation { createSite(input: {id: "evil"}) { id } }'
SCHEMA = "{ __schema { queryType { name } } }"


async def restricted(make_api: Any, by: str) -> Any:
    """An API that pages of SHOP alone may call, by the instance's setting or by those of all sites."""
    if by == "instance":
        return await make_api(cors_origins=SHOP)
    api = await make_api()
    for site in ("demo", "other"):
        await allow(api, SHOP, site=site)
    return api


@pytest.mark.parametrize("named", [{}, {"X-Footfall-Site": "demo"}])
@pytest.mark.parametrize("by", ["instance", "sites"])
async def test_the_owners_key_is_no_exception(
    make_api: Any, by: str, named: dict[str, str]
) -> None:
    """On a site and on none: from a page of another origin the owner makes no site, and sees neither
    sites nor the schema."""
    api = await restricted(make_api, by)
    for operation in (CREATE, "{ sites { id } }", SCHEMA):
        headers = {"x-api-key": OWNER_KEY, "origin": "https://evil.example", **named}
        answer = await api.http.post("/graphql", json={"query": operation}, headers=headers)
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert not answer.json().get("data")
        assert allowed(answer) is None
    assert await api.database["sites"].count_documents({"_id": "evil"}) == 0
    for origin in (SHOP, "http://test"):
        answer = await call(api, origin, OWNER_KEY, {"query": "{ sites { id } }"})
        assert answer.json() == {"data": {"sites": [{"id": "demo"}, {"id": "other"}]}}


@pytest.mark.parametrize("site", [None, "demo"])
@pytest.mark.parametrize("by", ["instance", "sites"])
async def test_the_owner_connects_from_no_other_page(
    make_api: Any, by: str, site: str | None
) -> None:
    """4403 over a socket, whether a site is named or not."""
    api = await restricted(make_api, by)
    payload = {"Authorization": f"Bearer {OWNER_KEY}", **({"site": site} if site else {})}
    socket = Socket(api.app, {"Origin": "https://evil.example"})
    socket.tell({"type": "connection_init", "payload": payload})
    await socket.run()
    assert (await socket.closed)["code"] == 4403
    async with connected(api, payload=payload, headers={"Origin": SHOP}) as allowed_one:
        assert await allowed_one.data(allowed_one.start("{ sites { id } }"))


@pytest.mark.parametrize("key", [None, "nobody"])
@pytest.mark.parametrize("by", ["instance", "sites"])
async def test_pages_that_nobody_allows_connect_not_even_without_a_key(
    make_api: Any, by: str, key: str | None
) -> None:
    """4403, and not an acknowledgement; pages that some site allows are told what is missing."""
    api = await restricted(make_api, by)
    for origin in ("https://evil.example", "null", OTHER):
        socket = Socket(api.app, {"Origin": origin, **({"X-API-Key": key} if key else {})})
        socket.tell({"type": "connection_init"})
        await socket.run()
        assert (await socket.closed)["code"] == 4403
    async with connected(api, key="nobody", headers={"Origin": SHOP}) as unknown:
        error = await unknown.error(unknown.start("{ site { id } }"))
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
