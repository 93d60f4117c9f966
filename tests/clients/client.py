"""Python's gql against a running server, as client.js does it: `python client.py ADDRESS KEY`."""

import asyncio
import json
import sys
from typing import Any

from gql import Client, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from tenacity import retry, wait_fixed

QUERY = gql("query { site { id } }")
MUTATION = gql("mutation { trackPageView(input: {}) { verdict } }")
MISTAKE = gql("query { nothing }")
FEED = gql("subscription { eventFeed { kind event { eventId } } }")


def say(step: str, value: Any) -> None:
    print(json.dumps({"step": step, "value": value}), flush=True)


def code_of(error: TransportQueryError) -> Any:
    """The code of the first error."""
    assert error.errors
    return error.errors[0]["extensions"]["code"]


async def main(address: str, key: str) -> None:
    transport = WebsocketsTransport(
        address,
        init_payload={"Authorization": f"Bearer {key}"},
        subprotocols=["graphql-transport-ws"],
    )
    client = Client(transport=transport)
    session = await client.connect_async(
        reconnecting=True, retry_connect=retry(wait=wait_fixed(0.1))
    )
    say("query", (await session.execute(QUERY))["site"]["id"])
    say("mutation", (await session.execute(MUTATION))["trackPageView"]["verdict"])
    try:
        await session.execute(MISTAKE)
    except TransportQueryError as error:
        say("mistake", code_of(error))
    while True:
        try:
            async for data in session.subscribe(FEED):
                entry = data["eventFeed"]
                say(entry["kind"], entry["event"] and entry["event"]["eventId"])
        except TransportQueryError as error:
            say("refused", code_of(error))
            break
        except TransportError:
            await asyncio.sleep(0.1)  # until it is connected again
    await client.close_async()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
