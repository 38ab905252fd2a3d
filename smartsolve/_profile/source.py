"""Find a recorded call in the program's text, and what the text does with the result."""

import ast
import functools
import linecache
from dataclasses import dataclass
from itertools import islice
from types import CodeType

__all__ = ["Call", "find_call"]

_LONGEST = 60
_PRODUCTS = {"dot", "matmul"}


@dataclass(frozen=True)
class Call:
    """A call as it is written.

    `column` counts from 1. `multiplied` is the line where the result is a factor of a product:
    that of the call itself, or of a name to which the function assigns it; None if neither is
    seen, which does not prove that it is not multiplied elsewhere. `name` is that name.
    """

    text: str
    column: int | None = None
    multiplied: int | None = None
    name: str | None = None


def find_call(code: CodeType, instruction: int, line: int) -> Call:
    """The call that an instruction of the code makes; at least the text of its line."""
    source = linecache.getlines(code.co_filename)
    start, end, column, end_column = next(islice(code.co_positions(), instruction // 2, None))
    fallback = source[line - 1].strip() if 0 < line <= len(source) else ""
    if start is None or end is None or column is None or end_column is None:
        return Call(_shortened(fallback))
    tree = _parsed("".join(source))
    if tree is None:
        return Call(_shortened(fallback), column + 1)
    position = (start, column, end, end_column)
    for node in tree.parent:
        if isinstance(node, ast.Call) and _position(node) == position:
            multiplied, name = _multiplied(node, tree)
            return Call(_shortened(ast.unparse(node)), column + 1, multiplied, name)
    return Call(_shortened(fallback), column + 1)


class _Tree:
    """A syntax tree that can be climbed."""

    def __init__(self, root: ast.Module) -> None:
        self.parent: dict[ast.AST, ast.AST] = {
            child: node for node in ast.walk(root) for child in ast.iter_child_nodes(node)
        }

    def scope(self, node: ast.AST) -> ast.AST:
        """The function, or else the module, that a node belongs to."""
        while not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            node = self.parent[node]
        return node


@functools.lru_cache(maxsize=32)
def _parsed(text: str) -> _Tree | None:
    try:
        return _Tree(ast.parse(text))
    except (SyntaxError, ValueError):  # a notebook's cell may hold more than Python
        return None


def _position(node: ast.expr) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _multiplied(node: ast.AST, tree: _Tree) -> tuple[int | None, str | None]:
    """Where the value of a node is a factor, and under which name."""
    if (line := _factor(node, tree)) is not None:
        return line, None
    statement = tree.parent[node]
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return None, None
    name = statement.targets[0].id
    for use in ast.walk(tree.scope(statement)):
        if isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load):
            line = _factor(use, tree)
            if line is not None:
                return line, name
    return None, None


def _factor(node: ast.AST, tree: _Tree) -> int | None:
    """The line of the product of which a node, or its transpose, is a factor."""
    parent = tree.parent[node]
    if isinstance(parent, ast.Attribute) and parent.attr in ("T", "mT"):
        node, parent = parent, tree.parent[parent]
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult):
        return parent.lineno
    if isinstance(parent, ast.Attribute) and parent.attr == "dot":  # inv(a).dot(b)
        return parent.lineno
    if isinstance(parent, ast.Call) and node in parent.args:
        called = parent.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in _PRODUCTS:
            return parent.lineno
    return None


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
