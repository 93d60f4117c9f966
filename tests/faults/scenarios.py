"""The scenarios of a run, in their order."""

from tests.faults.acts import (
    freeze_api,
    freeze_both_secondaries,
    freeze_primary,
    full_disks,
    hold_replication,
    isolate_primary,
    kill_parents,
    kill_primary,
    kill_secondary,
    kill_some_workers,
    kill_workers,
    nothing_wrong,
    slow_disks,
    step_down,
)
from tests.faults.stage import Scenario
from tests.faults.workload import Shape

CROWD = Shape(crowd=True)

SCENARIOS = [
    Scenario(
        "kill-workers",
        "Workers killed",
        "Every second a random worker process of the API gets SIGKILL; its parent starts another.",
        kill_workers,
    ),
    Scenario(
        "kill-api",
        "API killed and restarted",
        "The parent process of one API, then of the other, gets SIGKILL; its orphaned workers, which go "
        "on answering and hold the port, a moment later; and it is started again.",
        kill_parents,
    ),
    Scenario(
        "freeze-api",
        "API frozen",
        "One API, with its workers, stands still for 13 s (SIGSTOP), longer than a claim is left to "
        "its maker, and then goes on in the middle of its writes.",
        freeze_api,
    ),
    Scenario(
        "kill-secondary",
        "Secondaries killed",
        "Each secondary gets SIGKILL and is started again 3 s later.",
        kill_secondary,
    ),
    Scenario(
        "kill-primary",
        "Primary killed",
        "Three times the primary gets SIGKILL and is started again 4 s later.",
        kill_primary,
    ),
    Scenario(
        "step-down",
        "Step-downs",
        "Five times the primary has to step down (`replSetStepDown`) and another is elected.",
        step_down,
    ),
    Scenario(
        "freeze-primary",
        "Primary frozen",
        "The primary stands still for 12 s (SIGSTOP), another is elected, and the old one wakes up "
        "with half-done writes.",
        freeze_primary,
    ),
    Scenario(
        "no-majority",
        "No majority",
        "Both secondaries stand still for 12 s. Meanwhile nothing may be acknowledged, and every "
        "client hears UNAVAILABLE in 5 s; afterwards everything comes through.",
        freeze_both_secondaries,
    ),
    Scenario(
        "no-replication",
        "No replication",
        "Both secondaries stop copying for 12 s but keep in touch, so that the primary stays primary "
        "and has writes that nobody else has (fail point `stopReplProducer`). The same must hold.",
        hold_replication,
    ),
    Scenario(
        "rollback",
        "Isolated primary, rolled back",
        "Both secondaries are killed, the primary takes writes that nobody else has, is killed too, "
        "another is elected without them, and the old one comes back and rolls them back.",
        isolate_primary,
    ),
    Scenario(
        "slow-disk",
        "Slow disks",
        "For 16 s every flush of the journal, on all members, takes 0.05 to 0.5 s, and once on the "
        "primary 6 s (fail point `pauseJournalFlusherBeforeFlush`).",
        slow_disks,
    ),
    Scenario(
        "full-disk",
        "Full disks",
        "The file systems of two of three members (tmpfs of 500 MB) are filled to the last byte; mongod ends itself. "
        "Nothing may be acknowledged; with room again and mongod restarted everything comes through.",
        full_disks,
        disk_mb=500,
    ),
    Scenario(
        "five-times",
        "Every batch five times",
        "Batches of 50, each sent five times at once to random processes.",
        nothing_wrong,
        shape=Shape(batch=50, copies=5),
        most_events=4_000,
    ),
    Scenario(
        "crowd",
        "A crowd of repeats",
        "Nothing goes wrong, but all that is sent are repeats, at the same moment to all processes: "
        "two to four ids of one session and item.",
        nothing_wrong,
        shape=CROWD,
    ),
    Scenario(
        "dropped-answers",
        "Answers lost on the way",
        "Between clients and API a proxy breaks the connection instead of delivering three of ten "
        "answers, after the write went through.",
        nothing_wrong,
        drops_answers=True,
    ),
    Scenario(
        "clock-ahead",
        "A clock three days ahead",
        "One of the two APIs believes that it is three days later, and every 3 s a worker is killed.",
        kill_some_workers,
        variants=(None, "clock_ahead"),
    ),
    Scenario(
        "control-w1",
        "Control: write concern 1",
        "The rollback again, with an API that is content when the primary alone has a write. It must "
        "lose events, or the harness is blind.",
        isolate_primary,
        variants=("write_concern_1", "write_concern_1"),
        must_fail="lost",
    ),
    Scenario(
        "control-check-then-act",
        "Control: check, then act",
        "The crowd again, with an API that looks for a repeat first and writes then. It must count "
        "some twice, or the harness is blind.",
        nothing_wrong,
        shape=CROWD,
        variants=("check_then_act", "check_then_act"),
        must_fail="doubled",
    ),
]
