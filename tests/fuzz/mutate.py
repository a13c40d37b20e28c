"""Alterations of bytes, cells and JSON, drawn from one generator and so the same for its seed."""

import copy
import json
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NUMBERS",
    "TEXTS",
    "mutated_bytes",
    "mutated_cells",
    "mutated_json",
    "mutated_text",
    "written_json",
]

NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2, 3.5, -0.0, 0.5, 1e-300, 5e-324, 1e300, 1.7e308, 1e60, 1e59, -1e300, 1e18),
    *(2**31, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**40, 10**400, -(10**400)),
    *(float("nan"), float("inf"), float("-inf")),
)
TEXTS: tuple[str, ...] = (
    *(
        "",
        " ",
        "0",
        "1",
        "-1",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "1e400",
        "1e-400",
        "5e-324",
    ),
    *(
        "1e300",
        "1,5",
        "1.000.000",
        "0x10",
        "1_000",
        "٣",
        "½",
        "true",
        "None",
        "null",
        "NA",
        "#REF!",
    ),
    *("=1+1", "@x", "+", "-", "2 USD/hour", "1e22 FLOP", "7 B", "%", "50%", "1e22 FLOP**99"),
    *(
        "\x00",
        "a\x00b",
        "\x1b[31m",
        "\r",
        "a\nb",
        "a\tb",
        '"',
        "'",
        '""',
        ",",
        ";",
        "\\",
        "{}",
        "[]",
    ),
    *("$x^2$", "$", "\\frac{", "<script>", "&amp;", "{family}", "%s", "{0}", "__class__", "../x"),
    *("\ud800", "\u202e", "\ufeff", "é" * 300, "x" * 20_000, "9" * 5000, "1e99999", "😀", "ß", "İ"),
)
_SHORT = 60
_BYTES = (0x00, 0x0A, 0x0D, 0x22, 0x2C, 0x2D, 0x30, 0x39, 0x7B, 0x80, 0xC3, 0xED, 0xFF)


def mutated_bytes(rng: Random, data: bytes) -> bytes:
    """Bytes flipped, cut, repeated, inserted, or pieces exchanged."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8, 30))):
        where = rng.randrange(len(content) + 1)
        size = rng.choice((1, 1, 2, 4, 16, 100))
        way = rng.randrange(7)
        if way == 0 and content:
            place = rng.randrange(len(content))
            content[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            del content[where : where + size]
        elif way == 2:
            content[where:where] = bytes(rng.choices(_BYTES, k=size))
        elif way == 3:
            content[where : where + size] = bytes(rng.randrange(256) for _ in range(size))
        elif way == 4:
            content[where:where] = content[where : where + size] * rng.choice((1, 3, 50))
        elif way == 5:
            other = rng.randrange(len(content) + 1)
            content[where : where + size] = content[other : other + size]
        elif rng.random() < 0.3:
            del content[where:]
    return bytes(content)


def mutated_text(rng: Random, text: str) -> str:
    """One run of digits or letters in a text exchanged for something odd."""
    places = [i for i, ch in enumerate(text) if ch.isalnum()]
    if not places:
        return rng.choice(TEXTS)
    start = rng.choice(places)
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] in ".+-_"):
        end += 1
    return text[:start] + _odd_text(rng) + text[end:]


def _odd_text(rng: Random) -> str:
    return rng.choice(TEXTS) if rng.random() < 0.5 else _number_text(rng)


def _number_text(rng: Random) -> str:
    number = rng.choice(NUMBERS)
    return str(number) if not isinstance(number, int) or abs(number) < 10**50 else "9" * 400


def mutated_cells(rng: Random, rows: list[list[Any]]) -> list[list[Any]]:
    """A table, header first, with cells, rows or columns altered."""
    table = copy.deepcopy(rows)
    for _ in range(rng.choice((1, 1, 2, 3, 10))):
        row = rng.randrange(len(table)) if rng.random() < 0.2 else rng.randrange(1, len(table))
        column = rng.randrange(len(table[0]))
        if rng.random() < 0.7:
            _alter_cells(rng, table, row, column)
        else:
            _alter_lines(rng, table, row, column)
    return table


def _alter_cells(rng: Random, table: list[list[Any]], row: int, column: int) -> None:
    way = rng.randrange(7)
    odd = rng.choice((*TEXTS, *NUMBERS, None, True))
    if way <= 4:
        _set(table, row, column, odd)
    elif way == 5:
        _set(table, row, column, mutated_text(rng, str(_get(table, row, column))))
    else:
        for index in range(1, len(table)):
            _set(table, index, column, odd)


def _alter_lines(rng: Random, table: list[list[Any]], row: int, column: int) -> None:
    way = rng.randrange(3)
    if way == 0:
        table.insert(row, list(table[row]))
    elif way == 1 and len(table) > 2:
        del table[row]
    elif len(table[0]) > 1:
        for line in table:
            del line[column : column + 1]


def _get(table: list[list[Any]], row: int, column: int) -> Any:
    return table[row][column] if column < len(table[row]) else ""


def _set(table: list[list[Any]], row: int, column: int, value: Any) -> None:
    if row < len(table) and column < len(table[row]):
        table[row][column] = value


def mutated_json(rng: Random, content: Any) -> Any:
    """A value of JSON with one to three of its parts altered."""
    result = copy.deepcopy(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        found = [(holder, key) for holder, key in _parts(result)]
        if not found:
            return result
        # Deep lists of alike rows would else take nearly all of the alterations.
        shallow = [part for part in found if isinstance(part[0], dict)]
        holder, key = rng.choice(shallow if shallow and rng.random() < 0.7 else found)
        _alter(rng, holder, key)
    return result


def _parts(value: Any) -> list[tuple[Any, Any]]:
    """Every place within nested dictionaries and lists: what holds it, and its key."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in list(keys)[:_SHORT]:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def _alter(rng: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    ways: list[Callable[[], Any]] = [
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(TEXTS),
        lambda: rng.choice((None, True, False, [], {}, [None], [[]], {"": None})),
        lambda: _nested(rng.choice((3, 100, 3000))),
        lambda: _near(rng, value),
        lambda: _near(rng, value),
    ]
    way = rng.randrange(len(ways) + 3)
    if way < len(ways):
        holder[key] = ways[way]()
    elif way == len(ways):
        del holder[key]
    elif isinstance(holder, dict):
        holder[rng.choice((str(key).upper(), f"{key} ", "more", ""))] = value
        if rng.random() < 0.5:
            del holder[key]
    else:
        holder[key:key] = [value] * rng.choice((1, 2, 40))


def _near(rng: Random, value: Any) -> Any:
    """Something of the same type that may still pass."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        if not abs(value) < 1e300:
            return -value
        return rng.choice((-value, 0, value * 10, value / 10, value + 1, int(value), 1e-9 * value))
    if isinstance(value, str):
        return rng.choice((value.upper(), value + "x", value[:-1], mutated_text(rng, value)))
    if isinstance(value, list):
        shuffled = list(value)
        rng.shuffle(shuffled)
        return rng.choice((value[:1], [], value + value, shuffled, value[::-1], value[:-1]))
    return rng.choice(({}, dict.fromkeys(value), dict(reversed(value.items()))))


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def written_json(rng: Random, content: Any) -> bytes:
    """JSON as bytes, NaN and infinity written as Python writes them; seldom a key stands twice."""
    try:
        text = json.dumps(content)
    except RecursionError:
        text = "[" * 5000 + "]" * 5000
    except ValueError:  # integers of more digits than Python writes
        text = json.dumps(content, default=str)
    if rng.random() < 0.03 and text.startswith("{"):
        text = '{"schema": 1, ' + text[1:]
    return text.encode("utf-8", "surrogatepass")
