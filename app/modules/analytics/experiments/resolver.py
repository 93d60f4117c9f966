"""The queries of experiments."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.modules.analytics.experiments.enums import CountBy
from app.modules.analytics.experiments.inputs import (
    GoalInput,
    VariantShareInput,
    goal_of,
    shares_of,
)
from app.modules.analytics.experiments.query import (
    MAX_CONFIDENCE,
    MAX_EFFECT,
    MAX_EXPERIMENTS,
    MAX_VARIANTS,
    MIN_CONFIDENCE,
    MIN_EFFECT,
    USUAL_CONTROL,
    ExperimentRequest,
)
from app.modules.analytics.experiments.service import ExperimentService
from app.modules.analytics.experiments.types import Experiment, ExperimentSummary
from app.modules.analytics.inputs import Range, range_request

DEFAULT_CONFIDENCE = 0.95
DEFAULT_LIMIT = 100


@strawberry.type
class ExperimentsQuery:
    @strawberry.field(
        extensions=READ,
        description="The results of an experiment (an A/B test): what visitors of each variant did, and "
        "how sure the differences are. Events carry experimentId and variant from tracking. An "
        "experiment without events has no variants.",
    )
    async def experiment(
        self,
        info: Info,
        experiment_id: Annotated[strawberry.ID, strawberry.argument(description="The experiment.")],
        range: Range = None,
        goal: Annotated[
            GoalInput | None,
            strawberry.argument(
                description="What a conversion is. Default: events of type CONVERSION; by IMPRESSION "
                "those of type CLICK."
            ),
        ] = None,
        control: Annotated[
            str | None,
            strawberry.argument(
                description="The variant that the others are compared with. Default: "
                f'"{USUAL_CONTROL}" where it was seen, else the variant whose name sorts first.'
            ),
        ] = None,
        confidence: Annotated[
            float | None,
            strawberry.argument(
                description="How sure intervals are to be, as a share of 1: "
                f"{MIN_CONFIDENCE} to {MAX_CONFIDENCE}."
            ),
        ] = DEFAULT_CONFIDENCE,
        count_by: Annotated[
            CountBy | None, strawberry.argument(description="What a trial is.")
        ] = CountBy.VISITOR,
        expected_shares: Annotated[
            list[VariantShareInput] | None,
            strawberry.argument(
                description="In which shares the variants should be seen: 2 to "
                f"{MAX_VARIANTS} of them. Default: all that were seen, in equal shares."
            ),
        ] = None,
        minimum_effect: Annotated[
            float | None,
            strawberry.argument(
                description="The smallest uplift that matters, in percent of the control's rate, "
                f"{MIN_EFFECT} to {MAX_EFFECT:,.0f}: neededPerVariant and the warning about the sample's "
                "size go by it. Default: the observed difference, which tells less, because it is "
                "itself uncertain."
            ),
        ] = None,
    ) -> Experiment:
        principal = require(info.context.principal, Scope.READ)
        chosen = count_by or CountBy.VISITOR
        request = ExperimentRequest(
            experiment_id,
            goal_of(goal, chosen),
            chosen,
            control,
            DEFAULT_CONFIDENCE if confidence is None else confidence,
            shares_of(expected_shares),
            minimum_effect,
        )
        assessed = await info.context.get(ExperimentService).experiment(
            principal.site, range_request(range), request
        )
        return Experiment.of(assessed)

    @strawberry.field(
        extensions=READ,
        description="The experiments of which there are events in the range, the one with the latest "
        "event first.",
    )
    async def experiments(
        self,
        info: Info,
        range: Range = None,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many at most, 1 to {MAX_EXPERIMENTS:,}."),
        ] = DEFAULT_LIMIT,
    ) -> list[ExperimentSummary]:
        principal = require(info.context.principal, Scope.READ)
        seen = await info.context.get(ExperimentService).experiments(
            principal.site, range_request(range), DEFAULT_LIMIT if limit is None else limit
        )
        return [ExperimentSummary.of(one) for one in seen]
