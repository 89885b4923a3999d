"""A process dies or stops while a run is under way: the failure is named, and everything else is measured on."""

import signal

from vocabulary.outcomes import FAILURES

from tests.faults.conftest import Drill, failed, failures, outcomes, until


def test_a_worker_that_is_killed_amid_an_item_is_a_crash_that_names_the_signal(drill: Drill) -> None:
    drill.use("process_pool", "serial")
    child = drill.begin("--models", "process_pool,serial")
    drill.wait_for_samples(4)

    def kill_the_youngest() -> bool:
        """Between two batches the pool replaces it and nobody is harmed: then again."""
        if workers := drill.processes("bench_process_pool")[1:]:
            drill.kill(workers[-1], signal.SIGKILL)
        return bool(failures(drill))

    until("a crash", kill_the_youngest)
    failure = failures(drill)[0]
    assert failure["outcome"] == "crashed" and "signal 9" in failure["reason"], failure
    drill.wait_for_more_samples("serial", failure["at_ns"])
    result = drill.stop(child)
    assert "crashed" in outcomes(result, "process_pool")
    assert "ok" in outcomes(result, "serial") and not outcomes(result, "serial").intersection(FAILURES)


def test_a_bench_process_that_crashes_is_started_again(drill: Drill) -> None:
    drill.use("event_loop", "serial")
    child = drill.begin("--models", "event_loop,serial")
    drill.wait_for_samples(4)
    assert drill.kill(drill.processes("bench_event_loop")[0], signal.SIGSEGV)
    until("a failure", lambda: bool(failures(drill)))
    (failure,) = failures(drill)
    assert (failure["outcome"], failure["reason"]) == ("crashed", "killed by SIGSEGV")
    for model in ("event_loop", "serial"):
        drill.wait_for_more_samples(model, failure["at_ns"])
    result = drill.stop(child)
    assert failed(result) == {failure["cell"]}
    assert result.cells[failure["cell"]]["status"] == "crashed"
    assert outcomes(result, "event_loop") & outcomes(result, "serial") >= {"ok"}


def test_a_bench_process_that_hangs_is_ended_at_its_deadline(drill: Drill) -> None:
    drill.use("event_loop", "serial")
    child = drill.begin("--models", "event_loop,serial")
    drill.wait_for_samples(4)
    hanging = drill.processes("bench_event_loop")[0]
    assert drill.kill(hanging, signal.SIGSTOP)
    until("a failure", lambda: bool(failures(drill)))
    failure = failures(drill)[0]
    assert failure["outcome"] == "timed_out" and failure["reason"].startswith("no answer within "), failure
    assert hanging not in drill.processes()
    for model in ("event_loop", "serial"):
        drill.wait_for_more_samples(model, failure["at_ns"])
    result = drill.stop(child)
    assert "ok" in outcomes(result, "serial") and failed(result) == {failure["cell"]}


def test_an_origin_that_is_killed_is_started_again_and_fetching_goes_on(drill: Drill) -> None:
    drill.use("event_loop")
    drill.serve_http()
    child = drill.begin("--models", "event_loop")
    drill.wait_for_samples(2)
    killed = drill.processes("/origin")
    assert drill.kill(killed[0], signal.SIGKILL)
    until("another origin", lambda: drill.processes("/origin") not in ([], killed))
    until("a failure", lambda: bool(failures(drill)))
    drill.wait_for_more_samples("event_loop", failures(drill)[0]["at_ns"])
    result = drill.stop(child)
    assert "the origin server ended" in result.err
    assert {failure["outcome"] for failure in failures(drill)} == {"failed"}


def test_a_driver_that_is_killed_takes_its_processes_along_and_is_resumed(drill: Drill) -> None:
    drill.use("process_pool", "serial")
    drill.serve_http()
    child = drill.begin("--models", "process_pool,serial")
    drill.wait_for_samples(6)
    child.kill()
    child.communicate()
    until("the end of all processes", lambda: not drill.processes(), 20)
    before = drill.samples()
    again = drill.command("run", "--resume", str(drill.out))
    drill.wait_for_samples(len(before) + 2)
    result = drill.stop(again)
    assert "ok" in outcomes(result, "process_pool") and not failed(result)
    assert drill.samples()[: len(before)] == before
