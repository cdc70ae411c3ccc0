"""Check that every internal link of the built pages leads to a file, and to a place in it, that exist.

    python docs/check_links.py docs/_build/html

Prints what is broken and exits with 1, or prints how many links were followed.
"""

import pathlib
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page and the places in it that links may lead to."""

    def __init__(self, path: pathlib.Path):
        super().__init__()
        self.links, self.places = [], {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Take note of a tag's links and names."""
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.places.add(value)


def broken_links(root: pathlib.Path) -> tuple[list[str], int]:
    """Return a line for each broken internal link under ``root``, and how many internal links there are."""
    root = root.resolve()
    static = root / "_static"  # has templates of the theme, which are no pages
    pages = {
        path: Page(path)
        for path in sorted(root.rglob("*.html"))
        if static not in path.parents
    }
    broken, n_links = [], 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            n_links += 1
            target = (
                (path.parent / unquote(parts.path)).resolve()
                if parts.path
                else path
            )
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                broken.append(
                    f"{path.relative_to(root)}: {link} (no such file)"
                )
            elif (
                target in pages
                and unquote(parts.fragment) not in pages[target].places
            ):
                broken.append(
                    f"{path.relative_to(root)}: {link} (no such place in the page)"
                )
    return broken, n_links


def main():
    """Check the folder named on the command line."""
    root = pathlib.Path(sys.argv[1])
    if not any(root.rglob("*.html")):
        sys.exit(f"{root} has no pages; build them first: make docs")
    broken, n_links = broken_links(root)
    if broken:
        sys.exit(
            "\n".join(broken)
            + f"\n{len(broken)} of {n_links} internal links are broken"
        )
    print(f"{n_links} internal links, none broken")


if __name__ == "__main__":
    main()
