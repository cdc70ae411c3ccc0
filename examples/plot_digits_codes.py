"""
Features of digits, learnt without labels
=========================================

`DIMTransformer` learns from images alone; a logistic regression on its output then needs few labels. The data are
scikit-learn's digits and their one-pixel nudges.
"""

# %%
# Images of 1200 digits and their nudges to learn from, and 597 other digits to classify.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.preprocessing import FunctionTransformer

from sklearn_dim import DIMTransformer
from sklearn_dim.datasets import load_nudged_digits
from sklearn_dim.inspection import EmbeddingDisplay, TrainingCurveDisplay

X, y = load_nudged_digits()
row = np.arange(len(X))
digit = row % 1797  # rows that are nudges of one another
train, test = digit < 1200, (digit >= 1200) & (row < 1797)
X_train, y_train, X_test, y_test = X[train], y[train], X[test], y[test]

# %%
# No representation sees a label. ``image_shape`` says that a row is an image of one channel.

dim = DIMTransformer(
    image_shape=(1, 8, 8), max_iter=6, early_stopping=True, random_state=0
)
representations = {
    "pixels": FunctionTransformer(),
    "PCA(32, whiten=True)": PCA(32, whiten=True, random_state=0),
    "DIMTransformer()": dim,
}
for representation in representations.values():
    representation.fit(X_train)

# %%
# The classifier is the same for all, once with all labels, once with 100.

few = np.random.default_rng(0).choice(1200, 100, replace=False)
accuracy = pd.DataFrame(
    index=list(representations),
    columns=["100 labels", "all labels"],
    dtype=float,
)
for name, representation in representations.items():
    for labels, rows in {"100 labels": few, "all labels": slice(None)}.items():
        classifier = LogisticRegression(max_iter=1000)
        classifier.fit(representation.transform(X_train[rows]), y_train[rows])
        accuracy.loc[name, labels] = classifier.score(
            representation.transform(X_test), y_test
        )
print(accuracy.round(3))

# %%
# With 100 labels it is nine points ahead of the pixels, with all labels twelve: a linear classifier on pixels does not
# gain from more of them, one on what was learnt does.

figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
accuracy.plot.barh(ax=ax, color=["#92dadd", "#3f90da"], xlim=(0, 1))
ax.set(xlabel="accuracy on unseen digits")
ax.invert_yaxis()
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %%
# The unseen digits, brought to two dimensions by t-SNE. The transformer was never told that there are ten kinds.

plane = TSNE(random_state=0).fit_transform(dim.transform(X_test))
display = EmbeddingDisplay.from_codes(plane, y_test)
plt.show()

# %%
# How the training went: with ``early_stopping`` a tenth of the rows is held out, and the best epoch is kept.

display = TrainingCurveDisplay.from_estimator(dim)
plt.show()

# sphinx_gallery_thumbnail_number = 2
