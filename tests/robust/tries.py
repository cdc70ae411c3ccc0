"""The table of tries: what was tried to break the package, and how much of it held.

    python tests/robust/tries.py           # all areas, slow tests too: about ten minutes of CPU time
    python tests/robust/tries.py modes     # some of them
    python tests/robust/tries.py --quick   # without the slow ones
    python tests/robust/tries.py --longer  # with those of ten minutes each, too

A try is a test. One that tries several things says how many by ``record_property("tries", n)``, in one call or in many;
a test by hypothesis counts its examples so. Tries held if their test passed.
"""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]
AREAS = {
    "modes of torch": ["robust/test_modes.py"],
    "processes and threads": ["robust/test_processes.py"],
    "interruptions": ["robust/test_interruptions.py", "training/test_interrupts.py"],
    "checkpoints": ["training/test_checkpoint.py"],
    "damaged and forged files": ["files/test_fuzz.py", "files/test_files.py", "persistence/test_strangers.py"],
    "forms, orders and copies": ["robust/test_metamorphic.py"],
    "arrays of other libraries": ["robust/test_array_api.py"],
    "arguments": ["robust/test_arguments.py"],
    "compositions": ["robust/test_compositions.py"],
    "warnings": ["robust/test_warnings.py"],
    "long haul": ["robust/test_soak.py"],
}
LONGER = "ten_thousand or 2000"


class Counter:
    """Counts the tries of each area, and those that held."""

    def __init__(self):
        self.tried, self.held = ({area: 0 for area in AREAS} for _ in range(2))

    def pytest_runtest_logreport(self, report):
        if report.skipped or (report.when != "call" and not report.failed):
            return
        path = pathlib.Path(report.fspath).parts[-2:]
        area = next(area for area, files in AREAS.items() if "/".join(path) in files)
        tries = sum(value for name, value in report.user_properties if name == "tries") or 1
        self.tried[area] += tries
        self.held[area] += tries * report.passed

    def table(self):
        rows = [(area, self.tried[area], self.held[area]) for area in AREAS if self.tried[area]]
        rows.append(("all", sum(self.tried.values()), sum(self.held.values())))
        return "\n".join(["| area | tried | held |", "|---|---|---|", *(f"| {a} | {t} | {h} |" for a, t, h in rows)])


def main(arguments):
    words = [word for word in arguments if not word.startswith("-")]
    chosen = [area for area in AREAS if not words or any(word in area for word in words)]
    files = [str(TESTS / file) for area in chosen for file in AREAS[area]]
    counter = Counter()
    marks = "not slow" if "--quick" in arguments else "slow or not slow"
    names = [] if "--longer" in arguments else ["-k", f"not ({LONGER})"]
    code = pytest.main(["-q", "-m", marks, *names, "-p", "no:cacheprovider", *files], plugins=[counter])
    print(counter.table())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
