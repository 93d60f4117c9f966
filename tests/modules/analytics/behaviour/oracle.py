"""What reports of behaviour should say, worked out by trying everything. Nothing of app/ is used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

Event = dict[str, Any]
FIELDS = {"type": "type", "name": "name", "itemId": "item", "page": "page"}


def percent(count: int, of: int) -> float | None:
    return float(Fraction(100 * count, of)) if of else None


def place(event: Event) -> tuple[datetime, str]:
    return event["at"], event["_id"]


def weight(event: Event) -> int:
    return event.get("weight", 1)


def counted(events: list[Event], start: datetime, end: datetime) -> list[Event]:
    """Those that count, in order."""
    found = [each for each in events if "void" not in each and start <= each["at"] < end]
    return sorted(found, key=place)


def grouped(events: list[Event], name: str) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event[name], []).append(event)
    return groups


# Funnels


def is_step(event: Event, step: dict[str, str], categories: dict[str, str]) -> bool:
    fields = all(event.get(FIELDS[part]) == step[part] for part in step if part in FIELDS)
    return fields and (
        "category" not in step or categories.get(event.get("item", "")) == step["category"]
    )


def attempts(
    events: list[Event], steps: list[Any], window: timedelta, categories: dict[str, str]
) -> Iterator[list[int]]:
    """Every way to get through the steps, or some of them, as the places of its events."""

    def further(attempt: list[int]) -> Iterator[list[int]]:
        yield attempt
        if len(attempt) == len(steps):
            return
        for number in range(attempt[-1] + 1, len(events)):
            in_time = events[number]["at"] - events[attempt[0]]["at"] <= window
            if in_time and is_step(events[number], steps[len(attempt)], categories):
                yield from further([*attempt, number])

    for number, event in enumerate(events):
        if is_step(event, steps[0], categories):
            yield from further([number])


def funnel(
    events: list[Event],
    steps: list[dict[str, str]],
    window: timedelta,
    by: str | None,
    categories: dict[str, str],
) -> dict[str, Any]:
    """The steps of all visitors, and the rows; of events that count."""
    done: list[tuple[str | None, int, list[datetime]]] = []
    for those in grouped(events, "visitor").values():
        possible = [one for one in those if any(is_step(one, step, categories) for step in steps)]
        found = list(attempts(possible, steps, window, categories))
        if found:
            best = min(found, key=lambda attempt: (-len(attempt), attempt))
            first = possible[best[0]]
            value = (
                categories.get(first.get("item", "")) if by == "category" else first.get(by or "")
            )
            heaviest = max(map(weight, possible))
            done.append((value, heaviest, [possible[number]["at"] for number in best]))
    rows = {value: [one for one in done if one[0] == value] for value, _, _ in done} if by else {}
    shown = [{"value": value, "steps": reached(those, len(steps))} for value, those in rows.items()]

    def order(row: dict[str, Any]) -> Any:
        return -row["steps"][0]["visitors"], row["value"] is not None, row["value"] or ""

    return {"steps": reached(done, len(steps)), "rows": sorted(shown, key=order)}


def reached(done: list[Any], number_of_steps: int) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for step in range(number_of_steps):
        here = [one for one in done if len(one[2]) > step]
        visitors = sum(weight for _, weight, _ in here)
        before = steps[-1]["visitors"] if steps else None
        first = steps[0]["visitors"] if steps else visitors
        times = [
            (at[step] - at[step - 1]) / timedelta(milliseconds=1)
            for _, weight, at in here
            for _ in range(weight)
            if step
        ]
        steps.append(
            {
                "step": step + 1,
                "visitors": visitors,
                "conversionFromFirst": percent(visitors, first),
                "conversionFromPrevious": None if before is None else percent(visitors, before),
                "dropOff": None if before is None else before - visitors,
                "dropOffPercent": None if before is None else percent(before - visitors, before),
                "medianSeconds": median(times) / 1000 if times else None,
            }
        )
    return steps


# Retention


def period_of(day: date, granularity: str) -> int:
    """A number for the period of a day; the next period has the next number."""
    if granularity == "DAY":
        return day.toordinal()
    if granularity == "WEEK":
        return (day.toordinal() - 1) // 7
    return day.year * 12 + day.month - 1


def first_day(period: int, granularity: str) -> date:
    # Ordinal 1 is a Monday, so that weeks from Monday begin at ordinals 1 + 7 n.
    if granularity == "DAY":
        return date.fromordinal(period)
    if granularity == "WEEK":
        return date.fromordinal(period * 7 + 1)
    return date(period // 12, period % 12 + 1, 1)


@dataclass
class Asked:
    start: datetime
    end: datetime
    granularity: str
    zone: str
    periods: int
    now: datetime

    def period(self, instant: datetime) -> int:
        day = instant.astimezone(ZoneInfo(self.zone)).date()
        return period_of(day, self.granularity)

    def begins(self, period: int) -> datetime:
        midnight = datetime.combine(first_day(period, self.granularity), time())
        return midnight.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


def retention(events: list[Event], asked: Asked) -> dict[str, Any]:
    """The answer, from everything that ever counted before the end."""
    weights, active, first = {}, {}, {}
    for visitor, those in grouped(events, "visitor").items():
        weights[visitor] = max(map(weight, those))
        if those[0]["at"] >= asked.start:
            active[visitor] = {asked.period(one["at"]) for one in those}
            first[visitor] = asked.period(those[0]["at"])
    begin = asked.period(asked.start)
    last = asked.period(asked.end - timedelta(milliseconds=1))
    while last >= begin and asked.begins(last) > asked.now:
        if any(last in periods for periods in active.values()):
            break
        last -= 1

    def there(cohort: int, period: int) -> int:
        return sum(weights[one] for one in active if first[one] == cohort and period in active[one])

    def complete(period: int) -> bool:
        until = min(asked.now, asked.end)
        return asked.begins(period) >= asked.start and asked.begins(period + 1) <= until

    def cells(cohorts: list[int]) -> list[dict[str, Any]]:
        found = []
        for number in range(asked.periods + 1):
            known = [cohort for cohort in cohorts if cohort + number <= last]
            visitors = sum(there(cohort, cohort + number) for cohort in known)
            size = sum(there(cohort, cohort) for cohort in known)
            found.append(
                {
                    "period": number,
                    "visitors": visitors if known else None,
                    "percent": percent(visitors, size) if known else None,
                    "complete": bool(known) and all(complete(one + number) for one in known),
                }
            )
        return found

    cohorts = list(range(begin, last + 1))
    return {
        "cohorts": [
            {
                "start": asked.begins(cohort).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "visitors": there(cohort, cohort),
                "periods": cells([cohort]),
            }
            for cohort in cohorts
        ],
        "overall": cells(cohorts),
    }


# Attribution


@dataclass
class Windows:
    model: str
    clicks: timedelta
    views: timedelta
    impressions: bool


def touches_of(conversion: Event, events: list[Event], windows: Windows) -> list[Event]:
    """What a conversion is credited to, in order."""
    before = [
        event
        for event in events
        if place(event) < place(conversion)
        and (
            event["visitor"] == conversion["visitor"]
            or ("user" in event and event["user"] == conversion.get("user"))
        )
    ]
    views = ("VIEW", "IMPRESSION") if windows.impressions else ("VIEW",)
    clicked = [
        one
        for one in before
        if one["type"] == "CLICK" and conversion["at"] - one["at"] <= windows.clicks
    ]
    viewed = [
        one
        for one in before
        if one["type"] in views and conversion["at"] - one["at"] <= windows.views
    ]
    return {
        "LAST_TOUCH": clicked[-1:] or viewed[-1:],
        "LAST_CLICK": clicked[-1:],
        "FIRST_CLICK": clicked[:1],
        "LINEAR": clicked,
        "LAST_VIEW": viewed[-1:],
    }[windows.model]


@dataclass
class Credit:
    conversions: Fraction
    amounts: dict[str, Fraction]


def attribution(
    events: list[Event], start: datetime, by: str, windows: Windows
) -> dict[str | bool | None, Credit]:
    """By value, False for direct, True for all; of events before the range's end that count."""
    found: dict[str | bool | None, Credit] = {True: Credit(Fraction(0), {})}

    def add(
        key: str | bool | None, share: Fraction, amount: Fraction | None, currency: str
    ) -> None:
        credit = found.setdefault(key, Credit(Fraction(0), {}))
        credit.conversions += share
        if amount is not None:
            credit.amounts[currency] = credit.amounts.get(currency, Fraction(0)) + amount

    for event in events:
        if event["type"] != "CONVERSION" or event["at"] < start:
            continue
        currency = event.get("currency", "EUR")
        amount = Fraction(event["value"].to_decimal()) if "value" in event else None
        times = weight(event)
        add(True, Fraction(times), None if amount is None else amount * times, currency)
        touches = touches_of(event, events, windows)
        if not touches:
            add(False, Fraction(times), None if amount is None else amount * times, currency)
        for number, touch in enumerate(touches):
            part = part_of(Fraction(1), 6, number, len(touches))
            money = None
            if amount is not None:
                digits = max(6, -event["value"].to_decimal().as_tuple().exponent)
                money = times * part_of(amount, digits, number, len(touches))
            add(touch.get(by), part * times, money, currency)
    return found


def part_of(whole: Fraction, digits: int, number: int, of: int) -> Fraction:
    """The part of this number (from 0) of so many: whole units of so many decimals, larger ones first."""
    if of == 1:
        return whole
    units = whole * 10**digits
    assert units.denominator == 1
    each, left = divmod(int(units), of)
    return Fraction(each + (number < left), 10**digits)


def credit_of(answered: dict[str, Any]) -> Credit:
    """What an answer says, exactly."""
    amounts = {one["currency"]: Fraction(one["amount"]) for one in answered["revenueByCurrency"]}
    return Credit(Fraction(Decimal(answered["conversions"])), amounts)


# Paths


def paths(
    events: list[Event], field: str, value: str, direction: str, types: tuple[str, ...]
) -> tuple[dict[str, int], int]:
    """Sessions by the item or page that was next or before, and how many ended there."""
    found: dict[str, int] = {}
    ended = 0
    visits = [event for event in events if event["type"] in types and field in event]
    for those in grouped(visits, "session").values():
        if all(event[field] != value for event in those):
            continue
        sequence = [those[0][field]]
        for event in those:
            if event[field] != sequence[-1]:
                sequence.append(event[field])
        heaviest = max(weight(event) for event in those if event[field] == value)
        beside = sequence.index(value) + (1 if direction == "NEXT" else -1)
        if 0 <= beside < len(sequence):
            found[sequence[beside]] = found.get(sequence[beside], 0) + heaviest
        else:
            ended += heaviest
    return found, ended
