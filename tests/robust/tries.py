"""The table of tries: what was tried to break the package, and how much of it held.

    python tests/robust/tries.py          # all areas, slow tests too: about an hour
    python tests/robust/tries.py modes    # some of them
    python tests/robust/tries.py --quick  # without the slow ones

A try is a test; one that tries several things says how many, by ``record_property("tries", n)``, and one by hypothesis
counts its examples.
"""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
AREAS = {
    "modes of torch": ["test_modes.py"],
    "processes and threads": ["test_processes.py"],
    "interruptions": ["test_interruptions.py"],
    "forms, orders and copies": ["test_metamorphic.py"],
    "arguments": ["test_arguments.py"],
    "warnings": ["test_warnings.py"],
    "long haul": ["test_soak.py"],
}


class Counter:
    """Counts the tries of each area, and those that held."""

    def __init__(self):
        self.tried, self.held = ({area: 0 for area in AREAS} for _ in range(2))

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and not report.failed:
            return
        area = next(area for area, files in AREAS.items() if pathlib.Path(report.fspath).name in files)
        tries = dict(report.user_properties).get("tries", 1)
        self.tried[area] += tries
        self.held[area] += tries * report.passed

    def table(self):
        rows = [(area, self.tried[area], self.held[area]) for area in AREAS if self.tried[area]]
        rows.append(("all", sum(self.tried.values()), sum(self.held.values())))
        return "\n".join(["| area | tried | held |", "|---|---|---|", *(f"| {a} | {t} | {h} |" for a, t, h in rows)])


def main(arguments):
    words = [word for word in arguments if not word.startswith("-")]
    chosen = [area for area in AREAS if not words or any(word in area for word in words)]
    files = [str(HERE / file) for area in chosen for file in AREAS[area]]
    counter = Counter()
    marks = "not slow" if "--quick" in arguments else "slow or not slow"
    code = pytest.main(["-q", "-m", marks, "-p", "no:cacheprovider", *files], plugins=[counter])
    print(counter.table())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
