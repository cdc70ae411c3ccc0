"""
Domains of a tissue
===================

Cells of a tissue lie in domains, such as the layers of the cortex, that differ by which cell types are mixed in them.
So a cell's own counts say its type, and only its neighbours say its domain. The tissue here is simulated, in two
slides, and its domains are known.
"""

# %%
# With anndata (``pip install anndata``) each slide is an AnnData, as scanpy and squidpy have it.
# Without, the same matrices are given to `Graph`.

from importlib.util import find_spec

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import kneighbors_graph

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.datasets import make_tissue

tissue = make_tissue(4000, 300, 5, n_slides=2, gradient=0.3, random_state=0)
domain, slide = tissue.domain, tissue.slide

# %%
# Counts become comparable: each cell gets the median number of counts, then logarithms are taken, and each gene is
# standardised within its slide, which takes out most of what is technical. In scanpy these are
# ``normalize_total``, ``log1p`` and ``scale``.


def normalized(counts):
    """Return standardised logarithms."""
    total = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    rows = (sparse.diags(np.median(total) / total) @ counts).log1p().toarray()
    return (
        (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-6)
    ).astype(np.float32)


# %%
# Neighbours are the 30 nearest cells of the slide; squidpy's ``spatial_neighbors(adata, n_neighs=30,
# coord_type="generic")`` writes them to the same place. A list of slides becomes one `Graph`, without edges between
# them.

if find_spec("anndata"):
    from anndata import AnnData

    slides = []
    for number in range(2):
        here = slide == number
        adata = AnnData(
            normalized(tissue.counts[here]),
            var=pd.DataFrame(index=tissue.gene_names),
        )
        adata.obs_names = [
            f"slide{number}_cell{cell}" for cell in range(here.sum())
        ]
        adata.obsm["spatial"] = tissue.coordinates[here]
        adata.obsp["spatial_connectivities"] = kneighbors_graph(
            adata.obsm["spatial"], 30
        )
        slides.append(adata)
    graph = Graph.from_anndata(slides, obsp="spatial_connectivities")
else:
    parts = [slide == number for number in range(2)]
    graph = Graph.union(
        Graph(
            normalized(tissue.counts[here]),
            kneighbors_graph(tissue.coordinates[here], 30),
        )
        for here in parts
    )
print(graph)

# %%
# Three sets of columns, and the same clustering of each. The rival of what is learnt is cheap: principal components,
# averaged over each cell and its neighbours.

axes = PCA(30, random_state=0).fit_transform(graph.features)
degree = np.asarray(graph.adjacency.sum(axis=1))
dgi = DGITransformer(32, representation="code", max_iter=15, random_state=0)
columns = {
    "PCA": axes,
    "PCA, averaged": (axes + graph.adjacency @ axes) / (1 + degree),
    "DGITransformer": dgi.fit_transform(graph),
}
found = {
    name: KMeans(5, n_init=5, random_state=0).fit_predict(vectors)
    for name, vectors in columns.items()
}
print(
    pd.Series(
        {
            name: adjusted_rand_score(domain, labels)
            for name, labels in found.items()
        },
        name="ARI",
    ).round(2)
)

# %%
# Cells on their own show types, not domains. Averages over neighbours show domains. Whether training adds to that
# depends on the tissue: the user guide has a page on it, with measurements where averages are better. Compute both.


def same_colours(labels):
    """Give each cluster the number of the domain that most of its cells are in."""
    return pd.crosstab(labels, domain).idxmax(axis=1)[labels].to_numpy()


here = slide == 0
figure, plots = plt.subplots(
    2, 2, figsize=(8, 8), layout="constrained", sharex=True, sharey=True
)
shown = {"truth": domain} | {
    name: same_colours(labels) for name, labels in found.items()
}
for plot, (name, labels) in zip(plots.flat, shown.items(), strict=True):
    plot.scatter(
        *tissue.coordinates[here].T,
        c=labels[here],
        s=4,
        cmap="tab10",
        vmin=0,
        vmax=9,
    )
    plot.set(title=name, aspect="equal", xticks=[], yticks=[])
plt.show()

# %%
# With AnnData the way back is ``adata.obsm["X_dgi"] = …``, slide by slide, and
# ``adata.obs["domain"] = pandas.Categorical(labels)``: then ``scanpy.pp.neighbors(adata, use_rep="X_dgi")`` and
# ``scanpy.tl.leiden``, or ``squidpy.pl.spatial_scatter(adata, color="domain")``, go on from there.
