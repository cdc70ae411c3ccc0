"""Look at every built page in headless Chromium, on a screen and on a phone.

    python docs/check_widths.py docs/_build/html

A page fails if it is wider than the window, if a box of code hides a part of
a line, if a table of up to three columns has to be scrolled, or if the
browser's console has a warning or an error. Pages of source code may be cut on
a phone. Prints what fails and exits with 1. Chromium is talked to through a
pipe, in the protocol of its developer tools; the environment variable CHROMIUM
names another program. ``--shots FOLDER page.html ...`` takes pictures of these
pages instead.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

WIDTHS = {1280: 900, 390: 844}  # and heights, in pixels
MEASURE = """
(() => {
  document.querySelectorAll("details").forEach(box => { box.open = true; });
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  const cut = [...document.querySelectorAll("pre")].filter(
    box => box.offsetParent && box.scrollWidth > box.clientWidth + 1
  );
  const out = wide > 0 ? [...document.querySelectorAll("main *")].filter(
    e => e.getBoundingClientRect().right > window.innerWidth + 1
  ).slice(0, 2).map(e => e.tagName + "." + e.className) : [];
  const tables = [...document.querySelectorAll("main table")].filter(
    table => table.rows[0].cells.length <= 3 && table.parentElement.scrollWidth > table.parentElement.clientWidth + 1
  ).map(table => table.innerText.trim().slice(0, 50));
  return JSON.stringify({wide, out, tables, cut: cut.map(box => box.innerText.trim().slice(0, 50))});
})()
"""


class Browser:
    """A headless Chromium with one tab."""

    def __init__(self, folder):
        program = (
            os.environ.get("CHROMIUM")
            or shutil.which("chromium")
            or shutil.which("google-chrome")
        )
        if program is None:
            sys.exit(
                "no Chromium found; name one in the environment variable CHROMIUM"
            )
        to_browser, self.out = os.pipe()
        self.inp, from_browser = os.pipe()
        switches = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}",
        ]
        command = [
            program,
            *switches,
            "--remote-debugging-pipe",
            "about:blank",
        ]

        def give_pipes():  # Chromium reads from descriptor 3 and writes to 4
            reader, writer = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reader, 3)
            os.dup2(writer, 4)

        self.process = subprocess.Popen(
            command,
            preexec_fn=give_pipes,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.session, self.console = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def receive(self):
        """Return the next message."""
        while b"\0" not in self.buffer:
            chunk = os.read(self.inp, 65536)
            if not chunk:
                sys.exit("Chromium has ended")
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(message)
        params = message.get("params", {})
        if message.get("method") == "Log.entryAdded" and params["entry"][
            "level"
        ] in ("warning", "error"):
            self.console.append(params["entry"]["text"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.console.append(params["exceptionDetails"]["text"])
        elif message.get("method") == "Runtime.consoleAPICalled" and params[
            "type"
        ] in ("warning", "error"):
            self.console.append(str(params["args"][0].get("value")))
        return message

    def ask(self, method, **params):
        """Call a method and return its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.number:
            pass
        return answer.get("result", {})

    def open(self, page, width):
        """Open a page in a window of this width."""
        phone = width < 600
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=WIDTHS[width],
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.console.clear()
        self.ask("Page.navigate", url=page.as_uri())
        while self.receive().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, code):
        """Return the value of JavaScript."""
        return self.ask("Runtime.evaluate", expression=code)["result"]["value"]


@contextlib.contextmanager
def browser():
    """Start Chromium, and end it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        opened = Browser(folder)
        try:
            yield opened
        finally:
            opened.process.kill()
            opened.process.wait()


def failures(root, chromium):
    """Yield a line for each page that fails."""
    for page in sorted(root.rglob("*.html")):
        name = page.relative_to(root)
        if name.parts[0] == "_static":
            continue
        for width in WIDTHS:
            chromium.open(page, width)
            found = json.loads(chromium.evaluate(MEASURE))
            if found["wide"] > 0:
                yield f"{name} at {width}: {found['wide']} pixels too wide {found['out']}"
            if found["cut"] and not (
                name.parts[0] == "_modules" and width == 390
            ):
                yield f"{name} at {width}: code is cut: {found['cut']}"
            if found["tables"]:
                yield f"{name} at {width}: a table of few columns is cut: {found['tables']}"
            for line in chromium.console:
                yield f"{name} at {width}: console: {line}"


def shoot(root, pages, folder, chromium):
    """Take pictures of pages."""
    for name in pages:
        for width in WIDTHS:
            chromium.open(root / name, width)
            data = chromium.ask("Page.captureScreenshot", format="png")["data"]
            picture = (
                folder
                / f"{name.replace('/', '-').removesuffix('.html')}-{width}.png"
            )
            picture.write_bytes(base64.b64decode(data))
            print(picture)


def main():
    """Check the folder named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--shots", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    root = options.root.resolve()
    with browser() as chromium:
        if options.shots:
            options.shots.mkdir(parents=True, exist_ok=True)
            shoot(root, options.pages, options.shots, chromium)
            return
        found = list(failures(root, chromium))
    n_pages = sum("_static" not in page.parts for page in root.rglob("*.html"))
    if found:
        sys.exit(
            "\n".join(found) + f"\n{len(found)} failures on {n_pages} pages"
        )
    print(
        f"{n_pages} pages at {' and '.join(map(str, WIDTHS))} pixels: none too wide, no code cut, console clean"
    )


if __name__ == "__main__":
    main()
