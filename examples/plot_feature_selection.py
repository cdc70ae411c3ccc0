"""
Select columns by their information
===================================

`mutual_info_features` is a score for scikit-learn's `SelectKBest`. Column by column it does what scikit-learn's
`mutual_info_classif` does, also for text, tells weak columns from noise, and costs more. Only ``jointly`` sees columns
that say something together.
"""

# %%
# Columns that say something alone: eight columns see each factor that the class depends on.

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.model_selection import train_test_split

from sklearn_dim import mutual_info_features
from sklearn_dim.datasets import make_grouped_features


def from_classif(X, y):
    return mutual_info_classif(X, y, random_state=0)


def from_columns(X, y):
    return mutual_info_features(X, y, random_state=0)


def from_all(X, y):
    return mutual_info_features(X, y, jointly=True, random_state=0)


scores = {
    "mutual_info_classif": from_classif,
    "mutual_info_features": from_columns,
    "mutual_info_features, jointly": from_all,
}


def compare(X, y, k):
    """Choose k columns on half of the rows, use them on the other half."""
    rows, values = {}, {}
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, random_state=0, stratify=y
    )
    for name, score in scores.items():
        start = time.perf_counter()
        select = SelectKBest(score, k=k).fit(X_train, y_train)
        seconds = time.perf_counter() - start
        forest = RandomForestClassifier(random_state=0).fit(
            select.transform(X_train), y_train
        )
        rows[name] = {
            "accuracy": forest.score(select.transform(X_test), y_test),
            "seconds to choose": seconds,
        }
        values[name] = select.scores_
    print(pd.DataFrame(rows).T.round(3))
    return values


X, y, groups = make_grouped_features(
    800, n_factors=3, group_size=4, random_state=0
)
compare(X, y, k=6)

# %%
# All three choose about as well, and scikit-learn's score is by far the quickest: it is the one to take here.

# %%
# An exclusive or: columns 0 and 1 say nothing alone, and everything together. The other eight are noise.

rng = np.random.default_rng(0)
X = rng.normal(size=(1200, 10))
y = (X[:, 0] * X[:, 1] > 0).astype(int)
values = compare(X, y, k=2)

# %%
# Only ``jointly`` finds the two columns. But of two copies it gives each nothing, as the other stands in for it: for
# tables with repeated columns it is the wrong choice.

figure, axes = plt.subplots(
    1, 3, figsize=(11, 3), sharey=True, layout="constrained"
)
for ax, (name, nats) in zip(axes, values.items(), strict=True):
    ax.bar(range(10), nats, color=["#e76300"] * 2 + ["#3f90da"] * 8)
    ax.set(title=name, xlabel="column", xticks=range(10))
axes[0].set_ylabel("information about y, nats")
plt.show()
