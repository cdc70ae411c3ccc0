"""Run the code of pages, and compare what it prints with what the pages show.

    python docs/run_pages.py docs/guide/quickstart.md            # says where they differ
    python docs/run_pages.py --write docs/guide/quickstart.md    # writes what was printed into the page

The ``python`` blocks of a page run one after the other, in a folder of their own. A ``text`` block right behind one is
what it prints. Words and whole numbers have to be the same. Decimal numbers may differ by 0.05 and a tenth of their size,
since processors round differently. ``...`` stands for anything. ``--write`` also copies pictures that the code saves and
the page shows.
"""

import argparse
import contextlib
import io
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

BLOCK = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<shown>.*?)```\n)?",
    flags=re.DOTALL,
)
NUMBER = re.compile(r"[-−]?\d+\.\d+(?:e[-+]?\d+)?")


class Block(NamedTuple):
    """Code of a page, what the page says that it prints or None, and the line that it begins in."""

    code: str
    shown: str | None
    line: int


def blocks(text: str) -> list[Block]:
    """Return the code of a page, block by block."""
    return [
        Block(
            found["code"],
            found["shown"],
            text.count("\n", 0, found.start()) + 2,
        )
        for found in BLOCK.finditer(text)
    ]


def run(code: str, names: dict, filename: str = "page") -> str:
    """Run code with these names, and return what it prints. ``# train.py`` at its beginning calls for torchrun."""
    if code.startswith("# train.py"):
        pathlib.Path("train.py").write_text(code, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nproc_per_node=2",
            "train.py",
        ]
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, filename, "exec"), names)
    return printed.getvalue()


def alike(shown: str, printed: str) -> bool:
    """Whether two texts are the same but for spaces, last digits of decimal numbers, and what ``...`` stands for."""
    words = "".join(
        ".*?" if part == "..." else re.escape(NUMBER.sub("#", part))
        for part in re.split(r"(\.\.\.)", squeezed(shown))
    )
    if not re.fullmatch(
        words, NUMBER.sub("#", squeezed(printed)), flags=re.DOTALL
    ):
        return False
    if "..." in shown:
        return True
    pairs = zip(decimals(shown), decimals(printed), strict=True)
    return all(
        math.isclose(one, other, rel_tol=0.1, abs_tol=0.05)
        for one, other in pairs
    )


def squeezed(text):
    """Return a text with one space where there are several, and lines without spaces around them."""
    return "\n".join(
        " ".join(line.split()) for line in text.strip().splitlines()
    )


def decimals(text):
    """Return the decimal numbers of a text."""
    return [float(number.replace("−", "-")) for number in NUMBER.findall(text)]


def written(text: str, names: dict, filename: str) -> str:
    """Run a page, and return it with what it prints."""

    def renewed(found):
        printed = run(found["code"], names, filename)
        trimmed = "\n".join(
            line.rstrip() for line in printed.rstrip().splitlines()
        )
        if (
            found["shown"] is not None
            and alike(found["shown"], printed)
            and "..." in found["shown"]
        ):
            return found[0]
        shown = f"\n```text\n{trimmed}\n```\n" if trimmed else ""
        return f"```python\n{found['code']}```\n{shown}"

    return BLOCK.sub(renewed, text)


def main():
    """Run the pages named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument(
        "--write",
        action="store_true",
        help="write what was printed into the pages",
    )
    options = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "agg")
    for page in (page.resolve() for page in options.pages):
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            names = {"__name__": "page"}
            if options.write:
                page.write_text(
                    written(text, names, str(page)), encoding="utf-8"
                )
                for picture in pathlib.Path(folder).glob("*.png"):
                    if f"_static/{picture.name}" in text:
                        shutil.copy(
                            picture, pathlib.Path(__file__).parent / "_static"
                        )
                continue
            for block in blocks(text):
                printed = run(block.code, names, str(page))
                if block.shown is not None and not alike(block.shown, printed):
                    print(
                        f"{page}:{block.line} shows\n{block.shown}but prints\n{printed}"
                    )


if __name__ == "__main__":
    main()
