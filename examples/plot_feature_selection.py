"""
Feature selection by mutual information
=======================================

Which columns say something about the class? `mutual_info_features` is a score for scikit-learn's `SelectKBest`.
With ``jointly=True`` it also finds columns that say something only together.
"""

# %%
# An exclusive or: columns 0 and 1 say nothing alone, and everything together. The other eight are noise. Columns are
# chosen on half of the rows; a random forest uses them on the other half.

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
        forest = RandomForestClassifier(random_state=0)
        forest.fit(select.transform(X_train), y_train)
        rows[name] = {
            "accuracy": forest.score(select.transform(X_test), y_test),
            "seconds to choose": seconds,
        }
        values[name] = select.scores_
    print(pd.DataFrame(rows).T.round(3))
    return pd.DataFrame(values)


rng = np.random.default_rng(0)
X = rng.normal(size=(1200, 10))
y = (X[:, 0] * X[:, 1] > 0).astype(int)
values = compare(X, y, k=2)

# %%
# Only ``jointly`` finds the two columns. But of two copies of a column it gives each nothing, as the other can replace
# it: for tables with repeated columns it is the wrong choice.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
values.plot.bar(ax=ax, color=["#e76300", "#92dadd", "#3f90da"], rot=0)
ax.set(xlabel="column", ylabel="information about y, nats")
plt.show()

# %%
# Columns that say something alone: four columns depend on each of the factors that make the class.

X, y, groups = make_grouped_features(
    800, n_factors=3, group_size=4, random_state=0
)
values = compare(X, y, k=6)

# %%
# Here all three choose about as well, and scikit-learn's score is by far the quickest: take it. `mutual_info_features`
# also takes text, dates and classes. `MutualInfoSelector` adds intervals and p-values.
