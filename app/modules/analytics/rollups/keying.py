"""Which row of a report an event is in, and whether it is in the report at all: for events in columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.core.quarters import DAY_MS, to_ms
from app.modules.analytics.buckets import CLOCK_GRANULARITIES, Granularity
from app.modules.analytics.pipelines.dimensions import FIELDS, segments_of
from app.modules.analytics.query import Condition, Dimension, ReportQuery
from app.modules.analytics.rollups.columns import Coded, Columns, Mask, Numbers, hash_of
from app.modules.analytics.rollups.tally import Keys, Tally

HOUR_MS = 60 * 60 * 1000
CALENDAR = frozenset({Dimension.HOUR_OF_DAY, Dimension.WEEKDAY})

MOST_NUMBERS = 1_000_000  # of keys, for which there is room for a number each

Categories = Mapping[str, str | None]  # of items, by id


class Keying:
    """The keys of one report's rows. `categories` are those of its items, where it asks for them."""

    def __init__(self, query: ReportQuery, categories: Categories) -> None:
        self._query = query
        self._categories = categories
        timeline = query.timeline
        zone = timeline.segments if timeline and timeline.segments else segments_of(query)
        self._zone_starts = np.array([to_ms(part.start) for part in zone], np.int64)
        self._offsets = np.array(
            [int(part.offset.total_seconds() * 1000) for part in zone], np.int64
        )
        buckets = timeline.buckets if timeline else ()
        self._granularity = timeline.granularity if timeline else None
        self._bucket_keys = [bucket.key for bucket in buckets]
        self._bucket_starts = np.array([to_ms(bucket.start) for bucket in buckets], np.int64)
        self._bucket_dates = np.array([to_ms(bucket.key) for bucket in buckets], np.int64)

    def selected(self, columns: Columns) -> Columns:
        """The events that the report covers."""
        time_range, wanted = self._query.time_range, self._query.filter
        start, end = to_ms(time_range.start), to_ms(time_range.end)
        mask: Mask = (columns.at >= start) & (columns.at < end)
        if wanted.items is not None:
            mask &= self._having(columns, Condition(Dimension.ITEM, wanted.items))
        elif wanted.with_item:
            mask &= self._coded(Dimension.ITEM, columns).codes > 0
        if wanted.user is not None:
            mask &= columns.ids["user"] == np.uint64(hash_of(wanted.user))
        if wanted.visitor is not None:
            mask &= columns.ids["visitor"] == np.uint64(hash_of(wanted.visitor))
        for condition in wanted.where:
            mask &= self._having(columns, condition)
        return columns if mask.all() else columns.rows(mask.nonzero()[0])

    def add_to(self, tally: Tally, columns: Columns) -> None:
        """Add the events that the report covers to the keys of their rows."""
        self.add_selected(tally, self.selected(columns))

    def add_selected(self, tally: Tally, columns: Columns) -> None:
        """Add events, all of which the report covers."""
        if len(columns):
            tally.add_events(columns, self._places(tally, columns))

    def boundaries(self, start: int, end: int) -> list[int]:
        """The instants between start and end at which the key of events may change, in order.

        Between two of them all events of a row's other dimensions have one key.
        """
        found = [self._zone_starts]
        if self._granularity is not None:
            found.append(self._bucket_starts)
        for dimension in CALENDAR.intersection(self._query.dimensions):
            length = HOUR_MS if dimension is Dimension.HOUR_OF_DAY else DAY_MS
            ends = [*self._zone_starts[1:].tolist(), end]
            for since, until, offset in zip(
                self._zone_starts.tolist(), ends, self._offsets.tolist(), strict=True
            ):
                first = max(since, start) + offset
                found.append(
                    np.arange(-(-first // length) * length, until + offset, length) - offset
                )
        instants = np.unique(np.concatenate(found))
        inside: list[int] = instants[(instants > start) & (instants < end)].tolist()
        return inside

    def keys_at(self, instants: Sequence[int]) -> list[tuple[Any, ...]]:
        """For each instant its bucket's key and the calendar's values.

        In the place of a dimension that is not of the calendar stands None.
        """
        at = np.array(instants, np.int64)
        buckets: list[Any] = [None] * len(at)
        if self._bucket_keys and len(at):
            buckets = [self._bucket_keys[place] for place in self._buckets(at).tolist()]
        values: list[list[Any]] = []
        for dimension in self._query.dimensions:
            if dimension in CALENDAR:
                coded = self._calendar(dimension, at)
                values.append([coded.values[code] for code in coded.codes.tolist()])
            else:
                values.append([None] * len(at))
        return list(zip(buckets, *values, strict=True))

    def _places(self, tally: Tally, columns: Columns) -> Keys:
        """The place of each event's key."""
        dimensions = [self._coded(dimension, columns) for dimension in self._query.dimensions]
        combined = np.zeros(len(columns), np.int64)
        if self._bucket_keys:
            combined = self._buckets(columns.at)
        for coded in dimensions:
            combined = combined * len(coded.values) + coded.codes
        unique, inverse = _numbered(combined)
        values: list[list[Any]] = []
        left = unique
        for coded in reversed(dimensions):
            left, codes = np.divmod(left, len(coded.values))
            values.append([coded.values[code] for code in codes.tolist()])
        buckets = (
            [self._bucket_keys[number] for number in left.tolist()]
            if self._bucket_keys
            else [None] * len(unique)
        )
        return tally.places(zip(buckets, *reversed(values), strict=True))[inverse]

    def _coded(self, dimension: Dimension, columns: Columns) -> Coded:
        """The values of a dimension."""
        if dimension in CALENDAR:
            return self._calendar(dimension, columns.at)
        if dimension is Dimension.CATEGORY:
            return self._category(columns)
        coded = columns.dimensions.get(FIELDS[dimension])
        return coded or Coded(np.zeros(len(columns), np.uint32), [None])

    def _category(self, columns: Columns) -> Coded:
        items = self._coded(Dimension.ITEM, columns)
        numbers: dict[str | None, int] = {None: 0}
        of_item = [
            numbers.setdefault(None if item is None else self._categories.get(item), len(numbers))
            for item in items.values
        ]
        return Coded(np.array(of_item, np.uint32)[items.codes], list(numbers))

    def _having(self, columns: Columns, condition: Condition) -> Mask:
        coded = self._coded(condition.dimension, columns)
        wanted = set(condition.values)
        return np.array([value in wanted for value in coded.values], np.bool_)[coded.codes]

    def _local(self, at: Numbers) -> Numbers:
        """What clocks showed, in milliseconds since 1970 as if it were UTC."""
        places = np.searchsorted(self._zone_starts, at, "right") - 1
        local: Numbers = at + self._offsets[np.maximum(places, 0)]
        return local

    def _calendar(self, dimension: Dimension, at: Numbers) -> Coded:
        local = self._local(at)
        if dimension is Dimension.HOUR_OF_DAY:
            return Coded((local // HOUR_MS % 24).astype(np.uint32), [str(n) for n in range(24)])
        # 1970 began on a Thursday.
        weekdays = (local // DAY_MS + 3) % 7
        return Coded(weekdays.astype(np.uint32), [str(n) for n in range(1, 8)])

    def _buckets(self, at: Numbers) -> Numbers:
        """The places of the buckets that these instants are in."""
        if self._granularity in CLOCK_GRANULARITIES:
            return np.searchsorted(self._bucket_starts, at, "right") - 1
        return np.searchsorted(self._bucket_dates, _date(self._granularity, self._local(at)))


def _numbered(combined: Numbers) -> tuple[Numbers, Numbers]:
    """The different numbers, and for each one its place among them."""
    size = int(combined.max()) + 1
    if size > MOST_NUMBERS:
        unique, places = np.unique(combined, return_inverse=True)
        return unique, places.astype(np.int64)
    occurs = np.zeros(size, np.bool_)  # numbers are few: no need to sort so many
    occurs[combined] = True
    unique = occurs.nonzero()[0]
    place_of = np.cumsum(occurs) - 1
    return unique, place_of[combined]


def _date(granularity: Granularity | None, local: Numbers) -> Numbers:
    """When the day, week or month began, on the clock."""
    if granularity is Granularity.MONTH:
        months = local.astype("datetime64[ms]").astype("datetime64[M]")
        return months.astype("datetime64[ms]").astype(np.int64)
    days = local // DAY_MS
    if granularity is Granularity.WEEK:
        days = days - (days + 3) % 7
    date: Numbers = days * DAY_MS
    return date
