# SPDX-License-Identifier: BSD-2-Clause
"""One SVG for each subject, by gnuplot: a panel for each table."""
import shutil
import subprocess

from figures import is_numeric, shown, sides, xs

PANELS = 6
COLOURS = ["#0b5cad", "#d1495b", "#edae49", "#2e8b57", "#8e6bbf", "#555555", "#00a0a0"]


def spans(values, decades=2):
    values = [value for value in values if value > 0]
    return bool(values) and max(values) / min(values) >= 10**decades


def panels(bench):
    """Tables with numbers on both axes say most; the others stand in where there are none."""
    numeric = [table for table in bench["tables"] if is_numeric(table) and len(xs(table)) > 1]
    others = [table for table in bench["tables"] if not is_numeric(table)]
    return (numeric or others or bench["tables"])[:PANELS]


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("_", "\\\\_") + '"'


def panel(table, index):
    """The commands for one panel, with its data in front."""
    lines, curves = [], []
    values = [row["median"] for row in table["rows"]]
    numeric = is_numeric(table)
    for s, who in enumerate(sides(table)):
        block = f"$data{index}_{s}"
        lines.append(f"{block} << EOD")
        for i, x in enumerate(shown(table)):
            for row in table["rows"]:
                if row["x"] == x and row["who"] == who:
                    lines.append(f"{x if numeric else i} {row['median']} {row['low']} {row['high']}")
        lines.append("EOD")
        style = f'lc rgb "{COLOURS[s % len(COLOURS)]}" lw {3 if s == 0 else 1.5} pt {7 if s == 0 else 6} ps 0.5'
        curves.append(f"{block} using 1:2:3:4 with yerrorbars {style} notitle")
        curves.append(f"{block} using 1:2 with {'linespoints' if numeric else 'points'} {style} title {quote(who)}")
    lines += ["unset logscale", "set format", "set xtics auto norotate", "set xrange [*:*]", "set yrange [0:*]"]
    if numeric and spans([float(x) for x in xs(table)]):
        lines += ["set logscale x", 'set format x "%.0s%c"']
    if not numeric:
        names = ", ".join(f"{quote(x)} {i}" for i, x in enumerate(shown(table)))
        lines += [f"set xtics rotate by 30 right ({names})", f"set xrange [-0.5:{len(shown(table)) - 0.5}]"]
    if spans(values):
        lines += ["set logscale y", "set yrange [*:*]"]
    lines += [f"set title {quote(table['title'])}", f"set xlabel {quote(table['x'])}", f"set ylabel {quote(table['unit'])}",
              "plot " + ", \\\n  ".join(curves)]
    return lines


def draw(bench, path):
    """returns: whether there is a plot."""
    tables = panels(bench)
    gnuplot = shutil.which("gnuplot")
    if not tables:
        return False
    if not gnuplot:
        print(f"no {path.name}: gnuplot is missing (gnuplot-nox)")
        return False
    script = [f"set terminal svg size 820,{330 * len(tables)} font 'sans-serif,12' background 'white'",
              f"set output '{path}'", "set grid lc rgb '#dddddd'", "set key outside right top",
              f"set multiplot layout {len(tables)},1"]
    for i, table in enumerate(tables):
        script += panel(table, i)
    script += ["unset multiplot"]
    subprocess.run([gnuplot], input="\n".join(script) + "\n", text=True, check=True)
    path.write_text("".join(line.rstrip() + "\n" for line in path.read_text().split("\n")).rstrip("\n") + "\n")
    return True
