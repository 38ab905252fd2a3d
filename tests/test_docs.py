"""The examples of the public docstrings and of the pages run, and give what they show."""

import doctest
import inspect
import re
import runpy
from pathlib import Path
from types import ModuleType

import pytest

import gmm
import smartsolve

ROOT = Path(__file__).parents[1]
TYPED = runpy.run_path(str(ROOT / "tests" / "typing" / "write_pages.py"))
PAGES: list[Path] = TYPED["PAGES"]
PUBLIC = [(module, name) for module in (smartsolve, gmm) for name in module.__all__]


class Checker(doctest.OutputChecker):
    """The digits of the rcond of a singular matrix are rounding, and vary with the machine."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare what is left without these digits."""
        masked = [re.sub(r"(rcond = )[\d.]+(e-1[6-9])", r"\1#\2", text) for text in (want, got)]
        return super().check_output(*masked, optionflags)


def run(text: str, name: str) -> int:
    """Run the examples of a text and return how many there are."""
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    runner = doctest.DocTestRunner(Checker(), optionflags=doctest.NORMALIZE_WHITESPACE)
    result = runner.run(test)
    assert result.failed == 0
    return result.attempted


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=[name for _, name in PUBLIC])
def test_public_docstring(module: object, name: str) -> None:
    """Every public name has a docstring; that of a function has an example.

    The examples of a class's methods continue the session of its own.
    """
    thing = getattr(module, name)
    assert thing.__doc__
    texts = [thing.__doc__]
    if isinstance(thing, type):
        methods = inspect.getmembers_static(thing, inspect.isfunction)
        texts += [method.__doc__ or "" for _, method in methods]
    attempted = run("\n\n".join(map(inspect.cleandoc, texts)), name)
    assert attempted > 0 or isinstance(thing, type)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path) -> None:
    """The Python sessions of a page run in one go, from its top."""
    for package in re.findall(r"^<!-- needs (\w+) -->$", page.read_text(), re.MULTILINE):
        pytest.importorskip(package, reason=f"{page.name} needs {package}")
    run("\n\n".join(TYPED["SESSION"].findall(page.read_text())), page.name)


def test_every_structure_is_named_where_it_may_be_declared() -> None:
    text = " ".join((smartsolve.solve.__doc__ or "").split())
    assert [kind for kind in smartsolve._core.kinds() if f'"{kind}"' not in text] == []


def test_the_table_of_methods_is_the_native_one() -> None:
    """docs/make_tables.py prints what docs/structures.md shows: a row without docs fails here."""
    tables = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))
    assert tables["methods_table"]() in (ROOT / "docs" / "structures.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_shell_sessions(page: Path) -> None:
    """The commands of a page print what it shows, but for times."""
    sessions = runpy.run_path(str(ROOT / "docs" / "run_commands.py"))
    for block in sessions["blocks"](page):
        assert sessions["masked"](sessions["renewed"](block)) == sessions["masked"](block)


@pytest.mark.parametrize("module", [smartsolve, gmm], ids=lambda module: module.__name__)
def test_the_reference_has_every_public_name(module: ModuleType) -> None:
    """A name that the reference's page leaves out has no page of its own on the site."""
    page = (ROOT / "docs" / "reference" / f"{module.__name__}.md").read_text()
    listed = re.findall(r"^   (\w+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(module.__all__)
