"""
Nodes of a graph
================

`DGITransformer` learns a vector for each node from features and edges, without labels. The graph is made on the spot:
four communities whose features are noisy, and whose nodes have one neighbour in five elsewhere.
"""

# %%
# A `Graph` is an X whose rows are nodes.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.datasets import make_community_graph
from sklearn_dim.inspection import EmbeddingDisplay

X, adjacency, y = make_community_graph(
    800, 32, n_communities=4, noise=3.0, random_state=0
)
graph = Graph(X, adjacency)
print(
    f"{graph.shape[0]} nodes with {graph.shape[1]} features, {adjacency.nnz // 2} edges"
)

# %%
# Three representations, and 20 labels. The second is the fair rival: features, averaged over neighbours and their
# neighbours, with nothing learnt. The output of a `DGITransformer` has such averages as well, beside what its encoder
# learnt, the features and the graph's structure.

dgi = DGITransformer(64, max_iter=60, random_state=0).fit(graph)
degree = np.asarray(adjacency.sum(axis=1)).ravel() + 1
averaged = X
for _ in range(2):
    averaged = (averaged + adjacency @ averaged) / degree[:, None]
vectors = {
    "features": StandardScaler().fit_transform(X),
    "features, averaged twice": StandardScaler().fit_transform(averaged),
    "DGITransformer(64)": dgi.transform(graph),
}
order = np.random.default_rng(0).permutation(len(y))
labelled, unseen = order[:20], order[20:]
accuracy = {
    name: LogisticRegression()
    .fit(codes[labelled], y[labelled])
    .score(codes[unseen], y[unseen])
    for name, codes in vectors.items()
}
print(pd.Series(accuracy, name="accuracy").round(3))

# %%
# Both that look at neighbours are far ahead of the features alone. Where communities are all there is, as here,
# averaging is enough: it is as good as what is learnt, or a little better, and costs nothing. Try it first.

# %%
# Features and vectors in the plane, coloured by communities that neither was told.

figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
left = EmbeddingDisplay.from_codes(vectors["features"], y, ax=axes[0])
right = EmbeddingDisplay.from_codes(
    vectors["DGITransformer(64)"], y, ax=axes[1]
)
left.legend_.remove()
axes[0].set_title("features")
axes[1].set_title("DGITransformer")
plt.show()
