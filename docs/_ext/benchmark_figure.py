"""Draw a picture from a CSV file of benchmarks/: the directive ``benchmark-figure`` with the name of the file."""

import pathlib

import matplotlib
import pandas as pd
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
COLORS = {"10 %": "#9ecae1", "all": "#08519c"}
NAMES = {
    "untrained": "DIMTransformer, untrained",
    "the code alone": "DIMTransformer, code alone",
    "encoder='tokens'": "DIMTransformer, tokens",
    "the same, scaled": "400 random patches, scaled",
}


def draw(csv: pathlib.Path, picture: pathlib.Path):
    """Draw a panel for each kind of data, with two bars for each method."""
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    table = pd.read_csv(csv).replace({"method": NAMES})
    kinds = list(dict.fromkeys(table["kind"]))
    figure, axes = plt.subplots(
        2, (len(kinds) + 1) // 2, figsize=(10, 6.4), layout="constrained"
    )
    for ax, kind in zip(axes.flat, kinds, strict=True):
        part = table[table["kind"] == kind].set_index("method")[list(COLORS)]
        part.sort_values("10 %").plot.barh(
            ax=ax, color=list(COLORS.values()), width=0.75, legend=False
        )
        for label in ax.get_yticklabels():
            label.set_fontweight(
                "bold" if label.get_text() == "DIMTransformer()" else "normal"
            )
        ax.set(
            title=kind,
            xlabel="accuracy, %",
            ylabel="",
            xlim=(max(0, part.min().min() - 10), 100),
        )
    figure.legend(
        ["a tenth of the labels", "all labels"],
        loc="outside upper center",
        ncols=2,
        frameon=False,
    )
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


class BenchmarkFigure(SphinxDirective):
    """The directive."""

    required_arguments = 1

    def run(self):
        """Draw the picture if the file is newer, and put it here."""
        (name,) = self.arguments
        csv = BENCHMARKS / f"{name}.csv"
        picture = (
            pathlib.Path(self.env.srcdir) / "_static" / "drawn" / f"{name}.png"
        )
        self.env.note_dependency(str(csv))
        if (
            not picture.exists()
            or picture.stat().st_mtime < csv.stat().st_mtime
        ):
            draw(csv, picture)
        best = "Horizontal bars, one panel for each kind of data; the numbers are in the tables below."
        return [nodes.image(uri=f"/_static/drawn/{picture.name}", alt=best)]


def setup(app):
    """Add the directive."""
    app.add_directive("benchmark-figure", BenchmarkFigure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
