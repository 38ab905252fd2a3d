"""What is recorded, what is reported, and what is advised."""

import ast
import json
import linecache
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent
from types import CodeType
from typing import Any

import numpy as np
import pytest

import smartsolve
from smartsolve._profile.advice import advice
from smartsolve._profile.findings import CallSite
from smartsolve._profile.html import page
from smartsolve._profile.recording import record
from smartsolve._profile.report import Profile
from smartsolve._profile.source import find_call
from smartsolve._profile.text import duration

OLD_SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "old_script.py"


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Callable[..., Profile]]:
    """Profile a text of Python as the file program.py."""
    file = tmp_path / "program.py"

    def run(text: str, *, scipy: bool = False, with_ours: bool = False) -> Profile:
        file.write_text(dedent(text))
        linecache.checkcache(str(file))
        code = compile(file.read_text(), str(file), "exec")
        names: dict[str, Any] = {"np": np, "smartsolve": smartsolve}
        with record(scipy=scipy, with_ours=with_ours) as recording:
            exec(code, names)
        return Profile.of(recording, "program.py", 1.0, with_ours)

    yield run
    assert type(np.linalg.solve).__module__ == "numpy"


def test_sparse_solvers_are_seen(profile: Callable[..., Profile]) -> None:
    found = profile(
        """
        import scipy.sparse as sp
        import scipy.sparse.linalg as sla

        n = 4000
        a = sp.diags_array([-1.0, 2.5, -1.0], offsets=[-1, 0, 1], shape=(n, n)).tocsc()
        rng = np.random.default_rng(1)
        permuted = a[rng.permutation(n)]
        for k in range(30):
            x = sla.spsolve(a, np.full(n, k + 1.0))
        for k in range(3):
            y = sla.spsolve(A=permuted * (k + 1), b=np.ones(n), permc_spec="COLAMD")
        for k in range(3):
            solve = sla.factorized(a * (1 + k))
            z = solve(np.ones(n))
        for k in range(2):
            lu = sla.splu(a)
        z = lu.solve(np.ones(n))
        diagonal = sp.eye_array(n, format="csc") * 2
        sla.spsolve(diagonal, sp.csc_array(np.ones((n, 2))))
        try:
            sla.spsolve(sp.eye_array(3).tocsc(), np.ones(4))
        except ValueError:
            pass
        """,
        scipy=True,
    )
    solved, other, eye, wrong = (
        next(s for s in found.sites if s.text.startswith(text))
        for text in (
            "sla.spsolve(a, ",
            "sla.spsolve(A=",
            "sla.spsolve(diagonal",
            "sla.spsolve(sp.eye",
        )
    )
    assert (solved.calls, solved.structures, solved.matrices) == (30, {"spd tridiagonal": 30}, 1)
    assert "sparse float64" in str(found)
    assert "factorize it once, `smartsolve.factorize(a).solve(np.full" in advice(solved)
    assert (other.calls, other.matrices) == (3, 3)
    assert "np.diagonal" not in advice(eye)
    assert eye.structures == {"diagonal": 1}
    assert (wrong.calls, wrong.failed) == (0, 1)
    factored, kept = (
        next(s for s in found.sites if s.function == f"scipy.sparse.linalg.{name}")
        for name in ("factorized", "splu")
    )
    assert (factored.role, factored.calls, factored.matrices) == ("factor", 3, 3)
    assert "tridiagonal" in advice(factored)
    assert "one matrix was factored 2 times" in advice(kept)
    assert "`smartsolve.factorize(a)`" in advice(kept)
    assert json.loads(json.dumps(found.to_dict()))["sites"]
    ours = profile(
        """
        import scipy.sparse as sp, scipy.sparse.linalg as sla
        x = sla.spsolve(sp.eye_array(5000, format="csc") * 2, np.ones(5000))
        """,
        scipy=True,
        with_ours=True,
    )
    assert ours.sites[0].structures == {"diagonal": 1}


def test_both_call_sites_of_an_unchanged_script(profile: Callable[..., Profile]) -> None:
    text = OLD_SCRIPT.read_text().replace("sys.argv[1]", "'300'").replace("len(sys.argv)", "2")
    text = text.replace('__name__ == "__main__"', "True")
    found = profile(text)
    lines = [i for i, line in enumerate(text.splitlines(), 1) if "np.linalg.solve" in line]
    assert sorted(site.line for site in found.sites) == lines
    for site in found.sites:
        assert site.place == f"{site.file}:{site.line}"
        assert site.where == "estimate"
        assert site.text.startswith("np.linalg.solve(D, ")
        assert (site.calls, site.structures) == (300, {"diagonal": 300})
        assert site.systems[0].a_shape == site.systems[0].b_shape == (2, 2)
        assert "all 300 matrices were diagonal" in advice(site)
        assert "/ np.diagonal(D)[:, None]`" in advice(site)
        assert 0 < site.sampled <= 300
        assert site.other_seconds is not None
        assert site.other_seconds > 0


def test_two_calls_in_one_line_are_two_sites(profile: Callable[..., Profile]) -> None:
    found = profile(
        "x = np.linalg.solve(np.eye(2), np.linalg.solve(np.eye(3)[:2, :2], np.ones(2)))"
    )
    assert [site.line for site in found.sites] == [1, 1]
    assert sorted(site.column or 0 for site in found.sites) == [5, 32]


def test_results_are_numpys_or_ours(profile: Callable[..., Profile]) -> None:
    text = "x = np.linalg.solve(np.zeros((2, 2)), np.ones(2))"
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix$"):
        profile(text)
    with pytest.raises(np.linalg.LinAlgError, match="pivot"):
        profile(text, with_ours=True)


def test_failures_are_counted(profile: Callable[..., Profile]) -> None:
    found = profile(
        """
        for n in range(3):
            try:
                np.linalg.solve(n * np.eye(2), np.ones(2))
            except np.linalg.LinAlgError:
                pass
        """
    )
    assert (found.sites[0].calls, found.sites[0].failed) == (2, 1)
    assert "1 call failed" in str(found)


def test_structures_of_stacks_are_counted_slice_by_slice(profile: Callable[..., Profile]) -> None:
    found = profile("np.linalg.solve([np.eye(3), np.ones((3, 3)) + np.eye(3)] * 5, np.ones(3))")
    assert found.sites[0].structures == {"diagonal": 5, "positive definite": 5}
    assert found.sites[0].calls == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = np.eye(9) + 1\nfor i in range(500): np.linalg.solve(a, np.ones(9))",
         "the same matrix was solved 500 times: factorize it once"),
        ("for i in range(100): np.linalg.solve(np.eye(9) + i % 3, np.ones(9))",
         "only 3 different matrices in 100 calls: factorize each once"),
        ("for i in range(2000): np.linalg.solve(np.ones((3, 3)) + (i + 1) * np.eye(3), np.ones(3))",
         "these 2,000 calls could be one stacked call, if none needs the result of another"),
        ("np.linalg.solve(np.triu(np.ones((9, 9))), np.ones(9))",
         "the matrix was upper triangular: `smartsolve.solve(np.triu(np.ones((9, 9))), np.ones("),
    ],
)  # fmt: skip
def test_advice(profile: Callable[..., Profile], text: str, words: str) -> None:
    (site,) = profile(text).sites
    assert words in advice(site)
    assert "\n" not in advice(site)


def test_a_matrix_that_changes_is_not_the_same(profile: Callable[..., Profile]) -> None:
    """By content, not by identity: one element of a large matrix is enough."""
    found = profile(
        """
        a = np.eye(100) + 1
        for i in range(50):
            a[57, 3] += 1
            np.linalg.solve(a, np.ones(100))
        """
    )
    assert found.sites[0].matrices == 50
    assert "the same matrix" not in advice(found.sites[0])


@pytest.mark.parametrize(
    ("text", "multiplied", "name"),
    [
        ("x = np.linalg.inv(a) @ b", 1, None),
        ("x = np.linalg.inv(a).dot(b)", 1, None),
        ("x = np.dot(np.linalg.inv(a), b)", 1, None),
        ("x = b @ np.linalg.inv(a).T", 1, None),
        ("c = np.linalg.inv(a)\nx = 1 + c @ b", 2, "c"),
        ("def f(a):\n    c = np.linalg.inv(a)\n    return c\nx = f(a) @ b", None, None),
        ("x = np.linalg.inv(a).sum()", None, None),
    ],
)
def test_inverses_and_what_the_text_says_of_them(
    profile: Callable[..., Profile], text: str, multiplied: int | None, name: str | None
) -> None:
    found = profile("a = np.eye(3) + 1; b = np.ones(3)\n" + text)
    (site,) = found.sites
    assert site.function == "numpy.linalg.inv"
    assert site.multiplied == (None if multiplied is None else multiplied + 1)
    assert site.multiplied_as == name
    certain = "does not show" not in advice(site)
    assert certain == (multiplied is not None)


SETTING = """
    import scipy.linalg
    from numpy.linalg import inv
    rng = np.random.default_rng(5)
    S, B = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([[1.0, 2.0], [3.0, 5.0]])
    Z = np.array([[2.0, 1.0 + 1.0j], [0.5j, 3.0]])
    D, L = np.diag([2.0, 5.0]), np.array([[2.0, 0.0], [1.0, 3.0]])
    v, P = np.array([1.0, 2.0]), np.eye(2) + 0.1
    R = rng.random((3, 2, 2)) + 2 * np.eye(2)
    W = rng.random((3, 2, 4))
    DR = np.stack([D, 2 * D, 3 * D])
"""
EXPRESSIONS = [
    "B @ np.linalg.inv(S)",
    "np.linalg.inv(S) @ B",
    "P @ B.T @ np.linalg.inv(B @ P @ B.T + S)",  # a Kalman gain
    "np.linalg.inv(S).T @ B",
    "B @ np.linalg.inv(Z).T",
    "B @ np.linalg.inv(Z)",
    "np.linalg.inv(Z).T @ B",
    "v @ np.linalg.inv(B)",
    "np.linalg.inv(B) @ v",
    "np.dot(B, inv(S))",
    "np.dot(inv(S), B)",
    "B.dot(inv(S))",
    "inv(S).dot(B)",
    "np.matmul(B, inv(S))",
    "inv(S + B @ S) @ (B + S)",
    "(B - S) @ inv(S + B) @ v",
    "np.linalg.inv(R) @ W",
    "np.linalg.inv(R).mT @ W",
    "W.mT @ np.linalg.inv(R)",
    "v @ np.linalg.inv(R)",
    "np.linalg.inv(R) @ v",
    "scipy.linalg.inv(B) @ S",
    "np.linalg.solve(D, v)",
    "np.linalg.solve(D, B)",
    "np.linalg.solve(D, B + S)",
    "np.linalg.solve(DR, W)",
    "np.linalg.solve(DR, v)",
    "np.linalg.solve(D, W)",
    "np.linalg.solve(L, v)",
    "np.linalg.solve(L, B)",
    "np.linalg.solve(L.T, B)",
    "np.linalg.solve(b=v, a=L)",
    "np.linalg.solve(*(L, v))",
    "scipy.linalg.solve(L, v, transposed=True)",
    "scipy.linalg.solve(S, v, assume_a='pos')",
    "np.linalg.lstsq(B, v)[0]",
    "[np.linalg.solve(S, v * i) for i in range(30)][-1]",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_advised_gives_the_same_numbers(
    profile: Callable[..., Profile], expression: str
) -> None:
    """Every piece of code in the advice is run on the operands that were recorded."""
    found = profile(f"{SETTING}\n    x = {expression}", scipy=True)
    sites = [site for site in found.sites if site.calls]
    names: dict[str, Any] = {"np": np, "smartsolve": smartsolve}
    exec(dedent(SETTING), names)
    names["i"] = 29
    expected = eval(expression, names)
    (site,) = [site for site in sites if "inv(" in site.text] or sites
    program = dedent(f"{SETTING}\n    x = {expression}")
    advised = re.findall(r"`([^`]*\(.*?)`(?= |,|;|$)", advice(site))
    assert advised
    for text in advised:
        changed = _replaced(program, site, text, names)
        assert np.allclose(changed, expected, rtol=1e-12), (text, advice(site))


def _replaced(program: str, site: CallSite, text: str, names: dict[str, Any]) -> Any:
    """The program's x with the advised text in place of the call, or of the product with it."""
    tree = ast.parse(program).body[-1]
    assert isinstance(tree, ast.Assign)
    if "(a, b)" in text:  # a form: the operands are the call's own
        names = names | {"a": names["B"], "b": names["v"]}
    new = ast.parse(text, mode="eval").body

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.expr) and ast.unparse(node) == target:
                return new
            return super().visit(node)

    inner = site.text
    target = inner
    if site.role == "inv":
        holders = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.BinOp | ast.Call)
            and inner in ast.unparse(node)
            and ast.unparse(node) != inner
            and (isinstance(node, ast.BinOp) or "dot" in ast.unparse(node.func)
                 or "matmul" in ast.unparse(node.func))
        ]  # fmt: skip
        target = ast.unparse(min(holders, key=lambda node: len(ast.unparse(node))))
    if site.role == "lstsq":
        target = ast.unparse(tree.value)
    value = ast.fix_missing_locations(ast.Expression(Replace().visit(tree.value)))
    return eval(ast.unparse(value), names)


@pytest.mark.parametrize(
    "text",
    [
        "x = np.linalg.inv(S) * B",
        "y = np.linalg.inv(S); x = y + B",
        "c = {'k': np.linalg.inv(S)}; x = c['k'] @ B",
        "x = np.dot(np.linalg.inv(R), W[0])",
        "x = np.linalg.inv(*[S]) @ B",
    ],
)
def test_nothing_is_advised_for_certain_where_it_cannot_be_known(
    profile: Callable[..., Profile], text: str
) -> None:
    found = profile(f"{SETTING}\n    {text}")
    (site,) = found.sites
    assert site.role == "inv"
    assert "in place of both" not in advice(site)
    assert "in place of that" not in advice(site)


def test_the_first_profile_of_a_process_times_no_import(tmp_path: Path) -> None:
    """LAPACK is loaded, and both BLAS are awake, before the program's clock starts."""
    program = (
        "import sys\n"
        "import numpy as np\n"
        "from smartsolve._profile.recording import record\n"
        "assert 'scipy.linalg.cython_lapack' not in sys.modules\n"
        "with record():\n"
        "    print('scipy.linalg.cython_lapack' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_least_squares_of_square_systems(profile: Callable[..., Profile]) -> None:
    found = profile(
        """
        np.linalg.lstsq(np.eye(4) + 1, np.ones(4), rcond=None)
        np.linalg.lstsq(np.ones((4, 4)), np.ones(4), rcond=None)
        np.linalg.lstsq(np.ones((4, 2)), np.ones(4), rcond=None)
        """
    )
    square = {site.line: site for site in found.sites}
    assert set(square) == {2, 3}
    assert "`smartsolve.solve(a, b)` gives the same solution" in advice(square[2])
    assert "had not full rank" in advice(square[3])


def test_scipys_solve_and_what_it_may_overwrite(profile: Callable[..., Profile]) -> None:
    """The comparison must not see, or cause, operands that are overwritten."""
    found = profile(
        """
        import scipy.linalg
        for i in range(4):
            a = np.array([[4.0, 1.0], [2.0, 3.0]], order="F")
            b = np.array([1.0, 2.0])
            x = scipy.linalg.solve(a, b, overwrite_a=True, overwrite_b=True)
            assert np.allclose([[4.0, 1.0], [2.0, 3.0]] @ x, [1.0, 2.0])
        """,
        scipy=True,
    )
    (site,) = found.sites
    assert (site.function, site.calls, site.matrices) == ("scipy.linalg.solve", 4, 1)


def test_a_program_that_patches_by_itself_is_seen_all_the_same(
    profile: Callable[..., Profile],
) -> None:
    found = profile(
        """
        with smartsolve.patch_numpy():
            np.linalg.solve(np.eye(2), np.ones(2))
        """
    )
    assert found.sites[0].calls == 1


def test_arrays_of_other_libraries_are_left_alone(profile: Callable[..., Profile]) -> None:
    found = profile(
        """
        class Other:
            def __array_function__(self, *_): return "theirs"
        assert np.linalg.solve(Other(), np.ones(2)) == "theirs"
        """
    )
    assert found.sites[0].calls == 1
    assert "another library's" in advice(found.sites[0])


def test_no_call_is_lost_among_threads(profile: Callable[..., Profile]) -> None:
    with record() as recording:

        def work() -> None:
            for _ in range(300):
                np.linalg.solve(np.eye(2), np.ones(2))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (site,) = Profile.of(recording, "threads", 1.0).sites
    assert site.calls == 1200
    assert site.structures == {"diagonal": 1200}


def test_a_program_without_linear_systems(profile: Callable[..., Profile]) -> None:
    assert "It never called numpy.linalg.solve" in str(profile("x = 1"))


def test_json(profile: Callable[..., Profile]) -> None:
    found = profile("np.linalg.solve(np.eye(3), np.ones(3)); np.linalg.inv(np.eye(2))")
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    solve, inverse = document["sites"]
    assert solve["structures"] == {"diagonal": 1}
    assert solve["systems"][0]["a_shape"] == [3, 3]
    assert solve["seconds"] > 0
    assert solve["smartsolve_seconds"] > 0
    assert inverse["smartsolve_seconds"] is None


class Reader(HTMLParser):
    """Every tag is closed, and nothing is asked for from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_one_page_with_everything_in_it(profile: Callable[..., Profile]) -> None:
    found = profile("np.linalg.solve(np.eye(3) * (1 < 2), np.ones(3))")
    text = page(found)
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert "np.linalg.solve(np.eye(3) * (1 < 2), np.ones(3))" in reader.text
    assert "url(" not in text
    assert "color-scheme: light dark" in text


def test_the_table_is_at_most_100_columns_wide(profile: Callable[..., Profile]) -> None:
    text = "for i in range(2000): x = np.linalg.solve(np.eye(3), np.ones(3))"
    assert max(map(len, str(profile(text)).splitlines())) <= 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(123.4, "123 s"), (1.234, "1.23 s"), (0.01234, "12.3 ms"), (4.1e-6, "4.10 us"),
     (3e-9, "3 ns"), (0.9996, "1.00 s"), (None, "-"), (-0.002, "-2.00 ms")],
)  # fmt: skip
def test_durations_have_three_digits_and_a_unit(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_call_is_found_by_its_instruction(tmp_path: Path) -> None:
    file = tmp_path / "text.py"
    file.write_text("def f(g, x):\n    return g(1) + g(\n        x\n    )\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    seen: list[tuple[CodeType, int, int]] = []

    def g(x: int) -> int:
        import sys

        frame = sys._getframe(1)
        seen.append((frame.f_code, frame.f_lasti, frame.f_lineno))
        return x

    names["f"](g, 2)
    assert [find_call(*call).text for call in seen] == ["g(1)", "g(x)"]
    assert ast.parse(find_call(*seen[0]).text)
    file.unlink()
    linecache.checkcache(str(file))
    assert find_call(*seen[0]).text == ""


def test_the_estimate_is_the_ratio_of_what_was_measured() -> None:
    """Two groups at different ratios are estimated each by its own."""
    from smartsolve._profile.findings import _estimate
    from smartsolve._profile.recorder import Group

    small, large = Group(np.eye(2), np.ones(2)), Group(np.eye(9), np.ones(9))
    small.calls, small.seconds = 100, 1.0
    small.add_sample(0.1, 0.01, 0.01)
    large.calls, large.seconds = 10, 10.0
    large.add_sample(1.0, 0.5, 0.5)
    assert _estimate([small, large], 0.0) == pytest.approx(1.0 * 0.1 + 10.0 * 0.5)
    assert _estimate([Group(np.eye(2), np.ones(2))], 0.0) is None


def test_an_interruption_does_not_outweigh_all_other_samples() -> None:
    from smartsolve._profile.recorder import Group

    group = Group(np.eye(2), np.ones(2))
    assert not group.is_doubtful(1e-6, 1e-6)
    assert group.is_doubtful(1.0, 1e-6)  # the first is held against the call itself
    for _ in range(4):
        group.add_sample(1e-6, 1e-7, 1e-7)
    assert group.is_doubtful(1e-6, 1e-6)
    assert not group.is_doubtful(2e-7, None)
    group.add_sample(1.0, 1e-7, 1e-7)  # an interrupted call says nothing about the ratio
    assert group.other_seconds / group.sampled_seconds == pytest.approx(0.1)
