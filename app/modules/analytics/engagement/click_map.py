"""Where was clicked: clicks counted by the cells of a grid. All positions are pixels.

A click lies in the pixel that its position is in: rounded down. Pixel p of a width of w pixels is in
column p * columns / w, rounded down. These are whole numbers, so that no click is in the wrong cell.
"""

from dataclasses import dataclass

from app.core.errors import BadInputError
from app.core.texts import check_id
from app.modules.analytics.engagement.spread import Key
from app.modules.analytics.pipelines.dimensions import Categories
from app.modules.analytics.pipelines.expressions import Expression, Stage, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import ReportQuery
from app.repositories.events import WEIGHT
from app.schemas.event import EventType

MAX_CELLS_A_SIDE = 100
MAX_SIDE = 1_000_000
# The area is as large as the clicks are spread, without those that are further out than twice what
# this percentile is: one click a million pixels away would make a map of one cell.
USUAL = 95
FAR = 2
# Positions are first counted by steps of so many pixels.
STEP = 1_000
AXES = ("x", "y")

_UNPLACED, _OUTSIDE = -2, -1


@dataclass(frozen=True, slots=True)
class ClickMapRequest:
    """Which clicks, and how finely. Sides are pixels; None: as far as was clicked. Raises BadInputError."""

    item: str | None = None
    page: str | None = None
    columns: int = 20
    rows: int = 20
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        if self.item is None and self.page is None:
            raise BadInputError("is needed where page is not given", "itemId")
        if self.item is not None:
            check_id(self.item, "itemId")
        if self.page is not None:
            check_id(self.page, "page")
        for name, cells, side_name, side in (
            ("columns", self.columns, "width", self.width),
            ("rows", self.rows, "height", self.height),
        ):
            if not 1 <= cells <= MAX_CELLS_A_SIDE:
                raise BadInputError(f"must be from 1 to {MAX_CELLS_A_SIDE}", name)
            if side is not None and not cells <= side <= MAX_SIDE:
                raise BadInputError(f"must be from {name} to {MAX_SIDE:,} pixels", side_name)


@dataclass(frozen=True, slots=True)
class Grid:
    """An area from the left and top, in pixels, cut into columns and rows of (nearly) one size."""

    columns: int
    rows: int
    width: int
    height: int

    def left(self, column: int) -> int:
        """The first pixel of a column."""
        return -(-column * self.width // self.columns)

    def top(self, row: int) -> int:
        """The first pixel of a row."""
        return -(-row * self.height // self.rows)


@dataclass(frozen=True, slots=True)
class Cell:
    """How many clicks lie in one cell of the grid."""

    column: int
    row: int
    clicks: int


@dataclass(frozen=True, slots=True)
class ClickMap:
    """The cells with clicks, by row and column; clicks outside, and clicks that name no position."""

    grid: Grid
    cells: tuple[Cell, ...]
    outside: int
    unplaced: int
    sampled: bool


def positions(query: ReportQuery, categories: Categories, asked: ClickMapRequest) -> list[Stage]:
    """Two documents for each click that is not left of or above the area: `key` is the axis."""
    return [
        *_clicks(query, categories, asked),
        {"$match": {"click_position.x": {"$gte": 0}, "click_position.y": {"$gte": 0}}},
        {
            "$project": {
                "_id": 0,
                "weight": WEIGHT,
                "axis": [{"key": axis, "value": _pixel(axis)} for axis in AXES],
            }
        },
        {"$unwind": "$axis"},
        {"$project": {"key": "$axis.key", "value": "$axis.value", "weight": 1}},
    ]


def furthest(usual: dict[Key, int]) -> list[Stage]:
    """After `positions`: by axis the largest one that is not far out, as `furthest`."""
    near = [{"key": axis, "value": {"$lte": FAR * most}} for axis, most in usual.items()]
    return [
        {"$match": {"$or": near}},
        {"$group": {"_id": "$key", "furthest": {"$max": "$value"}}},
    ]


def by_cell(
    query: ReportQuery, categories: Categories, asked: ClickMapRequest, grid: Grid
) -> list[Stage]:
    """Clicks by `column` and `row`; negative ones are those that lie in none."""
    x, y = (_pixel(axis) for axis in AXES)
    inside = {
        "$and": [
            {"$gte": ["$click_position.x", 0]},
            {"$lt": [x, grid.width]},
            {"$gte": ["$click_position.y", 0]},
            {"$lt": [y, grid.height]},
        ]
    }
    placed = {"$gt": ["$click_position.x", None]}
    return [
        *_clicks(query, categories, asked),
        {
            "$project": {
                "_id": 0,
                "weight": WEIGHT,
                **{
                    name: {
                        "$switch": {
                            "branches": [
                                {"case": {"$not": placed}, "then": literal(_UNPLACED)},
                                {"case": {"$not": inside}, "then": literal(_OUTSIDE)},
                            ],
                            "default": cell,
                        }
                    }
                    for name, cell in (
                        ("column", _cell(x, grid.columns, grid.width)),
                        ("row", _cell(y, grid.rows, grid.height)),
                    )
                },
            }
        },
        {
            "$group": {
                "_id": {"row": "$row", "column": "$column"},
                "clicks": {"$sum": "$weight"},
            }
        },
        {"$sort": {"_id.row": 1, "_id.column": 1}},
    ]


def click_map_from(grid: Grid, found: list[Stage], *, sampled: bool) -> ClickMap:
    """What `by_cell` found."""
    cells = [
        Cell(int(row["_id"]["column"]), int(row["_id"]["row"]), int(row["clicks"])) for row in found
    ]
    return ClickMap(
        grid,
        tuple(cell for cell in cells if cell.column >= 0),
        sum(cell.clicks for cell in cells if cell.column == _OUTSIDE),
        sum(cell.clicks for cell in cells if cell.column == _UNPLACED),
        sampled,
    )


def _clicks(query: ReportQuery, categories: Categories, asked: ClickMapRequest) -> list[Stage]:
    match: Stage = {"type": EventType.CLICK.value}
    if asked.item is not None:
        match["item"] = asked.item
    if asked.page is not None:
        match["page"] = asked.page
    return [*covered(query, categories), {"$match": match}]


def _pixel(axis: str) -> Expression:
    return {"$toLong": {"$floor": f"$click_position.{axis}"}}


def _cell(pixel: Expression, cells: int, side: int) -> Expression:
    """Rounded down. Both numbers are far too small for the quotient of doubles to be rounded up to one."""
    return {"$toInt": {"$floor": {"$divide": [{"$multiply": [pixel, cells]}, side]}}}
