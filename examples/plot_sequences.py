"""
Sequences: a motif at any place
===============================

Every sequence is noise with a short motif somewhere; the motif's shape is the class. As its place says nothing, linear
methods find little.
"""

# %%
# Arrays of three dimensions, (n_samples, channels, length), are sequences.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_dim import DIMTransformer
from sklearn_dim.datasets import make_motif_sequences
from sklearn_dim.inspection import EmbeddingDisplay

X, y = make_motif_sequences(2000, random_state=0)
X_train, X_test, y_train, y_test = X[:1000], X[1000:], y[:1000], y[1000:]

figure, axes = plt.subplots(
    4, 1, figsize=(7, 5), sharex=True, layout="constrained"
)
for label, ax in enumerate(axes):
    ax.plot(X_train[y_train == label][0].T, linewidth=1)
    ax.set_ylabel(f"class {label}")
axes[-1].set_xlabel("time")
figure.suptitle("A sequence of each class, three channels")
plt.show()

# %%
# All train on 1000 sequences without labels; the classifier is given 200 of the labels.


def flatten(sequences):
    return sequences.reshape(len(sequences), -1)


representations = {
    "values": FunctionTransformer(flatten),
    "PCA(64)": make_pipeline(
        FunctionTransformer(flatten), PCA(64, whiten=True, random_state=0)
    ),
    "DIMTransformer()": DIMTransformer(max_iter=20, random_state=0),
}
accuracy = {}
for name, representation in representations.items():
    representation.fit(X_train)
    classifier = LogisticRegression(max_iter=1000).fit(
        representation.transform(X_train[:200]), y_train[:200]
    )
    accuracy[name] = classifier.score(representation.transform(X_test), y_test)
print(pd.Series(accuracy, name="accuracy, four classes").round(3))

# %%
# Unseen sequences, brought to two dimensions by t-SNE.

dim = representations["DIMTransformer()"]
plane = TSNE(random_state=0).fit_transform(dim.transform(X_test))
display = EmbeddingDisplay.from_codes(plane, y_test)
plt.show()

# sphinx_gallery_thumbnail_number = 2
