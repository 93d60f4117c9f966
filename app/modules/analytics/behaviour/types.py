"""The GraphQL types of behaviour: what analysts are told. The definitions are in the descriptions."""

import decimal
from datetime import datetime

import strawberry

from app.core.described import described
from app.core.scalars import Long
from app.modules.analytics.behaviour import retention as tables
from app.modules.analytics.behaviour import service
from app.modules.analytics.behaviour.credits import Credit, together
from app.modules.analytics.measures import percent
from app.modules.analytics.types import CurrencyAmount


@strawberry.type(description="What a report of behaviour is.")
class BehaviourMeta:
    as_of: datetime = described("When it was made.")
    exact: bool = described(
        "Whether every number is exact. It is not where the site counted a sample of its visitors: "
        "numbers are then scaled up from it."
    )
    rows: int = described("How many rows there are, also those beyond the limit.")

    @classmethod
    def of(cls, meta: service.Meta) -> "BehaviourMeta":
        return cls(as_of=meta.as_of, exact=meta.exact, rows=meta.rows)


@strawberry.type(
    description="One step of a funnel. Percentages are null where they would be of nobody."
)
class FunnelStep:
    step: int = described("Which step, from 1.")
    visitors: Long = described("Distinct visitors whose counted attempt reached it.")
    conversion_from_first: float | None = described("Of the visitors of the first step, percent.")
    conversion_from_previous: float | None = described(
        "Of the visitors of the step before, percent; null for the first step."
    )
    drop_off: Long | None = described(
        "Visitors who reached the step before and not this one; null for the first step."
    )
    drop_off_percent: float | None = described(
        "The same of the visitors of the step before, percent; null for the first step."
    )
    median_seconds: float | None = described(
        "Median time from the step before to this one, in seconds, of those who reached it (of an "
        "even number the mean of the middle two); null for the first step."
    )


def _steps(reached: list[service.StepReached]) -> list[FunnelStep]:
    return [
        FunnelStep(
            step=place,
            visitors=each.visitors,
            conversion_from_first=each.from_first,
            conversion_from_previous=each.from_previous,
            drop_off=each.drop_off,
            drop_off_percent=each.drop_off_percent,
            median_seconds=each.median_seconds,
        )
        for place, each in enumerate(reached, start=1)
    ]


@strawberry.type(
    description="The part of a funnel that is of one value of the dimension asked for."
)
class FunnelRow:
    value: str | None = described(
        "The value that the event of the first step has, in the visitor's counted attempt; null where "
        "it is not known."
    )
    steps: list[FunnelStep] = described("The steps, in order.")


@strawberry.type(
    description="How far visitors get through steps. Every visitor counts once, with the attempt that "
    "gets furthest; of those that get equally far, with the earliest."
)
class Funnel:
    steps: list[FunnelStep] = described("The steps, in order, of all visitors.")
    rows: list[FunnelRow] = described(
        "The same by the dimension asked for, most visitors of the first step first; empty without "
        "one. The visitors of all rows, also of those beyond the limit, add up to those of steps."
    )
    meta: BehaviourMeta = described("What it is, and how many rows there are.")

    @classmethod
    def of(cls, funnel: service.Funnel) -> "Funnel":
        return cls(
            steps=_steps(funnel.steps),
            rows=[FunnelRow(value=value, steps=_steps(steps)) for value, steps in funnel.rows],
            meta=BehaviourMeta.of(funnel.meta),
        )


@strawberry.type(description="How many visitors of a cohort were there in one period.")
class RetentionPeriod:
    period: int = described("So many periods after the cohort's own, which is 0.")
    visitors: Long | None = described(
        "Visitors of the cohort with an event in the period; of period 0 all of them. Null where the "
        "period is still to come, or begins after the range."
    )
    percent: float | None = described(
        "The same of the visitors of the cohort, percent; null of nobody and where visitors is null."
    )
    complete: bool = described(
        "Whether the period has passed and lies in the range altogether. While it has not, more may "
        "come back."
    )


def _periods(returns: list[tables.Return]) -> list[RetentionPeriod]:
    return [
        RetentionPeriod(
            period=each.period,
            visitors=each.visitors,
            percent=each.percent,
            complete=each.complete,
        )
        for each in returns
    ]


@strawberry.type(description="The visitors who were new in one period.")
class RetentionCohort:
    start: datetime = described(
        "When the period begins by the calendar of the time zone. The first one may begin before the "
        "range does; only those who were new within the range count."
    )
    visitors: Long = described("Visitors whose first known event lies in it.")
    periods: list[RetentionPeriod] = described("The period itself and those after it, in order.")


@strawberry.type(description="How many new visitors came back.")
class Retention:
    cohorts: list[RetentionCohort] = described(
        "One for each period of the range that has begun, in order, also where nobody was new."
    )
    overall: list[RetentionPeriod] = described(
        "All cohorts together: for each period those for which it has begun, so that percent is the "
        "visitors of these who came back, of all visitors of these."
    )
    meta: BehaviourMeta = described("What it is, and how many cohorts there are.")

    @classmethod
    def of(cls, retention: service.Retention) -> "Retention":
        return cls(
            cohorts=[
                RetentionCohort(
                    start=cohort.start, visitors=cohort.visitors, periods=_periods(cohort.returns)
                )
                for cohort in retention.cohorts
            ],
            overall=_periods(retention.overall),
            meta=BehaviourMeta.of(retention.meta),
        )


@strawberry.type(description="What was credited.")
class AttributionCredit:
    conversions: decimal.Decimal = described(
        "Conversions, and parts of them in millionths. Parts are exact: those of one conversion add "
        "up to 1."
    )
    revenue_by_currency: list[CurrencyAmount] = described(
        "What these were worth, in every currency that occurs, by its code. Parts of an amount add "
        "up to it. Currencies are never added up."
    )

    @classmethod
    def of(cls, credit: Credit) -> "AttributionCredit":
        return cls(
            conversions=credit.conversions,
            revenue_by_currency=[
                CurrencyAmount(currency=currency, amount=credit.amount_of(currency))
                for currency in sorted(credit.amounts)
            ],
        )


@strawberry.type(description="What was credited to the touches of one value.")
class AttributionRow:
    value: str | None = described(
        "The value that the touch has of the dimension asked for; null where it is not known, and of "
        "direct conversions."
    )
    direct: bool = described("Whether these are the conversions without a touch.")
    credit: AttributionCredit = described("What was credited.")


@strawberry.type(description="Which touches led to conversions.")
class Attribution:
    total: AttributionCredit = described(
        "All conversions of the range. The rows and others add up to it, exactly."
    )
    rows: list[AttributionRow] = described(
        "By value, most conversions first. Conversions without a touch (direct) are a row of their "
        "own, the last one, whatever the limit; it is missing where there are none."
    )
    others: AttributionCredit = described("The rows beyond the limit together.")
    meta: BehaviourMeta = described(
        "What it is, and how many rows there are besides the direct one."
    )

    @classmethod
    def of(cls, found: service.Attributed) -> "Attribution":
        credited, rows = found.credited, found.credited.rows()
        shown = [
            AttributionRow(value=row.value, direct=False, credit=AttributionCredit.of(row.credit))
            for row in rows[: found.limit]
        ]
        if credited.direct.parts:
            direct = AttributionCredit.of(credited.direct)
            shown.append(AttributionRow(value=None, direct=True, credit=direct))
        return cls(
            total=AttributionCredit.of(credited.total),
            rows=shown,
            others=AttributionCredit.of(together(rows[found.limit :])),
            meta=BehaviourMeta.of(found.meta),
        )


@strawberry.type(description="One item or page that sessions went on to, or came from.")
class PathRow:
    value: str = described("The item's id, or the page's address.")
    sessions: Long = described("Sessions that did.")
    share: float | None = described("Of all sessions that visited the item or page, percent.")


@strawberry.type(description="Where sessions went from an item or page, or came from.")
class Paths:
    sessions: Long = described(
        "Sessions that visited the item or page. The rows, others and ended add up to it."
    )
    rows: list[PathRow] = described(
        "The items or pages visited next (or before), most sessions first; of two that are equal the "
        "one that sorts first."
    )
    others: Long = described("Sessions of the rows beyond the limit.")
    ended: Long = described(
        "Sessions that visited no other one after it; with PREVIOUS: none before it."
    )
    ended_share: float | None = described("The same of all these sessions, percent.")
    meta: BehaviourMeta = described("What it is, and how many rows there are.")

    @classmethod
    def of(cls, found: service.PathsFound) -> "Paths":
        paths = found.paths
        return cls(
            sessions=paths.sessions,
            rows=[
                PathRow(
                    value=path.value,
                    sessions=path.sessions,
                    share=percent(path.sessions, paths.sessions),
                )
                for path in paths.paths
            ],
            others=paths.others,
            ended=paths.ended,
            ended_share=percent(paths.ended, paths.sessions),
            meta=BehaviourMeta.of(found.meta),
        )
