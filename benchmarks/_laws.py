"""Laws of data as they come, (x, y) in the types users have, whose mutual information is exact.

`LAWS` are of all the kinds that users bring: zeros, codes for missing values, censoring, rounding, ages and codes,
counts, flags, text, classes, types, copies, bounded, periodic, tails, mixtures, several columns, wide, independent.
`WIDE` are wider, for coverage. Each law checks its truth by a second computation, `Law.check`.
"""

import zlib

import numpy as np
from _law_tools import Law, sorted_rows
from _laws_atoms import LAWS as ATOMS
from _laws_columns import LAWS as SEVERAL
from _laws_columns import WIDE
from _laws_counts import LAWS as COUNTS
from _laws_discrete import LAWS as DISCRETE
from _laws_numbers import LAWS as NUMBERS
from _laws_types import LAWS as TYPES

LAWS: list[Law] = [*ATOMS, *COUNTS, *DISCRETE, *TYPES, *NUMBERS, *SEVERAL]

# Ten laws of ten kinds, for `--quick`.
QUICK = [
    "gene with zeros × three cell types",
    "marker, missing as -999, × ill",
    "length in coarse steps × number",
    "age in years × three classes",
    "counts × counts of one household",
    "flag of 4% × its copy",
    "city × state",
    "number × 12 classes",
    "uniform × itself, noise 0.02",
    "independent: zeros × zeros",
]

ORDERS = ("shuffled", "by x", "by y")


def rows_of(law: Law, seed: int, order: str, n: int):
    """Return x, y and groups of a law, in one of `ORDERS`: the same rows whatever the order."""
    rng = np.random.default_rng([seed, zlib.crc32(law.name.encode())])
    tables = law.sample_with_groups(rng, n)
    return tables if order == "shuffled" else sorted_rows(*tables, by=ORDERS.index(order) - 1)


__all__ = ["LAWS", "ORDERS", "QUICK", "WIDE", "Law", "rows_of", "sorted_rows"]
