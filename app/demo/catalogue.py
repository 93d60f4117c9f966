"""The 200 items of the demonstration: auction lots, products and banners. Always the same ones."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import cache
from random import Random

LOTS, PRODUCTS, BANNERS = 110, 75, 15
ADDRESS = "https://shop.example"

AUCTION, PRODUCT, BANNER = "auction", "product", "banner"


@dataclass(frozen=True, slots=True)
class DemoItem:
    """One item, and what decides how it fares."""

    id: str
    kind: str
    title: str
    category: str
    description: str
    price: Decimal | None
    link: str
    campaign_id: str | None
    attributes: dict[str, str | int]
    # How often it is shown compared with others, and how often it is clicked compared with others.
    popularity: float = field(compare=False)
    appeal: float = field(compare=False)


# Category: what there is, in which finish, of which time, and what it goes for (EUR).
_LOTS: dict[str, tuple[list[str], list[str], list[str], int]] = {
    "Watches": (
        ["Chronograph", "Diver's watch", "Dress watch", "Pocket watch", "Pilot's watch"],
        ["steel", "18 ct gold", "silver case", "rose gold", "two-tone"],
        ["about 1935", "1950s", "1968", "1972", "1989"],
        1_800,
    ),
    "Paintings": (
        [
            "Harbour at dusk",
            "Still life with lemons",
            "Alpine lake",
            "Portrait of a lady",
            "Winter street",
        ],
        ["oil on canvas", "watercolour", "gouache", "oil on panel", "tempera"],
        [
            "Dutch school, 19th century",
            "signed, 1911",
            "French school, about 1880",
            "1930s",
            "Italian, 18th century",
        ],
        2_400,
    ),
    "Furniture": (
        ["Writing desk", "Lounge chair", "Sideboard", "Chest of drawers", "Dining table"],
        ["walnut", "teak", "oak", "rosewood veneer", "cherry"],
        ["Biedermeier", "Danish, 1960s", "Art Deco", "Gustavian", "mid-century"],
        1_100,
    ),
    "Ceramics": (
        ["Vase", "Tea service", "Lidded bowl", "Charger", "Figure of a dancer"],
        ["celadon glaze", "blue and white", "polychrome", "salt-glazed", "creamware"],
        [
            "Meissen, 19th century",
            "studio pottery, 1970s",
            "Delft, 18th century",
            "Art Nouveau",
            "Qing dynasty",
        ],
        650,
    ),
    "Jewellery": (
        ["Brooch", "Pair of earrings", "Signet ring", "Bracelet", "Pendant"],
        ["sapphires", "diamonds", "emerald", "pearls", "garnets"],
        ["Victorian", "Art Deco", "1950s", "Edwardian", "contemporary"],
        1_500,
    ),
    "Books and maps": (
        ["Atlas", "Herbal", "Travel journal", "Map of the Alps", "Collected plays"],
        [
            "full calf",
            "hand-coloured plates",
            "first edition",
            "with 24 engravings",
            "half leather",
        ],
        ["Amsterdam, 1658", "London, 1797", "Paris, 1843", "Leipzig, 1905", "Vienna, 1871"],
        420,
    ),
}
_PRODUCTS: dict[str, tuple[list[str], list[str], int]] = {
    "Lighting": (
        ["Desk lamp", "Pendant light", "Floor lamp"],
        ["brass", "opal glass", "matt black", "linen", "oak"],
        140,
    ),
    "Kitchen": (
        ["Cast iron pan", "Coffee grinder", "Carving knife"],
        ["24 cm", "walnut handle", "enamelled", "hand-forged", "travel size"],
        75,
    ),
    "Textiles": (
        ["Wool blanket", "Linen bedding", "Kilim"],
        ["indigo", "undyed", "ochre", "striped", "moss green"],
        120,
    ),
    "Office": (
        ["Fountain pen", "Notebook set", "Leather folder"],
        ["black", "burgundy", "forest green", "natural", "limited edition"],
        60,
    ),
    "Garden": (
        ["Secateurs", "Watering can", "Fire bowl"],
        ["copper", "galvanised", "forged steel", "large", "for terraces"],
        85,
    ),
}
_BANNERS: list[tuple[str, str]] = [
    ("Evening sale: modern design", "modern-design"),
    ("Watches of a century", "watches"),
    ("Free delivery this week", "free-delivery"),
    ("Consign with us", "consign"),
    ("Autumn catalogue", "autumn-catalogue"),
    ("Last bids tonight", "last-bids"),
    ("New in: lighting", "new-lighting"),
    ("Gifts under 100 euros", "gifts"),
    ("The garden season begins", "garden"),
    ("Meet our experts", "experts"),
    ("Paintings from private collections", "private-collections"),
    ("Ten per cent for newsletter readers", "newsletter-offer"),
    ("How bidding works", "how-bidding-works"),
    ("Jewellery preview", "jewellery-preview"),
    ("Studio pottery", "studio-pottery"),
]  # fmt: skip


@cache
def catalogue() -> tuple[DemoItem, ...]:
    """All items, lots first. Popularity has a long tail: a few items are shown far more than most."""
    random = Random("footfall demonstration catalogue")
    return (*_lots(random), *_products(random), *_banners(random))


def ends_at(item: DemoItem, today: datetime) -> datetime | None:
    """When the auction of a lot ends: spread over the weeks around today, in the evening."""
    if item.kind != AUCTION:
        return None
    days = int(item.id.removeprefix("lot-")) * 7 % 56 - 14
    return datetime.combine(today.date() + timedelta(days=days), time(19, 0), today.tzinfo)


def _lots(random: Random) -> list[DemoItem]:
    combinations = [
        (category, f"{thing}, {finish}, {period}", thing, finish, period, typical)
        for category, (things, finishes, periods, typical) in _LOTS.items()
        for thing in things
        for finish in finishes
        for period in periods
    ]
    return [
        DemoItem(
            id=f"lot-{number:03}",
            kind=AUCTION,
            title=title,
            category=category,
            description=f"{thing} ({finish}), {period}. In good condition with traces of its age; "
            f"estimate on request. Lot {number} of the current sale.",
            price=_price(random, typical),
            link=f"{ADDRESS}/lots/lot-{number:03}",
            campaign_id=None,
            attributes={"period": period, "material": finish, "lot": number},
            **_fortune(random),
        )
        for number, (category, title, thing, finish, period, typical) in enumerate(
            random.sample(combinations, LOTS), start=1
        )
    ]


def _products(random: Random) -> list[DemoItem]:
    combinations = [
        (category, thing, variant, typical)
        for category, (things, variants, typical) in _PRODUCTS.items()
        for thing in things
        for variant in variants
    ]
    return [
        DemoItem(
            id=f"product-{number:03}",
            kind=PRODUCT,
            title=f"{thing}, {variant}",
            category=category,
            description=f"{thing} for every day ({variant}). Made in small series, in stock.",
            price=_price(random, typical),
            link=f"{ADDRESS}/products/product-{number:03}",
            campaign_id=None,
            attributes={"variant": variant, "stock": random.randint(0, 80)},
            **_fortune(random),
        )
        for number, (category, thing, variant, typical) in enumerate(
            random.sample(combinations, PRODUCTS), start=1
        )
    ]


def _banners(random: Random) -> list[DemoItem]:
    return [
        DemoItem(
            id=f"banner-{number:03}",
            kind=BANNER,
            title=title,
            category="Banners",
            description=f"Banner of the campaign {campaign}, 970 by 250 pixels.",
            price=None,
            link=f"{ADDRESS}/campaigns/{campaign}",
            campaign_id=campaign,
            attributes={"width": 970, "height": 250},
            **_fortune(random),
        )
        for number, (title, campaign) in enumerate(_BANNERS[:BANNERS], start=1)
    ]


def _price(random: Random, typical: int) -> Decimal:
    """Around the typical price, in steps of 5 or 50."""
    price = typical * random.lognormvariate(0, 0.5)
    step = 5 if price < 500 else 50
    return Decimal(max(1, round(price / step)) * step)


def _fortune(random: Random) -> dict[str, float]:
    return {
        "popularity": random.paretovariate(1.16),
        "appeal": random.lognormvariate(0, 0.45),
    }
