"""Small mutations of Python code, each as text in the place of other text: what a hand does that slips."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}
SMALL = 16  # numbers up to here become one more, larger ones twice as much
EITHER_WAY = {"max", "min", "compare_digest", "suppress"}
SAYS_NOTHING = {"slots", "kw_only", "repr", "eq", "strict", "frozen"}  # keywords that only keep programmers from mistakes


@dataclass(frozen=True)
class Mutation:
    """`text[start:end]` becomes `new`, in line `line`."""

    start: int
    end: int
    line: int
    new: str

    def applied(self, text: str) -> str:
        """The whole text, mutated."""
        return text[:self.start] + self.new + text[self.end:]

    def shown(self, text: str) -> tuple[str, str]:
        """The lines it changes, before and after, without what stands before them."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end) if "\n" in text[self.end:] else len(text)
        after = text[first:self.start] + self.new + text[self.end:last]
        return " ".join(text[first:last].split()), " ".join(after.split())


def mutations(text: str) -> list[Mutation]:
    """Every one there is, in the order of the text. Types, strings, constants with a name and asserts stay as they are."""
    lines = text.splitlines(keepends=True)
    begins = [0]
    for line in lines:
        begins.append(begins[-1] + len(line))

    def at(line: int, column: int) -> int:
        return begins[line - 1] + len(lines[line - 1].encode()[:column].decode())

    found = []
    for node, new in _changed(ast.parse(text)):
        found.append(Mutation(at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset), node.lineno, new))
    return sorted(found, key=lambda one: (one.start, one.end, one.new))


def _changed(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in _walked(tree):
        for new in _others(node):
            bare = isinstance(new, ast.stmt | ast.Constant | ast.Call)
            yield node, ast.unparse(new) if bare else f"({ast.unparse(new)})"


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "bases"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                yield from _walked(child)


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    if isinstance(node, ast.Assign):
        return any(isinstance(part, ast.Name) and _is_constant_or_type(part.id) for part in ast.walk(node.targets[0]))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lru_cache":
        return True
    return isinstance(node, ast.JoinedStr | ast.Assert | ast.pattern) or (
        isinstance(node, ast.keyword) and node.arg in SAYS_NOTHING)


def _is_constant_or_type(name: str) -> bool:
    """A bound with a name, which benches and vectors hold (twice as much is another measure); or a type, which looks like
    a sum."""
    return name.isupper() or name.istitle() or name == "__slots__"


def _others(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    yield from _other_conditions(node)
    yield from _other_values(node)
    yield from _other_steps(node)


def _other_conditions(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, operators, rights):
            for place, operator in enumerate(operators):
                yield ast.Compare(left, [*operators[:place], OTHER[type(operator)](), *operators[place + 1:]], rights)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(OTHER[type(operator)](), values)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)


def _other_values(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, operator, right) if type(operator) in OTHER and not _is_text(left) and not _is_text(right):
            yield ast.BinOp(left, OTHER[type(operator)](), right)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1 if value <= SMALL else 2 * value)
        case ast.Call(function, [first, second, *others], keywords) if _matters_which_is_first(function, first, second):
            yield ast.Call(function, [second, first, *others], keywords)


def _other_steps(node: ast.AST) -> Iterator[ast.stmt]:
    match node:
        case ast.Return(value) if value is not None and not (isinstance(value, ast.Constant) and not value.value):
            yield ast.Return(ast.Constant(None))
        case (ast.Expr(ast.Call()) | ast.Raise() | ast.Continue() | ast.Break() | ast.AugAssign() | ast.Delete()
              | ast.Assign([ast.Attribute() | ast.Subscript()])):
            yield ast.Pass()


def _matters_which_is_first(function: ast.expr, first: ast.expr, second: ast.expr) -> bool:
    if isinstance(first, ast.Starred) or isinstance(second, ast.Starred) or ast.dump(first) == ast.dump(second):
        return False
    return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")) not in EITHER_WAY


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
