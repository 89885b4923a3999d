"""The report as a reader gets it: opens offline, says everything, escapes what it quotes, is the same every time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import reports
from driver.commands.main import main
from reports.pages import stale_figures
from reports.text import tables, trust
from reports.cases.cases import analyse
from reports.drawing import sheet
from reports.cases.read import parse_run
from tests.reports import synthetic

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PNG = b"\x89PNG\r\n\x1a\n"
# What the browser asks for by itself, whatever page it shows.
_BROWSERS_OWN = ("google.com/", "googleapis.com/", "gvt1.com/")


def written(folder: Path, document: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(document))
    reports.build(folder)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report"), synthetic.realistic())


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class _Page(HTMLParser):
    """Tags, ids and references of an HTML page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href"):
                self.references.append(value or "")


def test_both_pages_judge_every_claim_of_the_tutorials(report: Path) -> None:
    page, text = (report / "index.html").read_text(), (report / "report.md").read_text()
    ledger = page[page.index('<section id="claims">') :]
    untested = [int(number) for number in re.findall(r"<li>(\d+)\. [^<]+</li>", ledger[: ledger.index("</section>")])]
    assert 0 < len(untested) < 15, "the run has cells for some"
    for number in range(1, 16):
        in_html = re.search(
            (
                rf"<td>{number}\. [^<]+</td><td><strong>(holds|does not hold|holds only in"
                r" CPython|unresolved)</strong></td><td>[^<]+</td>"
            ),
            ledger,
        )
        in_markdown = re.search(
            rf"^\| {number}\. .+ \| \*\*(holds|does not hold|holds only in CPython|unresolved)\*\* \| .+ \|$",
            text,
            re.MULTILINE,
        )
        assert bool(in_html) == bool(in_markdown) == (number not in untested)
        assert number not in untested or re.search(rf"^- {number}\\?\. .+ was not part of this run", text, re.MULTILINE)


def test_a_report_has_one_page_markdown_and_each_figure_twice(report: Path) -> None:
    names = set(files(report))
    assert {
        "index.html",
        "report.md",
        "figures/winner-map-time.svg",
        "figures/winner-map-cpu.png",
        "figures/forest-io-time.svg",
    } <= names
    svgs = {n[:-4] for n in names if n.endswith(".svg")}
    assert svgs == {n[:-4] for n in names if n.endswith(".png")}
    assert all(content.startswith(PNG) for name, content in files(report).items() if name.endswith(".png"))
    assert not [n for n in names if n.endswith(".new")]


@pytest.mark.time_limit(300)  # draws every figure twice
def test_a_report_removes_the_figures_of_an_older_one_and_nothing_else(tmp_path: Path) -> None:
    folder = written(tmp_path / "run", synthetic.realistic())
    everything = files(folder)
    drawn = [name for name in everything if name.startswith("figures/")]
    stale_figures.remove(folder / "figures", ())
    assert not any(name in files(folder) for name in drawn), "every figure is known as one of a report's"
    (folder / "figures" / "my-own.png").write_bytes(PNG)
    (folder / "figures" / "memory.txt").write_text("my notes")
    (folder / "figures" / "forest-memory-time-9.svg").write_text("of another run")
    (folder / "figures" / "claim-99.png").write_bytes(PNG)
    reports.build(folder)
    assert files(folder) == everything | {"figures/my-own.png": PNG, "figures/memory.txt": b"my notes"}


def test_the_same_run_gives_the_same_bytes(report: Path, tmp_path: Path) -> None:
    assert files(written(tmp_path, synthetic.realistic())) == files(report)


def test_the_page_is_one_offline_file_without_scripts(report: Path) -> None:
    text = (report / "index.html").read_text()
    page = _Page(text)
    assert "script" not in page.tags
    assert [r for r in page.references if not r.startswith(("#", "data:"))] == []
    assert "@import" not in text and "@font-face" not in text
    assert len(text) < 5_000_000


def test_no_id_stands_twice_and_every_reference_has_its_target(report: Path) -> None:
    text = (report / "index.html").read_text()
    page = _Page(text)
    assert len(page.ids) == len(set(page.ids))
    targets = set(re.findall(r"url\(#([^)]+)\)", text)) | {r[1:] for r in page.references if r.startswith("#")}
    assert targets <= set(page.ids)


def test_every_figure_has_a_spoken_description_and_its_data_in_words(report: Path) -> None:
    text = (report / "index.html").read_text()
    figures = re.findall(r"<figure.*?</figure>", text, flags=re.DOTALL)
    assert len(figures) == len(list((report / "figures").glob("*.svg")))
    for figure in figures:
        assert re.search(r'<svg[^>]*role="img"[^>]*aria-label="[^"]{20,}"', figure)
        assert figure.count("<tr>") > 1
    for file in (report / "figures").glob("*.svg"):
        root = ElementTree.parse(file).getroot()
        assert root.get("aria-label")
        assert "metadata" not in {child.tag.split("}")[1] for child in root}


def test_figures_lie_on_opaque_white(report: Path) -> None:
    from matplotlib.image import imread

    for file in (report / "figures").glob("*.png"):
        image = imread(file)
        assert (image[0, 0] == 1).all()
        assert image.shape[2] == 3 or (image[:, :, 3] == 1).all()


def test_every_outcome_and_every_unsupported_reason_is_told(report: Path) -> None:
    for name in ("index.html", "report.md"):
        text = (report / name).read_text()
        for words in (
            "item 7 ran twice",
            "killed by signal 11 (SIGSEGV) in round 4",
            "projected",
            "server-bound",
            "stopped early",
            "needs 1000 at once, has 2",
            "does not wait, so it is the same as tbb_tasks",
            "open between",
            "safe choice",
            "is ahead of",
            "tie within",
            "A CPU of 2 cores",
        ):
            assert words in text, (name, words)


def test_a_partial_run_says_so(tmp_path: Path) -> None:
    document = synthetic.realistic(6)
    document["run"] |= {"complete": False, "stop_reason": "interrupted"}
    folder = written(tmp_path, document)
    assert "partial: interrupted" in (folder / "index.html").read_text()
    assert "partial: interrupted" in (folder / "report.md").read_text()


def test_another_allocator_stands_with_the_machine_and_in_the_environment() -> None:
    document = synthetic.run([], [], [])
    document["run"]["allocator"] = "jemalloc"
    analysis = analyse(parse_run(document, "x"))
    assert ("run", "allocator", "jemalloc") in tables.environment(analysis).rows
    assert next(fact.value for fact in trust.facts(analysis) if fact.name == "Machine").endswith("memory from jemalloc")


def test_text_from_the_run_cannot_become_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    model, workload = f"{evil}|*m*", f"w</title>{evil}"
    cells = synthetic.measured({model: (1e6, 1e6), "fibers": (2e6, 2e6)}, workload, {evil: evil}, 8, 0.1, 1)
    cells += [synthetic.cell("serial", workload, {evil: evil}, status="crashed", reason=evil)]
    document = synthetic.run([model, "fibers", "serial"], [{"id": workload, "class": "io", "question": evil}], cells)
    document["host"]["os"] = document["run"]["stop_reason"] = document["run"]["id"] = evil
    document["noise"]["warnings"] = [evil, "$x_1$ is no formula"]
    folder = written(tmp_path, document)
    text = (folder / "index.html").read_text()
    assert "script" not in _Page(text).tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    markdown = (folder / "report.md").read_text()
    assert "<script>" not in markdown
    assert r"\|\*m\*" in markdown
    for file in (folder / "figures").glob("*.svg"):
        assert {e.tag.split("}")[1] for e in ElementTree.parse(file).iter()} <= {
            "svg",
            "g",
            "path",
            "text",
            "defs",
            "style",
            "use",
            "clipPath",
            "rect",
            "tspan",
            "pattern",
        }


@pytest.mark.parametrize("kind", ["empty", "not run", "unsupported", "three rounds", "failed model"])
def test_a_run_with_next_to_nothing_in_it_still_gives_a_report(kind: str, tmp_path: Path) -> None:
    workloads = [{"id": "fib", "class": "cpu"}]
    document = {
        "empty": synthetic.run([], [], []),
        "not run": synthetic.run(
            ["serial"], workloads, [synthetic.cell("serial", "fib", {}, status="not_run", reason="the run ended first")]
        ),
        "unsupported": synthetic.run(
            ["fibers"], workloads, [synthetic.cell("fibers", "fib", {}, status="unsupported", reason="needs can_fork")]
        ),
        "three rounds": synthetic.run(
            ["fibers", "serial"],
            workloads,
            synthetic.measured({"fibers": (1e6, 0), "serial": (1e6, 1e6)}, "fib", {"n": 1}, 3, 0.1, 1),
        ),
        "failed model": synthetic.run(["fibers"], [], []),
    }[kind]
    if kind == "failed model":
        document["models"][0] |= {
            "status": "failed",
            "reason": "Boost.Fiber is missing",
            "family": None,
            "variant_of": None,
        }
    folder = written(tmp_path, document)
    text = (folder / "index.html").read_text()
    expected = {
        "not run": "the run ended first",
        "unsupported": "needs can_fork",
        "three rounds": "3 of at least 6 rounds",
        "failed model": "Boost.Fiber is missing",
    }
    assert expected.get(kind, "Which concurrency model wins?") in text


def test_a_name_and_its_number_part_only_where_both_do_not_fit_into_a_line() -> None:
    label = "leaves\u00a01,000,000"
    width = sheet.width_of(label, 7)
    assert sheet.wrapped(f"{label} n\u00a01", 7, width) == (label, "n\u00a01")
    assert sheet.wrapped(label, 7, 0.8 * width) == ("leaves", "1,000,000")


def test_a_report_takes_seconds(tmp_path: Path) -> None:
    begin = time.process_time()
    written(tmp_path, synthetic.realistic(24))
    assert time.process_time() - begin < 30  # 5 to 6 on an idle machine, 10 where four others share its cores


def test_the_command_ends_with_one_line_and_the_right_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert main(["report", str(tmp_path)]) == 2
    (tmp_path / "run.json").write_text("{")
    assert main(["report", str(tmp_path)]) == 4
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    (tmp_path / "run.json").write_text(json.dumps(synthetic.run([], [], [])))
    (tmp_path / "figures").write_text("in the way")
    assert main(["report", str(tmp_path)]) == 3
    (tmp_path / "figures").unlink()
    assert main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "index.html")


def test_a_folder_whose_name_is_no_text_is_drawn_and_named(tmp_path: Path) -> None:
    folder = written(tmp_path / os.fsdecode(b"\xff"), synthetic.run([], [], []))
    done = by_hand(folder, LC_ALL="C.UTF-8", PYTHONIOENCODING="utf-8:strict")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{tmp_path}/\\udcff/index.html\n")


def by_hand(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["/usr/bin/python3", "-B", "-m", "reports", folder]
    return subprocess.run(
        command, cwd=Path(reports.__file__).parents[1], env={**os.environ, **variables}, capture_output=True, text=True
    )


def test_a_report_that_is_drawn_by_hand_obeys_no_variable_of_its_libraries(tmp_path: Path) -> None:
    folder = written(tmp_path / "run", synthetic.run([], [], []))
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise RuntimeError('foreign')")
    done = by_hand(folder, PYTHONPATH=str(tmp_path), MPLBACKEND="none", XDG_CACHE_HOME="/dev/null")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{folder}/index.html\n")
    done = by_hand(tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1


def test_a_run_that_was_changed_by_hand_is_told_by_its_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = synthetic.measured(
        {"serial": (2e6, 1e6), "fibers": (1e6, 5e5)}, "fib", {"n": 20}, rounds=6, cv=0.01, seed=1
    )
    document = synthetic.run(["serial", "fibers"], [{"id": "fib", "class": "cpu"}], cells)
    document["host"]["mem_bytes"] = "much"
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert main(["report", str(tmp_path)]) == 4
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "does not conform to its schema: $.host.mem_bytes" in told


@dataclass
class Visit:
    dom: str
    console: list[str]
    requests: set[str]


def visit(page: Path, scratch: Path) -> Visit:
    """What a browser makes of a page, says to its console and asks the network for."""
    assert CHROMIUM
    log = scratch / "network.json"
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    own = [f"--user-data-dir={scratch / 'profile'}", f"--log-net-log={log}", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([CHROMIUM, *flags, *own, page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    urls = set(re.findall(r'"url":"((?:https?|wss?|ftp)://[^"]*)"', log.read_text()))
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return Visit(done.stdout, console, {u for u in urls if not any(own in u for own in _BROWSERS_OWN)})


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_opens_the_page_without_request_or_complaint(report: Path, tmp_path: Path) -> None:
    seen = visit(report / "index.html", tmp_path)
    assert "Which concurrency model wins?" in seen.dom
    assert seen.dom.count("<svg") == len(list((report / "figures").glob("*.svg")))
    assert (seen.console, seen.requests) == ([], set())


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_requests_and_complaints_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    page.write_text('<img src="http://127.0.0.1:9/x.png"><script>console.error("loud")</script>')
    seen = visit(page, tmp_path)
    assert seen.requests == {"http://127.0.0.1:9/x.png"}
    assert "loud" in seen.console[0]
