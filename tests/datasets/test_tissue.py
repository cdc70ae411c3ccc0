"""Simulated tissue: what is promised of it can be measured."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import NearestNeighbors

from sklearn_dim.datasets import make_tissue


def same(one, other):
    counts = (one.counts != other.counts).nnz == 0
    return counts and all(np.array_equal(one[key], other[key]) for key in ("coordinates", "domain", "cell_type"))


def log_shares(counts):
    rows = counts.toarray()
    return np.log1p(100 * rows / np.maximum(rows.sum(axis=1, keepdims=True), 1))


def test_what_it_returns():
    tissue = make_tissue(301, 40, 5, n_slides=2, n_types=6, random_state=0)
    assert tissue.counts.shape == (301, 40) and tissue.counts.dtype == np.int32 and tissue.counts.format == "csr"
    assert tissue.coordinates.shape == (301, 2) and tissue.coordinates.dtype == np.float32
    np.testing.assert_array_equal(np.bincount(tissue.slide), [151, 150])
    assert set(tissue.domain) == set(range(5)) and set(tissue.cell_type) == set(range(6))
    assert len(set(tissue.gene_names)) == 40


def test_the_same_seed_gives_the_same_tissue():
    assert same(make_tissue(200, 20, random_state=3), make_tissue(200, 20, random_state=3))
    assert not same(make_tissue(200, 20, random_state=3), make_tissue(200, 20, random_state=4))


@pytest.mark.parametrize("layout", ["layers", "blobs", "both"])
def test_neighbours_are_mostly_of_the_same_domain(layout):
    tissue = make_tissue(3000, 5, 6, layout=layout, random_state=0)
    near = NearestNeighbors(n_neighbors=2).fit(tissue.coordinates).kneighbors(return_distance=False)[:, 1]
    by_chance = np.mean(tissue.domain == np.random.default_rng(0).permutation(tissue.domain))
    assert np.mean(tissue.domain[near] == tissue.domain) > 0.8 > 0.4 > by_chance


def test_a_cell_has_a_hundred_square_micrometres():
    tissue = make_tissue(4000, 5, n_slides=2, random_state=0)
    for slide in range(2):
        extent = np.ptp(tissue.coordinates[tissue.slide == slide], axis=0)
        assert np.prod(extent) == pytest.approx(100 * 2000, rel=0.02)


def test_layers_are_in_order_from_top_to_bottom():
    tissue = make_tissue(2000, 5, 4, layout="layers", random_state=0)
    heights = [tissue.coordinates[tissue.domain == domain, 1].mean() for domain in range(4)]
    assert np.all(np.diff(heights) > 0)


def test_counts_vary_more_than_poisson():
    """Of one type, domain and slide what is left are places, sizes of cells and the gamma variable."""
    tissue = make_tissue(6000, 30, 1, n_types=1, random_state=0)
    rows = tissue.counts.toarray()
    often = rows.mean(axis=0) > 0.5
    assert often.sum() > 5 and np.all(rows.var(axis=0)[often] > rows.mean(axis=0)[often])
    sizes = np.log(rows.sum(axis=1)[rows.sum(axis=1) > 0])
    assert 0.4 < sizes.std() < 0.9


def test_a_cell_says_its_type_and_little_of_its_domain():
    tissue = make_tissue(1500, 200, 4, n_types=4, random_state=0)
    X = log_shares(tissue.counts)
    right = {
        key: cross_val_score(LinearDiscriminantAnalysis(), X, tissue[key], cv=3).mean()
        for key in ("cell_type", "domain")
    }
    assert right["cell_type"] > 0.8
    assert 0.35 < right["domain"] < 0.85


def test_without_contrast_domains_are_alike():
    tissue = make_tissue(4000, 20, 3, n_types=3, layout="layers", contrast=0.0, random_state=0)
    shares = [np.bincount(tissue.cell_type[tissue.domain == domain], minlength=3) for domain in range(3)]
    np.testing.assert_allclose(*[share / share.sum() for share in shares[:2]], atol=0.06)


def test_slides_differ_by_gene_only():
    """The ratio of a gene's mean on two slides has about the deviation that is documented."""
    tissue = make_tissue(6000, 150, 1, n_slides=2, n_types=1, random_state=0)
    means = [np.asarray(tissue.counts[tissue.slide == slide].mean(axis=0)).ravel() for slide in range(2)]
    often = means[0] > 0.3
    assert 0.1 < np.log(means[0] / means[1])[often].std() < 0.4


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_genes": 0}, r"n_genes=0 must be a whole number in \[1, inf\), such as 500"),
        ({"n_domains": 0}, r"n_domains=0 must be"),
        ({"n_types": 0}, r"n_types=0 must be"),
        ({"n_cells": 2, "n_slides": 3}, r"n_cells=2 is less than n_slides=3"),
        ({"layout": "rings"}, r"layout='rings' is unknown; use one of"),
        ({"contrast": -1.0}, r"contrast=-1\.0 must be a number in \[0, inf\)"),
        ({"gradient": np.nan}, r"gradient=nan must be a number"),
    ],
)
def test_what_cannot_be_made_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_tissue(**wrong)
