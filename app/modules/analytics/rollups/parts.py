"""Parts of days: of the whole site there are rollups of how a day begins and of what is left of it.

Of two of them a day of another zone than UTC is put together. Where there is much of a day they
begin and end wherever a day does in some zone; where there is little, quarters of an hour are
quickly added to the nearest ones.
"""

from collections.abc import Collection, Iterable, Iterator

from app.core.quarters import DAY_MS

MINUTE_MS = 60 * 1000
DAY_MINUTES = 24 * 60
BLOCK_MINUTES = 180  # of a large day (blocks.py)
LARGE = 20_000  # events of a day

# The UTC offsets in use that are no whole hours, in minutes: from Marquesas to Chatham in summer.
_OFFSETS = (-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825)
_EVERY_THREE_HOURS = tuple(range(180, 1_440, 180))
_WHERE_DAYS_BEGIN = tuple(
    sorted({*range(60, 1_440, 60), *(-offset % 1_440 for offset in _OFFSETS)})
)


def parts_of_day(events: int) -> tuple[int, ...]:
    """After how many minutes a day of so many events is divided, in order."""
    return _WHERE_DAYS_BEGIN if events >= LARGE else _EVERY_THREE_HOURS


def all_blocks() -> tuple[int, ...]:
    """After how many minutes the blocks of a large day begin, in order."""
    return tuple(range(0, DAY_MINUTES, BLOCK_MINUTES))


def block_of_day(minutes: int) -> str:
    """The level of the block that begins after so long."""
    return f"block-{minutes}"


def is_block(level: str) -> bool:
    """Whether a level is that of a block."""
    return level.startswith("block-")


def all_levels() -> Iterator[str]:
    """The levels of all parts that a day may have."""
    for minutes in _WHERE_DAYS_BEGIN:
        yield first_of_day(minutes)
        yield rest_of_day(minutes)


def first_of_day(minutes: int) -> str:
    """The level of how a day begins, so long."""
    return f"first-{minutes}"


def rest_of_day(minutes: int) -> str:
    """The level of what is left of a day after so long."""
    return f"rest-{minutes}"


def divided_days(instants: Iterable[int]) -> Collection[int]:
    """The days inside which these instants are."""
    return {at // DAY_MS * DAY_MS for at in instants if at % DAY_MS}
