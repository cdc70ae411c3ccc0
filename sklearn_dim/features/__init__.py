"""Which columns of X say something about y: `MutualInfoSelector`, `mutual_info_features`.

================== ================================================================
`_codes.py`        columns as the input of critics
`_critics.py`      critics of all columns, trained on one half of the rows
`_pairs.py`        nearest neighbours and tables of counts
`_independence.py` permutation tests
`_table.py`        all of these together: scores, intervals, p-values
================== ================================================================
"""

from sklearn_dim.features._scores import mutual_info_features
from sklearn_dim.features._selector import MutualInfoSelector

__all__ = ["MutualInfoSelector", "mutual_info_features"]
