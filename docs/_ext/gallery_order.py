"""The order of the gallery: what works best, then how to choose, then what is compared."""

ORDER = [
    "plot_digits_codes.py",
    "plot_sequences.py",
    "plot_feature_selection.py",
    "plot_trust_an_estimate.py",
    "plot_graph_nodes.py",
    "plot_choose_without_labels.py",
    "plot_choose_a_bound.py",
    "plot_tissue.py",
    "quickstart.py",
]


def place(filename):
    """Return the place of a file; files that are not listed come last, by name."""
    return (
        ORDER.index(filename) if filename in ORDER else len(ORDER),
        filename,
    )
