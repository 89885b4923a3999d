"""`crossover new`: writes a runtime or a workload that works, registers it, and says what to do next."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from driver.machine.host import ROOT
from driver.problem import Exit, Problem

KINDS = ("runtime", "workload")
_SKELETONS = Path(__file__).resolve().parent / "skeletons"
_LINE_WIDTH = 110  # as in .clang-format

# A C++ keyword, or a name with which an executable of the build would take that of another.
_RESERVED = frozenset(
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char class co_await co_return co_yield"
    " compl concept const consteval constexpr constinit const_cast continue decltype default delete do double"
    " dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace"
    " new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires"
    " return short signed sizeof static static_assert static_cast struct switch template this thread_local throw true"
    " try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq std main".split()
)

_MADE_OF_SERIAL = {  # what a copy of runtimes/serial.hpp says of itself instead
    'family = "serial";': 'family = "peer";  // shown, but does not compete for a verdict',
    "engineered = engineering::best;": "engineered = engineering::library;  // or textbook, or best",
}

_NEXT = {
    "runtime": """\
  1. cmake --preset release && cmake --build --preset release --target contract_{name}
     build/release/bench/contract_{name}
     it keeps the contract already: from now on the tests say what a change broke
  2. write the model in runtimes/{name}.hpp: how it runs a batch, then its family, guaranteed_concurrency and the
     verbs it lacks (runtimes/README.md)
  3. scripts/crossover run --models serial,thread_pool,{name}
     ratios need a competing model in the run: thread_pool
  4. describe it in docs/fairness.toml; build everything (cmake --build --preset release); replace the tables of
     docs/MODELS.md and docs/FAIRNESS.md with what scripts/crossover list --markdown and
     scripts/crossover list --fairness print""",
    "workload": """\
  1. write the work: question, sizes, item and verify in workloads/{name}.hpp (workloads/README.md)
  2. cmake --preset release && cmake --build --preset release --target workloads_serial
     build/release/bench/workloads_serial --gtest_filter='*{name}*'
  3. scripts/crossover run --workloads {name}""",
}


def create(kind: str, name: str, threads: bool = False, root: Path = ROOT) -> Iterator[str]:
    """Lines to print. `threads`: a runtime begins with a pool of threads. Nothing is written unless all of it can
    be."""
    _check(name, root)
    if threads and kind != "runtime":
        raise Problem(f"--threads is for a runtime: leave it out for a {kind}", Exit.USAGE)
    folder = f"{kind}s"
    header = root / folder / f"{name}.hpp"
    list_of_them, register = {"runtime": ("CMakeLists.txt", _with_runtime), "workload": ("all.hpp", _with_workload)}[
        kind
    ]
    registry = root / folder / list_of_them
    registered = register(registry.read_text(encoding="utf-8"), name)
    if registered is None:
        raise Problem(
            f"{registry} does not have the form that this command expects: add {name} by hand, as {folder}/README.md"
            " says"
        )
    header.write_text(
        (
            _serial_as(name, root)
            if kind == "runtime" and not threads
            else _skeleton("threads" if threads else kind, name)
        ),
        encoding="utf-8",
    )
    try:
        registry.write_text(registered, encoding="utf-8")
    except OSError:
        header.unlink()
        raise
    yield f"wrote {header.relative_to(root)} and registered it in {registry.relative_to(root)}; next:"
    yield from _NEXT[kind].format(name=name).splitlines()


def _skeleton(of: str, name: str) -> str:
    return re.sub(r"\bskeleton\b", name, (_SKELETONS / f"{of}.hpp").read_text(encoding="utf-8"))


def _serial_as(name: str, root: Path) -> str:
    """The shortest runtime under another name."""
    code = (root / "runtimes" / "serial.hpp").read_text(encoding="utf-8").partition("\n")[2]
    for own, instead in _MADE_OF_SERIAL.items():
        if own not in code:
            raise Problem(f"runtimes/serial.hpp does not have the form that this command expects: {own} is missing")
        code = code.replace(own, instead)
    opening = f"// {name}: what the model does, in one line. So far: one item after the other, on the calling thread.\n"
    return opening + re.sub(r"\bserial\b", name, code)


def _check(name: str, root: Path) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise Problem(
            f"{name!r} is not a valid class name in this project: write it in lower case, as in my_model", Exit.USAGE
        )
    if name in _RESERVED:
        raise Problem(f"{name} is a reserved word in C++: choose another name", Exit.USAGE)
    if owner := _owner(name, root):
        raise Problem(f"{name} is taken: {owner} has it; choose another name", Exit.USAGE)


def _owner(name: str, root: Path) -> Path | None:
    """The file that uses the name already: both kinds live in one namespace, with all that the suite declares there."""
    for folder in ("runtimes", "workloads"):
        for place in sorted((root / folder).rglob(f"{name}*")):
            if place.name in (name, f"{name}.hpp", f"{name}.cpp"):
                return place.relative_to(root)
    declared = re.compile(rf"^(?![/#\s]).*\b{name}\b", re.MULTILINE)  # not indented: in the namespace itself
    built = re.compile(
        rf"\badd_(?:executable|library)\((?:bench|contract|workloads|model|runtime)_{name}\b"
        rf"|\badd_runtime\((?:\w+/)*{name}\b"
    )
    for folder in ("runtimes", "workloads", "bench", "tests"):
        for path in sorted((root / folder).rglob("*")):
            pattern = declared if path.suffix == ".hpp" else built if path.name == "CMakeLists.txt" else None
            if pattern and pattern.search(path.read_text(encoding="utf-8")):
                return path.relative_to(root)
    return None


def _with_runtime(cmake: str, name: str) -> str | None:
    """None where the place for it is not found."""
    calls = list(re.finditer(r"^add_runtime\([^)]*\)\n", cmake, re.MULTILINE))
    return f"{cmake[: calls[-1].end()]}add_runtime({name})\n{cmake[calls[-1].end() :]}" if calls else None


def _with_workload(header: str, name: str) -> str | None:
    includes = re.findall(r'^#include "workloads/.*"\n', header, re.MULTILINE)
    names = re.search(r"^    workload_list<([^>]*>;)$", header, re.MULTILINE)
    if "".join(includes) not in header or names is None:
        return None
    indent = " " * len("    workload_list<")
    listed = textwrap.fill(
        ", ".join([*re.findall(r"\w+", names[1]), name]) + ">;",
        _LINE_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
    )
    with_include = header.replace("".join(includes), "".join(sorted([*includes, f'#include "workloads/{name}.hpp"\n'])))
    return with_include.replace(names[1], listed.strip())
