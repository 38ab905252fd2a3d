"""Find a recorded call in the program's text, and what the text does with the result."""

import ast
import functools
import linecache
from dataclasses import dataclass
from itertools import islice
from types import CodeType

__all__ = ["Call", "find_call"]

_LONGEST = 60
_OPERANDS = {"a", "b", "A", "B"}  # PyTorch has capitals
_PRODUCTS = {"dot", "matmul"}


@dataclass(frozen=True)
class Call:
    """A call as it is written.

    `column` counts from 1. `multiplied` is the line where the result is a factor of a product:
    that of the call itself, or of a name to which the function assigns it; None if neither is
    seen, which does not prove that it is not multiplied elsewhere. `name` is that name.
    `operands` are the texts of its operands if it has nothing else; `instead` is what to write in
    place of the call, or, where its result is multiplied, in place of the product.
    """

    text: str
    column: int | None = None
    multiplied: int | None = None
    name: str | None = None
    operands: tuple[str, ...] | None = None
    instead: str | None = None
    is_dot: bool = False  # which sums otherwise than @ where an operand has three axes or more


def find_call(code: CodeType, instruction: int, line: int, ours: str = "smartsolve.solve") -> Call:
    """The call that an instruction of the code makes; at least the text of its line.

    `ours` is the function that stands for a solve.
    """
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
            product, name = _multiplied(node, tree)
            return Call(
                _shortened(ast.unparse(node)),
                column + 1,
                None if product is None else product.line,
                name,
                _operands(node),
                _solve_instead(node, ours) if product is None else product.instead(node),
                product is not None and product.is_dot,
            )
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


@dataclass(frozen=True)
class _Product:
    """A product with an inverse: on which side it stands, the other factor, and what it is."""

    line: int
    other: ast.AST
    from_left: bool
    transposed: bool
    is_dot: bool

    def instead(self, inverse: ast.Call) -> str | None:
        """What gives the same: inv(a) @ b is solve(a, b), b @ inv(a) is mrdivide(b, a)."""
        operands = _operands(inverse)
        if operands is None or len(operands) != 1 or _is_starred(self.other):
            return None
        a, b = operands[0], ast.unparse(self.other)
        if self.from_left:
            return f"smartsolve.solve({a}, {b}{', transposed=True' * self.transposed})"
        transposed = f"np.swapaxes({a}, -1, -2)" if self.transposed else a
        return f"smartsolve.mrdivide({b}, {transposed})"


def _operands(call: ast.Call) -> tuple[str, ...] | None:
    """Texts of the operands a and b, in this order; None where there is more, or it is hidden."""
    given = dict(zip("ab", call.args, strict=False))
    words = {word.arg: word.value for word in call.keywords if word.arg}
    given |= {name.lower(): words[name] for name in words if name in _OPERANDS}
    if len(given) != len(call.args) + len(call.keywords) or any(map(_is_starred, call.args)):
        return None
    return tuple(ast.unparse(given[name]) for name in sorted(given))


def _solve_instead(call: ast.Call, ours: str) -> str | None:
    """The same call of our solve, options and all: SciPy's are ours."""
    if len(call.args) > 2:
        return None
    words = [
        ast.keyword(word.arg.lower() if word.arg in _OPERANDS else word.arg, word.value)
        for word in call.keywords
    ]
    renamed = ast.Call(ast.Name(ours), call.args, words)
    return ast.unparse(renamed)


def _is_starred(node: ast.AST) -> bool:
    return isinstance(node, ast.Starred)


def _multiplied(node: ast.AST, tree: _Tree) -> tuple[_Product | None, str | None]:
    """The product of which the value of a node is a factor, and under which name."""
    if (product := _factor(node, tree)) is not None:
        return product, None
    statement = tree.parent[node]
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return None, None
    name = statement.targets[0].id
    for use in ast.walk(tree.scope(statement)):
        if isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load):
            product = _factor(use, tree)
            if product is not None:
                return product, name
    return None, None


def _factor(node: ast.AST, tree: _Tree) -> _Product | None:
    """The product of which a node, or its transpose, is a factor."""
    parent = tree.parent[node]
    transposed = isinstance(parent, ast.Attribute) and parent.attr in ("T", "mT")
    if transposed:
        node, parent = parent, tree.parent[parent]
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult):
        from_left = node is parent.left
        other = parent.right if from_left else parent.left
        return _Product(parent.lineno, other, from_left, transposed, is_dot=False)
    if isinstance(parent, ast.Attribute) and parent.attr == "dot":  # inv(a).dot(b)
        call = tree.parent[parent]
        if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
            return _Product(call.lineno, call.args[0], True, transposed, is_dot=True)
    if isinstance(parent, ast.Call) and node in parent.args and not parent.keywords:
        called = parent.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in _PRODUCTS and len(parent.args) == 2:
            from_left = node is parent.args[0]
            other = parent.args[1 if from_left else 0]
            return _Product(parent.lineno, other, from_left, transposed, name == "dot")
        if name == "dot" and len(parent.args) == 1 and isinstance(called, ast.Attribute):
            return _Product(parent.lineno, called.value, False, transposed, is_dot=True)
    return None


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
