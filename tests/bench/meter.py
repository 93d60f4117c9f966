"""What a load costs: processor time and memory of the processes, and the API's own times by step."""

from dataclasses import dataclass

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.bench.servers import METRICS_TOKEN, Servers, workers

STEPS = ("validate", "screen", "enrich", "claim", "mark", "write", "answer")
PATIENT_SECONDS = 60  # a worker may be in the middle of a large batch


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters that only grow; the difference of two readings is what was between them.

    Times are processor seconds, of the API's processes and of mongod. `steps` are the API's own:
    seconds by step, not of the processor but as they pass.
    """

    api: float
    mongod: float
    steps: dict[str, float]
    groups: float
    group_events: float

    def __sub__(self, before: "Reading") -> "Reading":
        return Reading(
            self.api - before.api,
            self.mongod - before.mongod,
            {step: seconds - before.steps.get(step, 0) for step, seconds in self.steps.items()},
            self.groups - before.groups,
            self.group_events - before.group_events,
        )

    def __add__(self, other: "Reading") -> "Reading":
        return Reading(
            self.api + other.api,
            self.mongod + other.mongod,
            {step: self.steps.get(step, 0) + other.steps.get(step, 0) for step in STEPS},
            self.groups + other.groups,
            self.group_events + other.group_events,
        )


def read(servers: Servers) -> Reading:
    """The counters as they are now."""
    steps = dict.fromkeys(STEPS, 0.0)
    groups = group_events = 0.0
    answer = httpx.get(
        f"{servers.api.url}/metrics",
        headers={"Authorization": f"Bearer {METRICS_TOKEN}"},
        timeout=PATIENT_SECONDS,
    )
    answer.raise_for_status()
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name == "footfall_step_seconds_sum":
                steps[sample.labels["step"]] = sample.value
            elif sample.name == "footfall_group_events_sum":
                group_events = sample.value
            elif sample.name == "footfall_group_events_count":
                groups = sample.value
    return Reading(
        api=processor_seconds(servers.api.process.pid),
        mongod=processor_seconds(servers.mongod_pid),
        steps=steps,
        groups=groups,
        group_events=group_events,
    )


def processor_seconds(pid: int) -> float:
    """Processor seconds that a process and its children have used, in user mode and in the kernel."""
    process = psutil.Process(pid)
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def machine_seconds() -> float:
    """Processor seconds that anything on this machine has used."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # On Linux the time of guests is part of user's and nice's.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - guests)


def workers_memory(pid: int) -> list[int]:
    """Bytes of memory (resident) of a server's workers."""
    return sorted(psutil.Process(worker).memory_info().rss for worker in workers(pid))
