"""scripts/setup against doubles of the system's programs: what it asks of them, and how it explains their refusals."""

import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "scripts" / "setup"
TOOLS = ["bash", "sh", "env", "sed", "grep", "paste", "mktemp", "rm", "cat", "tail", "touch"]


class Machine:
    """A PATH that holds only doubles and a few plain tools. `installed` is what dpkg-query tells of, `known` what
    apt-cache does."""

    def __init__(self, folder: Path):
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.folder = folder
        self.calls = folder / "calls"
        self.calls.touch()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())
        self.user(0)
        self.double("dpkg-query", f"cat {folder}/installed 2>/dev/null; exit 1")
        self.known()

    def double(self, name, body):
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{body}\n')
        path.chmod(0o755)

    def user(self, number):
        self.double("id", f"echo {number}")

    def known(self, *names):
        """What apt knows beside that which every distribution has."""
        (self.folder / "known").write_text("".join(f"{name}\n" for name in names))
        self.double("apt-cache", f'for name; do :; done; grep -qx -- "$name" {self.folder}/known')

    def all_installed(self, without=(), boost="boost"):
        names = [p for p in packages() + packages(boost) if p not in without]
        (self.folder / "installed").write_text("".join(f"installed:{name} " for name in names))

    def apt(self, output, code, installs=False):
        """apt-get that says `output`; with `installs`, all packages are there afterwards."""
        now = "".join(f"installed:{name} " for name in packages() + packages("boost"))
        then = f"printf '%s' '{now}' > {self.folder}/installed" if installs else ":"
        self.double("apt-get", f"echo '{output}' >&2; {then}; exit {code}")

    def run(self, *arguments):
        return subprocess.run(
            [self.bin / "bash", SETUP, *arguments],
            env={"PATH": str(self.bin)},
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=30,
        )

    def apt_calls(self):
        return [line for line in self.calls.read_text().splitlines() if line.startswith("apt-get")]


def packages(list_of="packages"):
    """Of the script's list of that name."""
    return SETUP.read_text().partition(f"\n{list_of}=(")[2].partition(")")[0].split()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_says_and_does_nothing_when_all_is_there(machine):
    machine.apt("", 0)
    machine.all_installed()
    result = machine.run()
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert machine.apt_calls() == []


def test_installs_only_what_is_missing(machine):
    machine.all_installed(without=["libtbb-dev", "g++"])
    machine.apt("", 0, installs=True)
    assert machine.run().returncode == 0
    [call] = machine.apt_calls()
    assert call.endswith(" install --no-install-recommends g++ libtbb-dev")


def test_a_package_whose_name_begins_another_is_not_taken_for_it(machine):
    (machine.folder / "installed").write_text("installed:python3-numpy installed:libboost-dev-extra ")
    machine.apt("", 0, installs=True)
    assert machine.run().returncode == 0
    words = machine.apt_calls()[0].split()
    assert "libboost-dev" in words and "python3" in words and "python3-numpy" not in words


def test_updates_the_lists_when_the_first_attempt_fails(machine):
    machine.all_installed(without=["cmake"])
    everything = "".join(f"installed:{name} " for name in packages() + packages("boost"))
    machine.double(
        "apt-get",
        f"""
        case "$*" in
          *" update"*) touch {machine.folder}/updated ;;
          *) [ -e {machine.folder}/updated ] || exit 100; printf '%s' '{everything}' > {machine.folder}/installed ;;
        esac""",
    )
    result = machine.run()
    assert result.returncode == 0, result.stderr
    assert [call.split("--no-install-recommends")[0].split()[-1] for call in machine.apt_calls()] == [
        "install",
        "update",
        "install",
    ]


def test_the_newer_boost_is_taken_where_apt_knows_it(machine):
    machine.all_installed(boost="none")
    machine.apt("", 0)
    machine.known("libboost1.88-dev")
    machine.run()
    assert machine.apt_calls()[0].split("--no-install-recommends ")[1].split() == packages("newer_boost")


def test_a_boost_that_is_there_stays_and_is_completed_by_its_own_parts(machine):
    machine.all_installed(without=["libboost-fiber-dev"])
    machine.apt("", 0)
    machine.known("libboost1.88-dev")
    machine.run()
    assert machine.apt_calls()[0].endswith(" install --no-install-recommends libboost-fiber-dev")


def test_the_newer_boost_alone_is_enough(machine):
    machine.all_installed(boost="newer_boost")
    machine.apt("", 0)
    assert machine.run().returncode == 0
    assert machine.apt_calls() == []


def test_what_the_lists_tell_only_after_their_update_is_looked_for_then(machine):
    machine.all_installed(boost="none")
    machine.double(
        "apt-get",
        f"""
        case "$*" in
          *" update"*) echo libboost1.88-dev > {machine.folder}/known ;;
          *) [ -s {machine.folder}/known ] || exit 100
        esac""",
    )
    machine.run()
    assert machine.apt_calls()[-1].split("--no-install-recommends ")[1].split() == packages("newer_boost")


def test_nothing_that_is_installed_is_removed(machine):
    machine.all_installed(without=["cmake"])
    machine.apt("", 0, installs=True)
    machine.run()
    assert all("--no-remove" in call for call in machine.apt_calls())


@pytest.mark.parametrize(
    "there, wanted",
    [(["clang-format-14", "chromium"], ["clang-format-14", "chromium"]), (["chromium"], ["chromium"]), ([], [])],
)
def test_what_only_some_distributions_have_is_no_fault_of_the_others(machine, there, wanted):
    (machine.folder / "installed").write_text(
        "".join(
            f"installed:{name} "
            for kind in ("packages", "boost", "for_allocators", "for_tests")
            for name in packages(kind)
        )
    )
    machine.apt("", 0)
    machine.known(*there)
    result = machine.run("tests")
    calls = machine.apt_calls()
    assert [call.split("--no-install-recommends ")[1].split() for call in calls] == ([wanted] if wanted else [])
    assert wanted or (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "said, told",
    [
        ("E: Unable to locate package cmake", "apt does not know: cmake"),
        ("E: Failed to fetch http://x  Temporary failure resolving", "no network"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "the disk is full"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", "another apt"),
        ("dpkg: error: /var/lib/dpkg: Read-only file system", "no permission"),
        ("E: Something new", "Something new"),
    ],
)
def test_a_refusal_is_one_line_with_the_remedy(machine, said, told):
    machine.all_installed(without=["cmake"])
    machine.apt(said.replace("'", "'\\''"), 100)
    result = machine.run()
    assert result.returncode == 3
    progress, refusal = result.stderr.splitlines()
    assert progress == "setup: installing cmake"
    assert told in refusal


def test_packages_that_stay_away_are_named(machine):
    machine.all_installed(without=["cmake"])
    machine.apt("", 0)
    result = machine.run()
    assert result.returncode == 3
    assert "still missing: cmake" in result.stderr


def test_without_root_or_sudo_the_exact_line_is_printed(machine):
    machine.user(1000)
    machine.all_installed(without=["cmake", "g++"])
    machine.apt("", 0)
    result = machine.run()
    assert result.returncode == 3
    assert "apt-get update && apt-get install -y --no-install-recommends g++ cmake" in result.stderr
    assert machine.apt_calls() == []


def test_a_sudo_that_wants_a_password_is_not_waited_for(machine):
    machine.user(1000)
    machine.all_installed(without=["cmake"])
    machine.apt("", 0)
    machine.double("sudo", "exit 1")
    result = machine.run()
    assert result.returncode == 3
    assert "apt-get install -y --no-install-recommends cmake" in result.stderr


def test_goes_through_sudo(machine):
    machine.user(1000)
    machine.all_installed(without=["cmake"])
    machine.apt("", 0, installs=True)
    machine.double("sudo", 'if [ "$1" = -n ]; then shift; fi; "$@"')
    (machine.bin / "true").symlink_to("/bin/true")
    result = machine.run()
    assert result.returncode == 0, result.stderr
    assert any(line.startswith("sudo env") for line in machine.calls.read_text().splitlines())


def test_other_systems_are_told_what_is_needed(machine):
    (machine.bin / "dpkg-query").unlink()
    result = machine.run()
    assert result.returncode == 3
    assert "Debian 12" in result.stderr and "libboost-fiber-dev" in result.stderr


def test_what_only_the_tests_need_is_installed_for_them_only(machine):
    machine.all_installed()
    machine.apt("", 0)
    assert machine.run().returncode == 0
    assert machine.apt_calls() == []
    machine.run("tests")
    words = machine.apt_calls()[0].split()
    assert {*packages("for_tests"), *packages("for_allocators")} <= set(words) and not set(packages()) & set(words)


def test_the_allocators_are_installed_for_who_asks_for_them(machine):
    machine.all_installed()
    machine.apt("", 0)
    machine.run("allocators")
    assert machine.apt_calls()[0].split("--no-install-recommends ")[1].split() == packages("for_allocators")


@pytest.mark.parametrize("arguments", [["--force"], ["tests", "now"], ["tests", "allocators"], [""]])
def test_other_arguments_are_refused(machine, arguments):
    result = machine.run(*arguments)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
