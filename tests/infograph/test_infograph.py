"""GraphInfomaxTransformer as its users meet it. scikit-learn's own checks give arrays, so they do not apply."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_checks
from torch import nn

from sklearn_dim import Graph, GraphInfomaxTransformer
from sklearn_dim.bounds import BOUNDS, Smile


def quick(**parameters):
    return GraphInfomaxTransformer(**{"n_components": 12, "max_iter": 5, "random_state": 0, **parameters})


def pipeline(**parameters):
    return Pipeline([("graphs", quick(**parameters)), ("clf", LogisticRegression())])


def rings_and_stars(n_graphs=60, seed=0):
    """Rings and stars of 5 to 15 nodes, all nodes alike: what tells them apart is how they hang together."""
    rng = np.random.default_rng(seed)
    graphs = []
    for number in range(n_graphs):
        n = rng.integers(5, 16)
        adjacency = np.zeros((n, n))
        if number % 2:
            adjacency[0, 1:] = 1
        else:
            adjacency[np.arange(n), (np.arange(n) + 1) % n] = 1
        graphs.append(Graph(np.ones((n, 1)), adjacency))
    return graphs, np.arange(n_graphs) % 2


def coloured(n_graphs=60, seed=0):
    """Random graphs of two colours: neighbours are mostly of the same one, or mostly not."""
    rng = np.random.default_rng(seed)
    graphs = []
    for number in range(n_graphs):
        n = rng.integers(12, 25)
        colour = rng.integers(2, size=n)
        same = colour[:, None] == colour[None, :]
        chance = 4 / n * np.where(same == (number % 2 == 0), 1.8, 0.2)
        graphs.append(Graph(np.eye(2)[colour], np.triu(rng.random((n, n)) < chance, 1)))
    return graphs, np.arange(n_graphs) % 2


@pytest.fixture(scope="module")
def labelled():
    return coloured()


@pytest.fixture(scope="module")
def graphs(labelled):
    return labelled[0]


# What it learns


def test_graphs_of_a_kind_lie_together():
    graphs, kind = rings_and_stars()
    model = GraphInfomaxTransformer(readout="mean", representation="code", random_state=0, max_iter=30)
    vectors = model.fit_transform(graphs)
    assert adjusted_rand_score(kind, KMeans(2, n_init=10, random_state=0).fit_predict(vectors)) > 0.9


def test_features_and_edges_together_tell_graphs_apart():
    (train, y_train), (test, y_test) = coloured(), coloured(seed=1)
    model = pipeline(n_components=48, max_iter=30).fit(train, y_train)
    assert model.score(test, y_test) > 0.9


@pytest.mark.parametrize("mi_estimator", [*BOUNDS, Smile(tau=2.0)], ids=str)
def test_every_bound_trains(graphs, mi_estimator):
    model = quick(mi_estimator=mi_estimator).fit(graphs)
    assert np.isfinite(model.history_["train_loss"]).all()
    assert np.isfinite(model.transform(graphs)).all()


def test_training_raises_information(graphs):
    short, long = (quick(max_iter=n).fit(graphs[:40]) for n in (1, 60))
    assert long.score(graphs[40:]) > short.score(graphs[40:]) + 0.1
    assert long.mutual_info_ > short.mutual_info_ + 0.1


def test_early_stopping_holds_graphs_out(graphs):
    model = quick(max_iter=500, early_stopping=True, n_iter_no_change=3, tol=0.01, validation_fraction=0.2).fit(graphs)
    assert model.n_iter_ < 500
    assert model.history_["valid_mutual_info"].max() == pytest.approx(model.mutual_info_, abs=1e-5)


# Its output


def test_the_code_is_the_standardised_read_out(graphs):
    model = quick(representation="code").fit(graphs)
    output = model.transform(graphs)
    assert output.dtype == np.float64
    np.testing.assert_allclose(output.mean(0), 0, atol=1e-5)
    varies = output.std(0) > 0
    np.testing.assert_allclose(output.std(0)[varies], 1, atol=1e-5)
    graph = graphs[3]
    device = model.net_.device
    X = torch.tensor(graph.features).float().to(device)  # indicators enter as they are
    with torch.no_grad():
        nodes = model.net_.module_.encoder(X, torch.tensor(graph.adjacency.toarray()).to(device)).cpu()
    expected = (np.arcsinh(nodes.sum(0).numpy()) - model.mean_) / model.scale_
    np.testing.assert_allclose(output[3], expected, atol=1e-3)


@pytest.mark.parametrize("readout", ["sum", "mean", "max"])
def test_a_graphs_vector_depends_on_neither_company_nor_order(graphs, readout):
    model = quick(readout=readout).fit(graphs)
    together = model.transform(graphs)
    alone = np.vstack([model.transform([graph]) for graph in graphs])
    np.testing.assert_allclose(alone, together, atol=1e-4)
    order = np.random.default_rng(0).permutation(len(graphs[0]))
    turned = Graph(graphs[0].features[order], graphs[0].adjacency[order][:, order])
    np.testing.assert_allclose(model.transform([turned]), together[:1], atol=1e-4)


def test_single_and_isolated_nodes_make_graphs_too(graphs):
    lonely = [Graph(np.eye(2)[[0]], [[0]]), Graph(np.eye(2)[[0, 1, 1]], np.zeros((3, 3)))]
    assert np.isfinite(quick().fit_transform([*graphs, *lonely])).all()
    assert np.isfinite(quick().fit(graphs).transform(lonely)).all()
    assert np.isfinite(quick().fit_transform(lonely)).all()


def test_equal_graphs_carry_nothing_and_do_no_harm(graphs):
    assert np.isfinite(quick().fit_transform([graphs[0]] * 4)).all()


def test_of_a_cut_graph_all_nodes_count(graphs):
    model = quick().fit(graphs)
    np.testing.assert_array_equal(model.transform([graphs[0][:3]]), model.transform([graphs[0]]))
    assert (model.transform([graphs[0][:3].induced()]) != model.transform([graphs[0]])).any()


def test_sparse_features_give_the_same(graphs):
    as_sparse = [Graph(sparse.csr_matrix(graph.features), graph.adjacency) for graph in graphs]
    np.testing.assert_allclose(quick().fit_transform(as_sparse), quick().fit_transform(graphs), atol=1e-4)


@pytest.mark.parametrize("batch_size, n_batches", [(128, 1), (20, 3), (59, 2)])
def test_no_batch_is_a_single_graph(graphs, batch_size, n_batches):
    model = quick(batch_size=batch_size).fit(graphs)
    batches = list(model._batches(Graph.union(graphs)))
    assert len(batches) == n_batches and min(len(sizes) for sizes, *_ in batches) >= 20
    for sizes, X, adjacency in batches:
        assert sizes.sum() == len(X) == len(adjacency)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_columns_are_standardised_but_for_indicators_and_constants(kind):
    rng = np.random.default_rng(0)
    X = np.column_stack([2000 + 5 * rng.normal(size=30), rng.integers(2, size=30), np.full(30, 0.1)])
    cut = [Graph(kind(X[start : start + 10]), np.eye(10, k=1)) for start in (0, 10, 20)]
    _, found, _ = next(iter(quick().fit(cut)._batches(Graph.union(cut), shuffle=False)))
    years = X[:, 0] - X[:, 0].mean() if kind is np.asarray else X[:, 0]  # centring would fill a sparse column
    expected = np.column_stack([years / X[:, 0].std(), X[:, 1:]])
    np.testing.assert_allclose(found.cpu().numpy(), expected, rtol=1e-4, atol=1e-4)


def test_names_and_frames():
    def graph(names):
        return Graph(pd.DataFrame(np.eye(3), columns=names), np.ones((3, 3)))

    model = quick(n_components=3).fit([graph(list("abc"))] * 3)
    assert list(model.feature_names_in_) == list("abc")
    blocks = "code0", "code1", "code2", "features0", "structure0", "subtrees0"
    names = [f"graphinfomaxtransformer_{block}" for block in blocks]
    assert list(model.get_feature_names_out()) == names
    frame = model.set_output(transform="pandas").transform([graph(list("abc"))])
    assert list(frame.columns) == names
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform([graph(list("abd"))])
    with pytest.raises(ValueError, match=r"X\[1\] has features named \['b' 'a' 'c'\], but X\[0\] has \['a' 'b' 'c'\]"):
        model.fit([graph(list("abc")), graph(list("bac"))])


class Mean(nn.Module):
    """A user's encoder: the mean over neighbours, then a linear layer."""

    normalization = "mean"

    def __init__(self, n_features, n_components):
        super().__init__()
        self.linear = nn.Linear(n_features, n_components)

    def forward(self, X, adjacency):
        return torch.relu(self.linear(adjacency @ X))


@pytest.mark.parametrize("encoder", [Mean, Mean(2, 12)], ids=["callable", "module"])
def test_an_encoder_of_ones_own(graphs, encoder):
    model = quick(encoder=encoder, representation="code").fit(graphs)
    assert model.transform(graphs).shape == (60, 12)
    _, _, adjacency = next(iter(model._batches(Graph.union(graphs))))
    rows = adjacency @ torch.ones(len(adjacency), 1, device=adjacency.device)
    assert set(rows.round(decimals=4).flatten().tolist()) <= {0.0, 1.0}


# What it refuses

ONE = Graph(np.eye(2), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    "parameters, X, error, message",
    [
        ({}, ONE, TypeError, r"X is a single Graph; expected a list of graphs, .* Pass \[graph\], or use DGI"),
        ({}, (graph for graph in [ONE, ONE]), TypeError, r"X is a generator; expected a list .* Pass list\(X\)"),
        ({}, None, TypeError, "X is a NoneType; expected a list of graphs"),
        ({}, [], ValueError, "X needs at least 2 graphs, to compare them; got a list of 0"),
        ({}, [ONE], ValueError, "X needs at least 2 graphs, to compare them; got a list of 1"),
        ({}, [ONE, np.eye(2)], TypeError, r"X\[1\] is a ndarray; expected a Graph\(features, adjacency\)"),
        ({}, np.eye(3), TypeError, r"X\[0\] is a ndarray; expected a Graph"),
        ({}, [ONE, Graph(np.eye(3), np.eye(3))], ValueError, r"X\[1\] has 3 features, but X\[0\] has 2"),
        ({"mi_estimator": "mine"}, [ONE, ONE], ValueError, "The 'mi_estimator' parameter of GraphInfomax.* Got 'mine'"),
        ({"readout": "last"}, [ONE, ONE], ValueError, "The 'readout' parameter .* Got 'last'"),
        ({"batch_size": 1}, [ONE, ONE], ValueError, "The 'batch_size' parameter .* Got 1"),
        ({"device": "nowhere"}, [ONE, ONE], ValueError, "device='nowhere' cannot be used here"),
        ({"encoder": Mean(2, 7)}, [ONE, ONE], ValueError, r"\(n_nodes, 12\), n_components=12 .* Mean does not"),
        ({"early_stopping": True}, [ONE] * 3, ValueError, "validation_fraction=0.1 of n_samples = 3 leaves 1"),
    ],
)
def test_bad_input_is_named_and_nothing_is_half_fitted(parameters, X, error, message):
    model = quick(**parameters)
    with pytest.raises(error, match=message):
        model.fit(X)
    assert not model.__sklearn_is_fitted__()


def test_what_transform_and_score_refuse(graphs):
    model = quick().fit(graphs)
    with pytest.raises(TypeError, match="X is a single Graph"):
        model.transform(graphs[0])
    with pytest.raises(ValueError, match="X needs at least 1 graph; got a list of 0"):
        model.transform([])
    with pytest.raises(ValueError, match="X has 3 features, but GraphInfomaxTransformer is expecting 2"):
        model.transform([Graph(np.eye(3), np.eye(3))])
    with pytest.raises(ValueError, match="X needs at least 2 graphs, to compare"):
        model.score([graphs[0]])


def test_a_failed_fit_loses_nothing(graphs):
    model = quick().fit(graphs)
    before, history = model.transform(graphs), model.history_
    for warm_start, bad in [(False, [ONE, None]), (True, [ONE, None]), (False, graphs)]:
        model.set_params(learning_rate_init=1e30, mi_estimator="jsd" if warm_start else "nwj", warm_start=warm_start)
        with pytest.raises((TypeError, FloatingPointError)):
            model.fit(bad)
        np.testing.assert_array_equal(model.transform(graphs), before)
        assert model.history_ is history and model.n_iter_ == 5


# How it behaves in scikit-learn


@pytest.mark.parametrize(
    "check",
    [
        "check_no_attributes_set_in_init",
        "check_get_params_invariance",
        "check_set_params",
        "check_parameters_default_constructible",
        "check_param_validation",
    ],
)
def test_the_checks_of_scikit_learn_that_give_no_array(check):
    getattr(estimator_checks, check)("GraphInfomaxTransformer", GraphInfomaxTransformer())


def test_grid_search_gives_the_same_scores_with_two_workers(labelled):
    graphs, y = labelled
    grid = {"graphs__mi_estimator": ["jsd", "infonce"]}
    one, two = (GridSearchCV(pipeline(), grid, cv=2, n_jobs=n).fit(graphs, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.best_params_ == two.best_params_
    assert cross_val_score(clone(one.best_estimator_), graphs, y, cv=2).min() > 0.5


def test_a_pickle_predicts_the_same_in_a_fresh_process(labelled, tmp_path):
    graphs, y = labelled
    model = pipeline().fit(graphs, y)
    content = model, graphs, model[:-1].transform(graphs), model.predict(graphs)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(content))
    code = """
import sys, pickle
model, graphs, vectors, labels = pickle.load(open(sys.argv[1], "rb"))
assert (model[:-1].transform(graphs) == vectors).all() and (model.predict(graphs) == labels).all()
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.pkl")], check=True)


def test_random_state_decides_and_global_streams_are_left_alone(graphs):
    torch.manual_seed(1)
    first = quick(batch_size=20).fit_transform(graphs)
    state = torch.rand(3)
    torch.manual_seed(2)
    np.testing.assert_array_equal(first, quick(batch_size=20).fit_transform(graphs))
    assert (first != quick(batch_size=20, random_state=1).fit_transform(graphs)).any()
    torch.manual_seed(1)
    assert torch.equal(state, torch.rand(3))


def test_warm_start_goes_on(graphs):
    model = quick(warm_start=True).fit(graphs)
    first = model.net_
    assert model.fit(graphs).net_ is first and model.n_iter_ == len(model.history_) == 10
    assert quick().fit(graphs).fit(graphs).n_iter_ == 5
