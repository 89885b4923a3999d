"""Native twins in a run: in the rounds of a full one beside their models, in none of quick."""

from __future__ import annotations

from verdicts.deciding import LOOKS

from tests.driver.conftest import Benches


def add_models(benches: Benches) -> None:
    benches.add("fast", family="threads", unit_ns=100_000)
    benches.add("slow", family="fibers", unit_ns=300_000)
    benches.add("native_slow", family="native", hello={"native_of": "slow"}, unit_ns=50_000, lists=["full"])


def test_a_full_run_has_a_native_twin_in_the_rounds_of_its_model_and_follows_both(benches: Benches) -> None:
    add_models(benches)
    result = benches.run("--full", "--time-budget", "20s")
    assert result.code == 0, result.err
    models = {model["id"]: model for model in result.run["models"]}
    assert (models["native_slow"]["native_of"], models["slow"]["native_of"]) == ("slow", None)
    for workload in ("spin", "wait"):
        rounds = {
            cell["model"]: [sample["round"] for sample in cell["samples"]]
            for cell in result.cells.values()
            if cell["workload"] == workload
        }
        assert rounds["native_slow"] == rounds["slow"][: len(rounds["native_slow"])]
        assert len(rounds["native_slow"]) == LOOKS[2] > len(set(rounds["slow"]) - set(rounds["native_slow"]))


def test_a_quick_run_has_no_native_twin(benches: Benches) -> None:
    add_models(benches)
    result = benches.run()
    assert "native_slow" not in {model["id"] for model in result.run["models"]}


def test_list_names_native_twins_apart_from_the_models(benches: Benches) -> None:
    add_models(benches)
    told = benches.drive("list").out
    assert "Models (2)" in told and "Native twins (1)" in told
    row = next(line.split() for line in told.splitlines() if line.split()[:1] == ["native_slow"])
    assert row[1] == "slow"
    assert "on 2 of 2 models" in told, "a workload is counted on models only"
    assert "native_slow" not in benches.drive("list", "--markdown").out
