"""A generator of spatial transcriptomics: cells in the plane, counts of genes, and domains that are known."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import Bunch, check_random_state

from sklearn_dim._arguments import checked

LAYOUTS = ("layers", "blobs", "both")
TYPES_PER_CLASS = 4  # types of a class resemble each other
SPACING = 10.0  # micrometres: the side of the square that a cell has to itself
LIBRARY, LIBRARY_SPREAD = 300.0, 0.5  # median counts of a cell, if 500 genes are measured; deviation of the logarithm
DISPERSION = 3.0  # the variance of a count with mean m is m + m²/3
DROPOUT = 0.1  # share of counts that are lost
SPATIAL, GRADIENT = 0.06, 0.06  # shares of genes that vary by domain, and smoothly across domains
SLIDE = 0.15  # deviation of a gene's logarithm from slide to slide
CHUNK = 4096  # cells that are drawn at a time


class _Rates(NamedTuple):
    """Logarithms of a gene's rate, up to a constant for each cell."""

    of_type: np.ndarray  # (n_types, n_genes)
    of_domain: np.ndarray  # (n_domains, n_genes)
    of_slide: np.ndarray  # (n_slides, n_genes)
    of_gradient: np.ndarray  # (2, n_genes)


@checked(
    n_cells="[1, inf)",
    n_genes="[1, inf)",
    n_domains="[1, inf)",
    n_slides="[1, inf)",
    n_types="[1, inf)",
    contrast="[0, inf)",
    gradient="[0, inf)",
)
def make_tissue(
    n_cells: int = 3000,
    n_genes: int = 500,
    n_domains: int = 6,
    *,
    n_slides: int = 1,
    n_types: int = 12,
    layout: str = "both",
    contrast: float = 1.0,
    gradient: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Return a simulated tissue, as spatial transcriptomics measures it, whose domains are known.

    Cells lie at random in a plane that curved boundaries divide into domains. In each domain cell types are mixed in
    other proportions, so a cell's own counts say its type, and only its neighbours say the domain. About one gene in
    sixteen is raised or lowered in a domain in cells of all types. As many rise or fall smoothly across the slide,
    whatever the domains. Types come in classes of four that resemble each other.

    Parameters
    ----------
    n_cells : int, default=3000
        Cells of all slides together. Slides have equal numbers of cells, up to one.
    n_genes : int, default=500
    n_domains : int, default=6
        All slides have the same domains, in other places; a domain may be missing where a slide has few cells.
    n_slides : int, default=1
        Each slide has technical effects of its own: all its counts of a gene are larger or smaller by about 15 %.
    n_types : int, default=12
        Cell types.
    layout : {"layers", "blobs", "both"}, default="both"
        The shape of domains: bands from top to bottom as in the cortex; islands of many forms; or bands, of which
        islands of a third of the domains take their part.
    contrast : float, default=1.0
        How much domains differ: the standard deviation of the logarithm of a type's proportion, and twice that of a
        gene that is raised or lowered in a domain. 0 makes all domains alike.
    gradient : float, default=1.0
        How much some genes change from one side of a slide to the other: the standard deviation of the logarithm.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    Bunch
        counts : CSR matrix of int32 of shape (n_cells, n_genes)
            Negative binomial, of cells of different sizes: about 270 counts a cell, if there are 500 genes.
        coordinates : ndarray of float32 of shape (n_cells, 2)
            Places on the slide in micrometres; a cell has 100 µm² to itself.
        domain, cell_type, slide : ndarray of int of shape (n_cells,)
            Slides come one after the other; within a slide cells are in random order.
        gene_names : ndarray of str of shape (n_genes,)
            "gene_0" and so on.

    Raises
    ------
    ValueError
        If ``layout`` is unknown; if there are no genes, domains, types or slides, or fewer cells than slides; or if
        ``contrast`` or ``gradient`` is negative or infinite.

    Examples
    --------
    >>> from sklearn_dim.datasets import make_tissue
    >>> tissue = make_tissue(200, 50, random_state=0)
    >>> tissue.counts.shape, tissue.coordinates.shape
    ((200, 50), (200, 2))
    """
    if n_cells < n_slides:
        raise ValueError(f"n_cells={n_cells!r} is less than n_slides={n_slides!r}; give each slide at least one cell.")
    if layout not in LAYOUTS:
        raise ValueError(f"layout={layout!r} is unknown; use one of {LAYOUTS}.")
    random = check_random_state(random_state)
    slide = np.sort(np.arange(n_cells) % n_slides)
    placed = [_place(random, int(n), n_domains, layout) for n in np.bincount(slide)]
    unit, domain = (np.concatenate(parts) for parts in zip(*placed, strict=True))
    side = SPACING * np.sqrt(np.bincount(slide))[slide]
    rates = _draw_rates(random, n_genes, n_domains, n_slides, n_types, contrast, gradient)
    cell_type = _draw_types(random, domain, n_domains, n_types, contrast)
    counts = _draw_counts(random, rates, unit, domain, slide, cell_type)
    return Bunch(
        counts=counts,
        coordinates=(unit * side[:, None]).astype(np.float32),
        domain=domain,
        cell_type=cell_type,
        slide=slide,
        gene_names=np.array([f"gene_{j}" for j in range(n_genes)]),
    )


def _place(random: np.random.RandomState, n_cells: int, n_domains: int, layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Return places in the unit square and the domain of each."""
    unit = random.uniform(size=(n_cells, 2))
    n_islands = {"layers": 0, "blobs": n_domains - 1, "both": n_domains // 3}[layout]
    n_bands = n_domains - n_islands
    depth = unit[:, 1] + 0.06 * _smooth(random, unit, waves=2.0)
    bounds = np.cumsum(random.uniform(0.6, 1.4, size=n_bands))
    domain = np.searchsorted(bounds[:-1] / bounds[-1], np.clip(depth, 0, 1), side="right")
    share = 1 / n_domains
    for island in range(n_bands, n_domains):
        height = _smooth(random, unit, waves=3.0)
        taken = (island - n_bands) * share if layout == "blobs" else 0.0  # later islands may not cover earlier ones
        free = domain < n_bands
        if free.any():
            top = np.quantile(height[free], 1 - min(share / max(1 - taken, share), 1.0))
            domain[free & (height > top)] = island
    return unit, domain


def _smooth(random: np.random.RandomState, unit: np.ndarray, *, waves: float, n_waves: int = 24) -> np.ndarray:
    """Return a smooth random function of about unit variance, with so many waves across the square at most."""
    angle, length = random.uniform(0, 2 * np.pi, size=n_waves), waves * np.sqrt(random.uniform(0.1, 1, size=n_waves))
    direction = np.stack([np.cos(angle), np.sin(angle)]) * length * 2 * np.pi
    phase = random.uniform(0, 2 * np.pi, size=n_waves)
    return np.sqrt(2 / n_waves) * np.cos(unit @ direction + phase).sum(axis=1)


def _draw_types(
    random: np.random.RandomState, domain: np.ndarray, n_domains: int, n_types: int, contrast: float
) -> np.ndarray:
    """Return the type of each cell."""
    common = 0.7 * random.normal(size=n_types)
    weights = np.exp(common + contrast * random.normal(size=(n_domains, n_types)))
    upto = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    return (random.uniform(size=len(domain))[:, None] > upto[domain, :-1]).sum(axis=1)


def _draw_rates(
    random: np.random.RandomState,
    n_genes: int,
    n_domains: int,
    n_slides: int,
    n_types: int,
    contrast: float,
    gradient: float,
) -> _Rates:
    """Return what raises and lowers genes: classes of types, types, domains, gradients and slides."""

    def some(n_rows: int, share: float, deviation: float) -> np.ndarray:
        return deviation * random.normal(size=(n_rows, n_genes)) * (random.uniform(size=(n_rows, n_genes)) < share)

    classes = some(-(-n_types // TYPES_PER_CLASS), 0.2, 1.5)
    of_type = random.normal(size=n_genes) + classes[np.arange(n_types) // TYPES_PER_CLASS]
    of_type = of_type + some(n_types, 0.1, 1.0)
    spatial = random.uniform(size=n_genes) < SPATIAL
    of_domain = 0.5 * contrast * random.normal(size=(n_domains, n_genes)) * spatial
    return _Rates(of_type, of_domain, SLIDE * random.normal(size=(n_slides, n_genes)), some(2, GRADIENT, gradient))


def _draw_counts(
    random: np.random.RandomState,
    rates: _Rates,
    unit: np.ndarray,
    domain: np.ndarray,
    slide: np.ndarray,
    cell_type: np.ndarray,
) -> sparse.csr_matrix:
    """Return the counts of all cells."""
    n_genes = rates.of_type.shape[1]
    library = LIBRARY * n_genes / 500 * np.exp(LIBRARY_SPREAD * random.normal(size=len(domain)))
    parts = []
    for first in range(0, len(domain), CHUNK):
        some = slice(first, first + CHUNK)
        logs = rates.of_type[cell_type[some]] + rates.of_domain[domain[some]] + rates.of_slide[slide[some]]
        mean = np.exp(logs + (unit[some] - 0.5) @ rates.of_gradient)
        mean *= (library[some] / mean.sum(axis=1))[:, None]
        mean *= random.gamma(DISPERSION, 1 / DISPERSION, size=mean.shape)
        counts = random.poisson(mean) * (random.uniform(size=mean.shape) >= DROPOUT)
        parts.append(sparse.csr_matrix(counts.astype(np.int32)))
    return sparse.vstack(parts, format="csr")
