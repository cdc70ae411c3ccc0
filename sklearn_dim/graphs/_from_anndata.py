"""AnnData: cells or spots, counts of genes, and neighbours."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_dim.graphs._checks import Parts, as_names


def read_anndata(adata: Any, layer: str | None, obsm: str | None, obsp: str) -> Parts:
    """Return the parts of an AnnData; of one in a file only what is asked for is read."""
    if not hasattr(adata, "obsp") or not hasattr(adata, "var_names"):
        raise TypeError(f"adata is a {type(adata).__name__}; expected an AnnData, or a list of them.")
    adjacency = _neighbours(adata, obsp)
    values, names = _values(adata, layer, obsm)
    return Parts(values, adjacency, names, as_names(adata.obs_names))


def _neighbours(adata: Any, obsp: str) -> Any:
    there = list(adata.obsp)
    if obsp not in there:
        spatial = "spatial_connectivities"
        cure = f"Give obsp={spatial!r}." if spatial in there else "Give the name of one of them."
        if not there:
            cure = "Compute neighbours first: scanpy.pp.neighbors(adata), or squidpy.gr.spatial_neighbors(adata)."
        raise ValueError(f"adata.obsp has no {obsp!r}; it has {there}. {cure}")
    if obsp.endswith("distances"):
        other = obsp.replace("distances", "connectivities")
        cure = f"Give obsp={other!r}." if other in there else f"Give Graph(adata.X, adata.obsp[{obsp!r}] > 0)."
        raise ValueError(
            f"obsp={obsp!r} are distances, but the weight of an edge is larger the nearer its nodes are. {cure}"
        )
    return _loaded(adata.obsp[obsp])


def _values(adata: Any, layer: str | None, obsm: str | None) -> tuple[Any, np.ndarray]:
    """Return the features of the observations, and their names."""
    if layer is not None and obsm is not None:
        raise ValueError(f"layer={layer!r} and obsm={obsm!r} are two sources of features. Give one of them.")
    for name, value, box in (("layers", layer, adata.layers), ("obsm", obsm, adata.obsm)):
        if value is not None and value not in box:
            raise ValueError(f"adata.{name} has no {value!r}; it has {list(box)}. Give the name of one of them.")
    if obsm is not None:
        values = adata.obsm[obsm]
        if isinstance(values, pd.DataFrame):
            return values.to_numpy(), np.asarray(values.columns, dtype=object)
        return _loaded(values), np.array([f"{obsm}_{j}" for j in range(values.shape[1])], dtype=object)
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        raise ValueError(
            f"adata.X is None. Give the name of a layer ({list(adata.layers)}) or of an array in obsm "
            f"({list(adata.obsm)})."
        )
    return _loaded(values), np.asarray(adata.var_names, dtype=object)


def _loaded(values: Any) -> Any:
    """Return an array or sparse matrix of a file, or of dask, in memory."""
    if hasattr(values, "to_memory"):
        values = values.to_memory()
    elif hasattr(values, "compute"):
        values = values.compute()
    return values if sparse.issparse(values) else np.asarray(values)


def check_same_variables(slides: list[Any]) -> None:
    """Raise ValueError unless all slides have the same variables in the same order."""
    for number, slide in enumerate(slides):
        if not hasattr(slide, "var_names"):
            raise TypeError(f"adata[{number}] is a {type(slide).__name__}; expected an AnnData.")
        if slide.var_names.equals(slides[0].var_names):
            continue
        missing = slides[0].var_names.difference(slide.var_names, sort=False)
        what = f"lacks {missing[0]!r}" if len(missing) else "has others, or has them in another order"
        raise ValueError(
            f"adata[{number}].var_names are not those of adata[0]: it {what}. Take the common ones, in one order: "
            "each[:, common] for each slide."
        )
