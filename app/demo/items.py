"""Puts the demonstration's items into the catalogue."""

from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError
from app.demo.catalogue import AUCTION, DemoItem, catalogue, ends_at
from app.modules.items.service import ItemService
from app.schemas.item import ItemStatus

ON_OFFER = timedelta(days=28)


async def add_items(items: ItemService, site: str, now: datetime) -> None:
    """Add those that are not there yet; what has become of the others stays."""
    for item in catalogue():
        try:
            await items.create(site, _fields(item, now))
        except ConflictError:
            continue


def _fields(item: DemoItem, now: datetime) -> dict[str, Any]:
    end = ends_at(item, now)
    return {
        "item": item.id,
        "title": item.title,
        "kind": item.kind,
        "description": item.description,
        "category": item.category,
        "status": _status(item, end, now),
        "price": item.price,
        "currency": "EUR" if item.price is not None else None,
        "link": item.link,
        "campaign": item.campaign_id,
        "starts_at": end - ON_OFFER if end else None,
        "ends_at": end,
        "attributes": item.attributes,
    }


def _status(item: DemoItem, end: datetime | None, now: datetime) -> ItemStatus:
    """Most lots whose auction is over were sold; what is sold out is paused."""
    if item.kind == AUCTION and end is not None and end <= now:
        return ItemStatus.SOLD if int(item.attributes["lot"]) % 6 else ItemStatus.ENDED
    return ItemStatus.PAUSED if item.attributes.get("stock") == 0 else ItemStatus.ACTIVE
