"""Check that the site's search leads to every public name: python docs/check_site.py build/site.

Search finds what its index holds: each name must be an object of the index, with a page that shows
its text. External links are left to ``sphinx-build -b linkcheck``, which needs the network.
"""

import re
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import gmm
import smartsolve

PUBLIC = {f"{module.__name__}.{name}" for module in (smartsolve, gmm) for name in module.__all__}


class Text(HTMLParser):
    """The words that a page shows, and where its links lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.ids.add(value)
            elif value and name in ("href", "src"):
                self.links.append(value)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def objects(site: Path) -> dict[str, str]:
    """Names and pages of the index that other sites and the search read."""
    packed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode().splitlines()
    found = (re.match(r"(\S+) py:\S+ -?\d+ (\S+) ", line) for line in lines)
    return {match[1]: match[2].split("#")[0] for match in found if match}


def faults(site: Path) -> list[str]:
    """What is wrong with the site, a line each."""
    wrong = []
    pages = {page: Text(page) for page in site.rglob("*.html") if "_static" not in page.parts}
    index, search = objects(site), (site / "searchindex.js").read_text()
    for name in sorted(PUBLIC):
        page = site / index.get(name, "none")
        if not page.is_file():
            wrong.append(f"{name} is not in the site's index")
        elif name.rpartition(".")[2] not in "".join(pages[page].words):
            wrong.append(f"{page} does not show {name}")
        if f'"{name}"' not in search and name.rpartition(".")[2] not in search:
            wrong.append(f"the search does not know {name}")
    for page, text in pages.items():
        for link in text.links:
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:|//|$", target):
                continue
            leads_to = (page.parent / target.partition("?")[0]).resolve()
            if not leads_to.exists():
                wrong.append(f"{page.relative_to(site)}: {link} leads nowhere")
            elif anchor and leads_to in pages and anchor not in pages[leads_to].ids:
                wrong.append(f"{page.relative_to(site)}: {link} has no such place")
    return wrong


if __name__ == "__main__":
    found = faults(Path(sys.argv[1]).resolve())
    print(*found, sep="\n")
    print(f"{len(PUBLIC)} public names, {len(found)} faults")
    sys.exit(bool(found))
