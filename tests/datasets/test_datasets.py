import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from sklearn_dim.datasets import load_nudged_digits, make_community_graph, make_gaussian_pair, make_grouped_features


def test_nudges_are_the_digits_moved_by_one_pixel():
    X, y = load_nudged_digits()
    digits, labels = load_digits(return_X_y=True)
    n = len(digits)
    images, original = X.reshape(-1, 8, 8), digits.reshape(-1, 8, 8).astype(np.float32) / 16
    assert X.shape == (5 * n, 64)
    np.testing.assert_array_equal(y, np.tile(labels, 5))
    np.testing.assert_array_equal(images[:n], original)
    moved = [images[i * n : (i + 1) * n] for i in range(1, 5)]
    kept = [(moved[0][:, :, 1:], original[:, :, :-1]), (moved[1][:, :, :-1], original[:, :, 1:])]
    kept += [(moved[2][:, 1:], original[:, :-1]), (moved[3][:, :-1], original[:, 1:])]
    for new, old in kept:
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("d, truth", [(1, 0.3), (4, 2.0)])
def test_gaussian_pair_has_its_information(d, truth):
    n = 20_000
    x, y = make_gaussian_pair(n, d, mutual_info=truth, random_state=0)
    joint = np.linalg.slogdet(np.cov(np.hstack([x, y]).T))[1]
    sample = 0.5 * (
        np.linalg.slogdet(np.cov(x.T).reshape(d, d))[1] + np.linalg.slogdet(np.cov(y.T).reshape(d, d))[1] - joint
    )
    rho2 = 1 - np.exp(-2 * truth / d)
    assert abs(sample - truth) < 4 * np.sqrt(d * rho2 / n) + d * d / (2 * n)


@pytest.mark.parametrize(
    "n, n_communities, degree, mixing",
    [(900, 3, 10, 0.3), (5000, 7, 20, 0.0), (1000, 4, 6, 1.0), (41, 2, 30, 0.5), (30, 1, 20, 0.0), (300, 100, 5, 0.7)],
)
def test_community_graph_has_the_degree_and_mixing_asked_for(n, n_communities, degree, mixing):
    X, adjacency, y = make_community_graph(
        n, 5, n_communities=n_communities, degree=degree, mixing=mixing, random_state=0
    )
    assert X.shape == (n, 5)
    assert np.ptp(np.bincount(y)) <= 1 and len(np.bincount(y)) == n_communities
    assert (adjacency != adjacency.T).nnz == 0 and adjacency.diagonal().sum() == 0
    assert adjacency.data.min() == adjacency.data.max() == 1
    source, target = sparse.triu(adjacency).nonzero()
    within = int((y[source] == y[target]).sum())
    sizes = np.bincount(y)
    pairs = (sizes * (sizes - 1) // 2).sum()
    for count, possible, share in (
        (within, pairs, 1 - mixing),
        (len(source) - within, n * (n - 1) // 2 - pairs, mixing),
    ):
        mean = share * degree * n / 2
        assert abs(count - mean) <= 4 * np.sqrt(mean * (1 - mean / max(possible, 1)))


def test_a_community_graph_joins_all_alike_pairs_as_often():
    n, draws, total = 9, 1500, np.zeros((9, 9))
    for seed in range(draws):
        _, adjacency, y = make_community_graph(n, 1, n_communities=2, degree=3, mixing=0.4, random_state=seed)
        order = np.argsort(y, kind="stable")
        total += adjacency.toarray()[np.ix_(order, order)]
    community = np.arange(9) >= 5
    same = community[:, None] == community
    for those, edges, pairs in ((same & ~np.eye(n, dtype=bool), 0.6 * 13.5, 16), (~same, 0.4 * 13.5, 20)):
        chance = edges / pairs
        np.testing.assert_allclose(total[those] / draws, chance, atol=4.5 * np.sqrt(chance * (1 - chance) / draws))


def test_a_community_graph_is_the_same_for_the_same_seed():
    one, two, other = (make_community_graph(200, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one[0], two[0])
    assert (one[1] != two[1]).nnz == 0
    np.testing.assert_array_equal(one[2], two[2])
    assert (one[1] != other[1]).nnz > 0


def test_a_large_community_graph_needs_memory_for_its_edges_only():
    tracemalloc.start()
    _, adjacency, _ = make_community_graph(30_000, 2, degree=10, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(adjacency.nnz / 30_000 - 10) < 0.1
    assert peak < 50e6  # a row and column a node would be 900 MB of bytes


def test_a_community_graph_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"900 edges within communities, but there are only 870 pairs"):
        make_community_graph(60, n_communities=2, degree=30, mixing=0)
    with pytest.raises(ValueError, match=r"between communities, but there are only 0 pairs"):
        make_community_graph(60, n_communities=1)


@pytest.mark.parametrize("shuffle", [False, True])
def test_columns_correlate_within_their_group_only(shuffle):
    n, noise = 20_000, 0.5
    X, y, groups = make_grouped_features(
        n, n_factors=3, group_size=4, n_nuisance=1, n_noise=3, noise=noise, curved=0, shuffle=shuffle, random_state=0
    )
    assert X.shape == (n, 19) and set(y) <= set(range(4))
    assert (np.diff(groups[groups >= 0]) >= 0).all() == (not shuffle)
    same = (groups[:, None] == groups) & (groups >= 0) & ~np.eye(19, dtype=bool)
    other = ~same & ~np.eye(19, dtype=bool)
    correlations = np.abs(np.corrcoef(X.T))
    np.testing.assert_allclose(correlations[same], 1 / (1 + noise**2), atol=5 / np.sqrt(n))
    assert correlations[other].max() < 5 / np.sqrt(n)


@pytest.mark.parametrize("linear", [True, False])
def test_classes_depend_on_the_factors_only(linear):
    X, y, groups = make_grouped_features(
        4000, n_factors=3, n_nuisance=2, noise=0.05, curved=0, linear=linear, random_state=0
    )
    factors = np.column_stack([X[:, groups == g][:, 0] for g in range(5)])
    factors = (factors - factors.mean(0)) / factors.std(0)
    between = np.array([factors[y == c].mean(0) for c in np.unique(y)]).std(0)
    assert between[:3].max() > 0.3 and between[3:].max() < 0.1
    again = make_grouped_features(4000, n_factors=3, n_nuisance=2, noise=0.05, curved=0, linear=linear, random_state=0)
    np.testing.assert_array_equal(X, again[0])
