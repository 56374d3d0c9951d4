"""The condition of `--where`: comparisons of properties, joined by and, or and not.

A small language of its own, read with Python's parser and worked out on whole columns; nothing is
ever executed. A row that lacks a number which the condition names never meets it.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import InputError

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_CALCULATE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_Columns = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Condition:
    """A condition that was understood.

    Attributes
    ----------
    text : str
        As the user wrote it.
    names : tuple of str
        The properties it names, in order of appearance.
    """

    text: str
    names: tuple[str, ...]

    def meet(self, columns: _Columns) -> NDArray[np.bool_]:
        """Find the rows that meet it.

        Parameters
        ----------
        columns : mapping of str to (n,) float64
            At least the columns `names`; NaN where a number is missing.

        Returns
        -------
        (n,) bool
        """
        known = np.logical_and.reduce([~np.isnan(columns[name]) for name in self.names])
        with np.errstate(all="ignore"):
            return np.asarray(known & _meet(_parse(self.text), columns), dtype=bool)


def read_condition(text: str, known: Collection[str] | None = None) -> Condition:
    """Read a condition.

    Parameters
    ----------
    text : str
        Such as ``esol > -4 and not 0.2 < bbbp < 0.5``. A name that is no plain word stands between
        backquotes.
    known : collection of str or None
        Names of the properties there are; None if that was checked before.

    Returns
    -------
    Condition

    Raises
    ------
    InputError
        If it cannot be understood, names something unknown or no property at all.
    """
    tree = _parse(text)
    names = dict.fromkeys(_plain_name(n.id) for n in ast.walk(tree) if isinstance(n, ast.Name))
    unknown = [name for name in names if known is not None and name not in known]
    if unknown:
        raise InputError(
            f"--where {text!r} names {', '.join(unknown)}; see cmim score --list for what there is"
        )
    if not names:
        raise InputError(f"--where {text!r} names no property; see cmim score --list")
    condition = Condition(text, tuple(names))
    condition.meet({name: np.zeros(1) for name in names})  # says what is not understood
    return condition


def _parse(text: str) -> ast.expr:
    quoted = re.sub(r"`([^`]+)`", lambda found: _code_name(found.group(1)), text.strip())
    try:
        return ast.parse(quoted, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(
            f"--where {text!r} cannot be understood; write it like 'esol > -4 and bbbp > 0.5'"
        ) from None


def _code_name(name: str) -> str:
    return "_quoted_" + name.encode("utf-8").hex()


def _plain_name(name: str) -> str:
    code = name.removeprefix("_quoted_")
    return name if code == name else bytes.fromhex(code).decode("utf-8")


def _meet(node: ast.expr, columns: _Columns) -> Any:  # noqa: ANN401 - columns or one truth
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return np.logical_and.reduce([_meet(value, columns) for value in values])
        case ast.BoolOp(values=values):
            return np.logical_or.reduce([_meet(value, columns) for value in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_meet(operand, columns))
        case ast.Compare(left=left, ops=ops, comparators=rights) if set(map(type, ops)) <= set(
            _COMPARE
        ):
            sides = [_count(side, columns) for side in (left, *rights)]
            pairs = zip(ops, sides, sides[1:], strict=False)
            return np.logical_and.reduce([_COMPARE[type(op)](a, b) for op, a, b in pairs])
    raise _misunderstood(node, "a comparison")


def _count(node: ast.expr, columns: _Columns) -> Any:  # noqa: ANN401 - a column or one number
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return columns[_plain_name(name)]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_count(operand, columns)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _CALCULATE:
            return _CALCULATE[type(op)](np.asarray(_count(left, columns)), _count(right, columns))
    raise _misunderstood(node, "a number")


def _misunderstood(node: ast.expr, wanted: str) -> InputError:
    return InputError(
        f"--where: {ast.unparse(node)!r} is not {wanted}; write it like 'esol > -4 and bbbp > 0.5'"
    )
