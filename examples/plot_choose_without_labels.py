"""
Choose a representation without labels
======================================

Without labels there is no accuracy to choose by. `make_information_scorer` scores a transformer by how much its code of
noisy rows keeps of the rows, so that a grid search needs no y.
"""

# %%
# Six candidates for the digits. The search never sees a label.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_dim import DIMTransformer
from sklearn_dim.metrics import make_information_scorer

X, y = load_digits(return_X_y=True)
sizes = [2, 8, 32]
candidates = [PCA(size, whiten=True, random_state=0) for size in sizes]
candidates += [
    DIMTransformer(
        size,
        representation="code",
        image_shape=(1, 8, 8),
        max_iter=5,
        random_state=0,
    )
    for size in sizes
]
pipeline = Pipeline([("code", "passthrough")])
search = GridSearchCV(
    pipeline,
    {"code": candidates},
    scoring=make_information_scorer(),
    cv=2,
    refit=False,
)
search.fit(X[:1200])

# %%
# Were they right? With labels the accuracy of a linear classifier on other digits can be looked at beside.

names = [
    f"{type(candidate).__name__}({candidate.n_components})"
    for candidate in candidates
]
table = pd.DataFrame(
    {"information, nats": search.cv_results_["mean_test_score"]}, index=names
)
table["accuracy"] = [
    Pipeline([("code", candidate), ("clf", LogisticRegression())])
    .fit(X[:1200], y[:1200])
    .score(X[1200:], y[1200:])
    for candidate in candidates
]
print(table.round(3))
print("chosen without labels:", table["information, nats"].idxmax())
print("best with labels:     ", table["accuracy"].idxmax())
print("rank correlation:", round(table.corr("spearman").iloc[0, 1], 2))

# %%
# Among codes of one kind the score ranks as the labels do. Between kinds it is not so fair: PCA is made to keep as much
# of the pixels as it can, so PCA(32) was chosen, which with labels comes third. More components rarely score less.

figure, ax = plt.subplots(layout="constrained")
for kind, marker, color in (
    ("PCA", "s", "#e76300"),
    ("DIMTransformer", "o", "#3f90da"),
):
    rows = table[[name.startswith(kind) for name in table.index]]
    ax.plot(
        rows["information, nats"],
        rows["accuracy"],
        marker=marker,
        color=color,
        label=kind,
    )
    for size, (nats, accuracy) in zip(sizes, rows.to_numpy(), strict=True):
        ax.annotate(
            f"{size}",
            (nats, accuracy),
            xytext=(5, -12),
            textcoords="offset points",
        )
ax.set(
    xlabel="information that the code keeps, nats (no labels)",
    ylabel="accuracy (labels)",
)
ax.legend(title="components are written beside", loc="lower right")
plt.show()
