"""What the guides quote and name is there: code stands in the file it is said to be from, and paths exist."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ["README.md", "CONTRIBUTING.md", "docs/FAIRNESS.md", "runtimes/README.md", "workloads/README.md", "reports/README.md", "bench/README.md"]
CODE = ("cpp", "python", "js", "cmake")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCE = re.compile(r"From `([^`]+)`[^\n]*:\n\n\Z")
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)+/?)`")


def blocks(guide: str) -> list[tuple[str, str, str]]:
    """Language, code, and the file that the line above the block names; none: ''."""
    text = (ROOT / guide).read_text()
    found = []
    for block in BLOCK.finditer(text):
        source = SOURCE.search(text[: block.start()])
        found.append((block[1], block[2], source[1] if source else ""))
    return found


@pytest.mark.parametrize("guide", GUIDES)
def test_quoted_code_stands_in_the_file_that_it_is_said_to_be_from(guide: str) -> None:
    for language, code, source in blocks(guide):
        if language not in CODE:
            continue
        assert source, f"{guide}: a line 'From `FILE`:' must name the file of\n{code}"
        text, place = (ROOT / source).read_text(), 0
        for part in re.split(r"^ *\.\.\.\n", code, flags=re.MULTILINE):  # a line of three dots leaves something out
            found = text.find(part, place)
            assert found >= 0, f"{guide}: {source} does not hold\n{part}"
            place = found + len(part)


def test_the_guides_do_quote() -> None:
    quoted = {guide: sum(bool(source) for _, _, source in blocks(guide)) for guide in GUIDES}
    assert all(quoted[guide] for guide in GUIDES if guide not in ("README.md", "CONTRIBUTING.md", "docs/FAIRNESS.md")), quoted


@pytest.mark.parametrize("guide", GUIDES)
def test_paths_that_a_guide_names_exist(guide: str) -> None:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True).stdout.split()
    top = {name.split("/")[0] for name in listed}
    for path in NAMED.findall((ROOT / guide).read_text()):
        if path.split("/")[0] in top and not re.search("my_|NAME", path):
            assert (ROOT / path).exists(), f"{guide} names {path}"
