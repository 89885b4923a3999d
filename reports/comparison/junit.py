"""What the regression gate found as JUnit's XML, which CI servers read: a test case for each cell, a failure for a
regression, skipped where it is inconclusive."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from reports.cases.phrases import interval_in_words
from reports.cases.quantities import ratio
from reports.comparison.compare import Change
from reports.comparison.gate import Findings


def junit(found: Findings) -> str:
    """The text of the XML file."""
    failures, skipped = _by_cell(found.regressions), _by_cell(found.inconclusive)
    failures |= {(lost.case, lost.model): lost.why for lost in found.lost}
    skipped |= {(lost.case, lost.model): lost.why for lost in found.unmeasured}
    cells = sorted({*failures, *skipped, *_by_cell(found.passed)})
    counts = {
        "tests": str(len(cells)),
        "failures": str(len(failures)),
        "skipped": str(len(skipped.keys() - failures.keys())),
        "errors": "0",
    }
    suite = ElementTree.Element("testsuite", {"name": "crossover check", **counts})
    for cell in cells:
        case = ElementTree.SubElement(suite, "testcase", {"classname": cell[0] or "all cases", "name": cell[1]})
        if cell in failures:
            ElementTree.SubElement(case, "failure", {"message": failures[cell]})
        elif cell in skipped:
            ElementTree.SubElement(case, "skipped", {"message": skipped[cell]})
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _by_cell(changes: Iterable[Change]) -> dict[tuple[str, str], str]:
    told: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        why = f"; {change.short}" if change.short else ""
        line = (
            f"{change.metric} {ratio(change.bounds.ratio.value)} (95 % interval"
            f" {interval_in_words(change.bounds.ratio)}){why}"
        )
        told.setdefault((change.case, change.model), []).append(line)
    return {cell: ", ".join(lines) for cell, lines in told.items()}
