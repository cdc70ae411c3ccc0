"""
How far to trust an estimate of mutual information
==================================================

`MutualInfoEstimator` values every row by a critic that never saw it, and gives an interval, a lower bound and a test.
Here the truth is known, so that all of them can be checked.
"""

# %%
# Gaussian pairs of two columns each, with 0.1 to 3 nats between them.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_dim import MutualInfoEstimator
from sklearn_dim.datasets import make_gaussian_pair
from sklearn_dim.inspection import (
    InformationDisplay,
    PointwiseInformationDisplay,
)

truths = np.array([0.1, 0.5, 1.0, 2.0, 3.0])
fits = []
for seed, truth in enumerate(truths):
    x, y = make_gaussian_pair(600, 2, mutual_info=truth, random_state=seed)
    fits.append(MutualInfoEstimator(random_state=0).fit(x, y))
    low, high = fits[-1].confidence_interval()
    print(
        f"truth {truth:.1f} nats: estimate {fits[-1].mutual_info_:.2f}, "
        f"95 % from {low:.2f} to {high:.2f}, "
        f"lower bound {fits[-1].lower_bound_:.2f}"
    )

# %%
# The intervals cover the truth here, all five. The estimate is a plug-in, neither an upper nor a lower bound. The
# triangles are lower bounds in expectation: report them where "at least" is what you claim. They have noise too, so a
# single one may be above the truth, as that of the first pair is.

display = InformationDisplay.from_estimators(fits, truth=truths)
plt.show()

# %%
# Is there anything at all? A permutation test, on rows that its critic never saw. The first pair is dependent, the
# second is not. A p-value is no estimate: 0.001 is the least that 999 permutations can give.

x, y = make_gaussian_pair(600, 2, mutual_info=0.0, random_state=9)
nothing = MutualInfoEstimator(random_state=0).fit(x, y)
print(
    f"0.5 nats: p = {fits[1].p_value():.3f};  "
    f"0 nats: p = {nothing.p_value():.3f}"
)
print(
    f"independent columns: estimate {nothing.mutual_info_:.3f} nats, "
    "which may be negative"
)

# %%
# Which rows carry the information? The pointwise mutual information of new rows says it, and its mean is the estimate.

x, y = make_gaussian_pair(1400, mutual_info=1.0, random_state=0)
mi = MutualInfoEstimator(random_state=0).fit(x[:700], y[:700])
display = PointwiseInformationDisplay.from_estimator(mi, x[700:], y[700:])
plt.show()

# %%
# Rows far out on the diagonal are what chance would hardly have brought together; those off the diagonal are rarer than
# chance would have them.

display = PointwiseInformationDisplay.from_estimator(
    mi, x[700:], y[700:], kind="scatter"
)
plt.show()
