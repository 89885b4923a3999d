"""What the guides quote and name exists: code, paths and links."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(
    ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
).stdout.split()
GUIDES = [name for name in LISTED if name.endswith(".md") and "/templates/" not in name and (ROOT / name).is_file()]
QUOTING = ("runtimes/README.md", "workloads/README.md", "reports/README.md", "bench/README.md")
CODE = ("cpp", "python", "js", "cmake")
CODE_IN_TEXT = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCE = re.compile(r"From `([^`]+)`[^\n]*:\n\n\Z")
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)+/?)`")
LINKED = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def blocks(guide: str) -> list[tuple[str, str, str]]:
    """Language, code, and the file that the line above the block names; none: ''."""
    text = (ROOT / guide).read_text()
    found = []
    for block in BLOCK.finditer(text):
        source = SOURCE.search(text[: block.start()])
        found.append((block[1], block[2], source[1] if source else ""))
    return found


@pytest.mark.parametrize("guide", QUOTING)
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
    quoted = {guide: sum(bool(source) for _, _, source in blocks(guide)) for guide in QUOTING}
    assert all(quoted.values()), quoted


@pytest.mark.parametrize("guide", GUIDES)
def test_paths_that_a_guide_names_exist(guide: str) -> None:
    top = {name.split("/")[0] for name in LISTED}
    for path in NAMED.findall((ROOT / guide).read_text()):
        if path.split("/")[0] in top and not re.search("my_|NAME", path):
            assert (ROOT / path).exists(), f"{guide} names {path}"


def anchors(file: Path) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(file.read_text())}


@pytest.mark.parametrize("guide", GUIDES)
def test_links_of_a_guide_lead_somewhere(guide: str) -> None:
    for path, heading in LINKED.findall(CODE_IN_TEXT.sub("", (ROOT / guide).read_text())):
        file = (ROOT / guide).parent / path if path else ROOT / guide
        assert file.exists(), f"{guide} links to {path}"
        assert not heading or heading in anchors(file), f"{guide} links to {path}#{heading}"
