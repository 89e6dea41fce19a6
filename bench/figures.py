# SPDX-License-Identifier: BSD-2-Clause
"""What the JSON of bench/measure.h says."""
import json
from pathlib import Path

OURS = "jitframe"
SPREAD = 0.1  # quartiles by median; more than that is said


def read(folder, name):
    return json.loads((Path(folder) / f"{name}.json").read_text())


def number(value):
    """Three digits: 0.0123, 1.23, 12.3, 123, 12,300."""
    size = abs(value)
    if size >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if size >= 0.001 or not size else f"{value:.1e}"


def spread(row):
    return (row["high"] - row["low"]) / row["median"] if row["median"] > 0 else 0


def sides(table):
    """Names of the sides in the order of their first rows."""
    return list(dict.fromkeys(row["who"] for row in table["rows"]))


def xs(table):
    return list(dict.fromkeys(row["x"] for row in table["rows"]))


ROWS = 24  # more than that nobody reads


def shown(table):
    """What a page or a plot has room for: all, or the last one, which is the sum."""
    return xs(table) if len(xs(table)) <= ROWS else xs(table)[-1:]


def is_numeric(table):
    return all(x.isdigit() for x in xs(table))


def cell(row):
    if row is None:
        return "-"
    text = number(row["median"])
    if row["runs"] > 1:
        text += f" ({number(row['low'])} to {number(row['high'])})"
    if row["who"] != OURS and "ratio" in row:
        text += f", {number(row['ratio'])}x"
    return text + (" !" if spread(row) > SPREAD else "")
