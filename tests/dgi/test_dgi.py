"""DGITransformer as its users meet it."""

import pickle
import subprocess
import sys

import joblib
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
from skorch.callbacks import Callback
from torch import nn

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.bounds import BOUNDS, Smile
from sklearn_dim.datasets import fetch_planetoid, make_community_graph
from sklearn_dim.encoders import GRAPH_ENCODERS
from sklearn_dim.graphs import CORRUPTIONS, normalized_adjacency
from sklearn_dim.objectives import READOUTS


def quick(**parameters):
    return DGITransformer(**{"n_components": 16, "max_iter": 5, "random_state": 0, **parameters})


def summary(**parameters):
    """Return an estimator that compares nodes with a summary of the graph, as published, but fits fast."""
    return DGITransformer.published(**{"n_components": 16, "max_iter": 5, "random_state": 0, **parameters})


def pipeline(**parameters):
    return Pipeline([("dgi", quick(**parameters)), ("clf", LogisticRegression())])


@pytest.fixture(scope="module")
def communities():
    X, adjacency, y = make_community_graph(random_state=0)
    return Graph(X, adjacency), y


# What it learns


def test_nodes_of_a_community_lie_together():
    X, adjacency, y = make_community_graph(600, noise=3.0, random_state=0)
    nodes = DGITransformer(64, random_state=0).fit_transform(Graph(X, adjacency))

    def agreement(features):
        return adjusted_rand_score(y, KMeans(3, n_init=10, random_state=0).fit_predict(features))

    assert agreement(nodes) > agreement(X) + 0.2


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_cora_with_default_arguments(data_dir, seed):
    cora = fetch_planetoid("cora", data_home=data_dir, download_if_missing=False)
    graph, y = Graph(cora.data, cora.adjacency), cora.target
    model = Pipeline([("dgi", DGITransformer(random_state=seed)), ("clf", LogisticRegression())])
    accuracy = model.fit(graph[cora.train], y[cora.train]).score(graph[cora.test], y[cora.test])
    # Aimed at is 0.81 in the mean; one seed's spread is 0.006 and a thousand test nodes have 0.012.
    assert accuracy > 0.81 - 0.012


@pytest.mark.parametrize("mi_estimator", [*BOUNDS, Smile(tau=2.0)], ids=str)
def test_every_bound_trains(communities, mi_estimator):
    dgi = quick(mi_estimator=mi_estimator, critic="separable").fit(communities[0])
    assert np.isfinite(dgi.history_["train_loss"]).all()
    assert np.isfinite(dgi.transform(communities[0])).all()


def test_the_papers_vectors(communities):
    graph, _ = communities
    dgi = summary().fit(graph)
    encoder = dgi.net_.module_.encoder
    with torch.no_grad():
        X = torch.tensor((graph.features - graph.features.mean(0)) / graph.features.std(0)).float()
        adjacency = torch.tensor(normalized_adjacency(graph.adjacency).toarray()).float()
        H = nn.functional.normalize(encoder(X, adjacency)).numpy()
    H -= H.mean(0)
    H *= 2 / np.sqrt(np.square(H).sum(1).mean())
    np.testing.assert_allclose(dgi.transform(graph), H, atol=1e-4)


def test_published_is_the_papers_setting():
    dgi = DGITransformer.published()
    assert {name: getattr(dgi, name) for name in ("n_components", "encoder", "critic", "corruption", "readout")} == {
        "n_components": 512, "encoder": "gcn", "critic": "bilinear", "corruption": "shuffle", "readout": "mean",
    }  # fmt: skip
    assert (dgi.mi_estimator, dgi.representation, dgi.learning_rate_init) == ("jsd", "code", 1e-3)
    assert dgi.early_stopping and dgi.n_iter_no_change == 20 and dgi.max_iter == 10_000
    assert DGITransformer.published(n_components=8, readout="max").get_params()["readout"] == "max"


def test_auto_goes_by_what_is_compared(communities):
    graph, _ = communities
    views, one = quick(n_components="auto").fit(graph), quick(n_components="auto", corruption="shuffle").fit(graph)
    kinds = [[type(part).__name__ for part in (m.net_.module_.encoder, m.net_.module_.critic)] for m in (views, one)]
    assert kinds == [["TwoLayerGCN", "Cosine"], ["GCN", "Bilinear"]]
    assert [sum("code" in name for name in m.get_feature_names_out()) for m in (views, one)] == [128, 512]


def test_words_in_a_dense_array_are_words():
    words = sparse.hstack([np.ones((60, 1)), sparse.random(60, 90, 0.05, random_state=0)], format="csr")
    _, adjacency, _ = make_community_graph(60, random_state=0)
    one, other = (quick().fit_transform(Graph(X, adjacency)) for X in (words, words.toarray()))
    np.testing.assert_allclose(one, other, atol=2e-4)


@pytest.mark.parametrize(("representation", "spread"), [("code", 2.0), ("auto", 2.5)])
def test_output_has_the_scale_it_says(communities, representation, spread):
    graph, _ = communities
    output = quick(representation=representation).fit_transform(graph)
    np.testing.assert_allclose(output.mean(0), 0, atol=1e-6)
    assert np.sqrt(np.square(output).sum(1).mean()) == pytest.approx(spread, abs=1e-5)


def test_training_raises_information(communities):
    short, long = (quick(max_iter=n).fit(communities[0]) for n in (1, 100))
    assert long.mutual_info_ > short.mutual_info_ + 0.1
    assert long.score(communities[0]) > short.score(communities[0])


def test_early_stopping_keeps_the_best_epoch(communities):
    dgi = quick(max_iter=100, n_iter_no_change=5, tol=0.01).fit(communities[0])
    assert dgi.n_iter_ < 100
    whole = quick(max_iter=100, n_iter_no_change=5, tol=0.01, early_stopping=False).fit(communities[0])
    assert whole.n_iter_ == 100


# Graphs and rows


def test_a_cut_graph_keeps_its_place_in_the_whole(communities):
    graph, _ = communities
    rows = np.arange(0, 300, 7)
    dgi = quick().fit(graph[rows])
    np.testing.assert_array_equal(dgi.transform(graph[rows]), dgi.transform(graph)[rows])
    np.testing.assert_array_equal(quick().fit(graph).transform(graph), dgi.transform(graph))


def test_a_graph_never_seen_is_encoded(communities):
    X, adjacency, _ = make_community_graph(random_state=0)
    order = np.random.default_rng(1).permutation(300)
    dgi = quick(max_iter=50, inductive=True).fit(communities[0])
    moved = dgi.transform(Graph(X[order], adjacency[order][:, order]))
    np.testing.assert_allclose(moved, dgi.transform(communities[0])[order], atol=1e-4)


def test_rows_become_a_graph_by_their_neighbours():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    X = 4 * np.eye(3)[y] @ rng.normal(size=(3, 10)) + rng.normal(size=(300, 10))
    model = pipeline(max_iter=30).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.95
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(10)])
    named = quick().fit(frame)
    assert list(named.feature_names_in_) == list(frame.columns)
    np.testing.assert_allclose(named.transform(frame), quick().fit(X).transform(X), atol=1e-9)
    sparse_rows = sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0))
    assert quick(representation="code").fit(sparse_rows).transform(sparse_rows).shape == (300, 16)


def test_new_rows_do_not_depend_on_their_company():
    X = np.random.default_rng(0).normal(size=(60, 4))
    dgi = quick().fit(X[:40])
    alone = np.vstack([dgi.transform(X[i : i + 1]) for i in range(40, 60)])
    np.testing.assert_allclose(alone, dgi.transform(X[40:]), atol=1e-6)


def test_isolated_nodes_and_components_are_nodes_like_others():
    X, adjacency, _ = make_community_graph(90, random_state=0)
    adjacency = adjacency.tolil()
    adjacency[:10], adjacency[:, :10] = 0, 0
    nodes = quick().fit_transform(Graph(X, adjacency))
    assert np.isfinite(nodes).all() and nodes[:10].std(0).max() > 0


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_output_has_the_type_of_the_features(communities, kind):
    graph = Graph(communities[0].features.astype(kind), communities[0].adjacency)
    assert quick().fit_transform(graph).dtype == kind


def test_names_of_nodes_features_are_kept():
    nodes = pd.DataFrame(np.eye(4), columns=list("abcd"))
    edges = pd.DataFrame({"source": [0, 1, 2], "target": [1, 2, 3]})
    graph = Graph.from_edges(nodes, edges)
    dgi = quick(n_components=2, representation="code").fit(graph)
    assert list(dgi.feature_names_in_) == list("abcd")
    assert list(dgi.get_feature_names_out()) == ["dgitransformer0", "dgitransformer1"]
    other = Graph.from_edges(nodes.rename(columns={"d": "e"}), edges)
    with pytest.raises(ValueError, match="feature names should match"):
        dgi.transform(other)


class Mean(nn.Module):
    """A user's encoder: the mean over neighbours, then a linear layer."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.linear = nn.Linear(n_features, n_components)

    def forward(self, X, adjacency):
        return torch.relu(self.linear(adjacency @ X))


@pytest.mark.parametrize("encoder", [Mean, Mean(32, 16)], ids=["callable", "module"])
def test_an_encoder_of_ones_own(communities, encoder):
    before = [weight.clone() for weight in encoder.parameters()] if isinstance(encoder, Mean) else []
    dgi = quick(encoder=encoder, representation="code").fit(communities[0])
    assert dgi.transform(communities[0]).shape == (300, 16)
    assert all(torch.equal(a, b) for a, b in zip(before, encoder.parameters(), strict=True)) if before else True


class Activated(nn.Module):
    """A layer of torch_geometric and a ReLU: alone it is linear, and graph and corrupted graph have the same mean."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, edge_index):
        return torch.relu(self.layer(x, edge_index))


@pytest.mark.parametrize("layer", ["GCNConv", "SAGEConv", "GINConv"])
def test_layers_of_torch_geometric(communities, layer):
    geometric = pytest.importorskip("torch_geometric.nn", reason="needs the extra [graph]")
    torch.manual_seed(0)  # of the layer's first weights, which are its maker's
    widths = (nn.Linear(32, 16),) if layer == "GINConv" else (32, 16)
    layer = Activated(getattr(geometric, layer)(*widths))
    dgi = summary(encoder=layer, max_iter=200, learning_rate_init=3e-3).fit(communities[0])
    assert dgi.loss_curve_[-1] < -0.05  # at 0 the corrupted graph is not told apart
    assert dgi.transform(communities[0]).shape == (300, 16)
    assert summary(encoder=geometric.GCNConv).fit(communities[0]).n_iter_ == 5
    assert summary(encoder=layer, batch_size=100).fit(communities[0]).n_iter_ == 5
    views = quick(encoder=layer, max_iter=40, representation="code").fit(communities[0])
    assert views.loss_curve_[-1] < views.loss_curve_[0] - 0.1
    assert quick(encoder=layer, batch_size=100).fit(communities[0]).n_iter_ == 5


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        *((quick, {"encoder": name}) for name in ("auto", *GRAPH_ENCODERS)),
        (quick, {"critic": "separable"}),
        (quick, {"mi_estimator": "jsd"}),
        *((summary, {"encoder": name}) for name in GRAPH_ENCODERS),
        *((summary, {"corruption": name}) for name in CORRUPTIONS),
        *((summary, {"readout": name}) for name in READOUTS),
        (summary, {"critic": "group"}),
        pytest.param(
            summary, {"corruption": lambda X, adjacency: ((X, adjacency), (X.flip(0), adjacency))}, id="corruption, own"
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
@pytest.mark.parametrize("batch_size", [None, 64])
def test_every_part_learns(communities, make, parameters, batch_size):
    epochs = (10 if make is quick else 40) if batch_size else (30 if make is quick else 150)
    dgi = make(**parameters, batch_size=batch_size, max_iter=epochs, learning_rate_init=3e-3).fit(communities[0])
    assert min(dgi.loss_curve_) < dgi.loss_curve_[0] - 0.03
    assert np.isfinite(dgi.transform(communities[0])).all()


def test_batches_find_communities_as_the_whole_graph_does():
    X, adjacency, y = make_community_graph(600, noise=3.0, random_state=0)
    nodes = DGITransformer(64, batch_size=150, fan_out=5, max_iter=20, random_state=0).fit_transform(
        Graph(X, adjacency)
    )
    found = adjusted_rand_score(y, KMeans(3, n_init=10, random_state=0).fit_predict(nodes))
    assert found > adjusted_rand_score(y, KMeans(3, n_init=10, random_state=0).fit_predict(X)) + 0.2


def test_large_graphs_are_trained_on_in_batches(communities, monkeypatch):
    steps = Steps()
    monkeypatch.setattr("sklearn_dim.dgi._estimator.LARGE_OF_VIEWS", 299)
    monkeypatch.setattr("sklearn_dim.dgi._estimator.BATCH_OF_VIEWS", 100)
    dgi = quick(max_iter="auto", n_components=16, callbacks=[steps]).fit(communities[0])
    assert Steps.counted == dgi.n_iter_ * 3
    Steps.counted = 0
    monkeypatch.setattr("sklearn_dim.dgi._estimator.LARGE_OF_VIEWS", 300)
    quick(callbacks=[steps]).fit(communities[0])
    assert Steps.counted == 5


# Several graphs, and graphs not seen whole


def test_several_graphs_each_with_its_summary():
    graphs = [Graph(*make_community_graph(n, random_state=n)[:2]) for n in (60, 40)]
    dgi = summary(corruption="other_graph", max_iter=50).fit(graphs)
    assert dgi.loss_curve_[-1] < dgi.loss_curve_[0] - 0.05
    nodes = dgi.transform(graphs)
    assert nodes.shape == (100, 16)
    np.testing.assert_allclose(dgi.transform(graphs[1]), nodes[60:], atol=1e-5)
    assert np.isfinite(dgi.score(graphs)) and np.isfinite(dgi.score([*graphs, *graphs]))
    with pytest.raises(ValueError, match="pass a list of Graphs"):
        dgi.score(graphs[0])
    np.testing.assert_array_equal(
        quick().fit(Graph.union(graphs)).transform(graphs), quick().fit(graphs).transform(graphs)
    )


def test_inductive_training_sees_the_rows_of_the_fold_only(communities):
    graph, _ = communities
    rows, others = np.arange(200), np.arange(200, 300)
    features = graph.features.copy()
    features[others] = 1e3
    edges = graph.adjacency.tolil()
    edges[others], edges[:, others] = 1, 1
    strange = Graph(features, edges.tocsr())
    seen = quick(inductive=True).fit(graph[rows])
    again = quick(inductive=True).fit(strange[rows])
    np.testing.assert_array_equal(seen.loss_curve_, again.loss_curve_)
    np.testing.assert_array_equal(seen.transform(graph), again.transform(graph))
    assert seen.loss_curve_ != quick().fit(graph[rows]).loss_curve_
    assert seen.transform(graph[others]).shape == (100, 16 + 3 * 32 + 6)


def test_directions_are_kept_or_made_symmetric():
    one_way = sparse.csr_matrix((np.ones(3), ([0, 1, 2], [1, 2, 3])), shape=(4, 4))
    both, kept = (quick(n_components=4).fit_transform(Graph(np.eye(4), one_way, directed=d)) for d in (False, True))
    assert np.isfinite(kept).all() and not np.allclose(both, kept)


def test_a_pickle_holds_no_training_graph(communities):
    graph, y = communities
    small = len(pickle.dumps(pipeline().fit(graph, y)))
    words = sparse.random(20_000, 32, 0.5, random_state=0).tocsr()
    many = Graph(words, sparse.identity(20_000).tocsr())
    assert len(pickle.dumps(quick(max_iter=1).fit(many))) < small + 20_000


class Steps(Callback):
    """Counts steps of training, over all copies."""

    counted = 0

    def on_batch_end(self, net, training=False, **kwargs):
        Steps.counted += training


# What it refuses


@pytest.mark.parametrize(
    "parameters, X, message",
    [
        ({}, np.array([[1.0, np.nan], [2.0, 3.0]]), "Input X contains NaN"),
        ({}, np.array([[1.0, np.inf], [2.0, 3.0]]), "Input X contains infinity"),
        ({}, np.empty((0, 4)), r"0 sample\(s\)"),
        ({}, np.ones((1, 4)), r"1 sample\(s\)"),
        ({}, np.array([["a", "b"], ["c", "d"]]), "X holds text, but .* takes numbers .* Encode it first"),
        ({}, Graph(np.ones((1, 4)), [[0]]), "a Graph needs at least two nodes"),
        ({"mi_estimator": "mine"}, np.eye(4), "The 'mi_estimator' parameter of DGITransformer must be .* Got 'mine'"),
        ({"n_components": "all"}, np.eye(4), "The 'n_components' parameter .* Got 'all'"),
        ({"device": "nowhere"}, np.eye(4), "device='nowhere' cannot be used here"),
        ({"encoder": nn.Linear(4, 16)}, np.eye(4), r"the encoder must map \(X, adjacency\) .* Linear does not"),
        ({"representation": "conv"}, np.eye(4), "The 'representation' parameter .* Got 'conv'"),
        ({"batch_size": 1}, np.eye(4), "The 'batch_size' parameter .* Got 1"),
        ({"fan_out": 0}, np.eye(4), "The 'fan_out' parameter .* Got 0"),
        ({"corruption": "other_graph"}, np.eye(4), "corruption='other_graph' .* Pass a list of Graphs"),
        ({"critic": "encode_and_dot"}, np.eye(4), "critic='encode_and_dot' .* one summary. Pass a list of Graphs"),
        ({"inductive": True}, Graph(np.eye(4), np.ones((4, 4)))[[0]], "a Graph needs at least two nodes"),
        ({"encoder": Mean(4, 7)}, np.eye(4), r"\(n_nodes, 16\), 16 columns as n_components says; Mean"),
    ],
)
def test_bad_input_is_named_and_nothing_is_half_fitted(parameters, X, message):
    dgi = quick(**parameters)
    with pytest.raises(ValueError, match=message):
        dgi.fit(X)
    assert not dgi.__sklearn_is_fitted__()


def test_rows_after_a_graph_and_other_widths_are_refused(communities):
    dgi = quick().fit(communities[0])
    with pytest.raises(ValueError, match="was fitted on a Graph, but X has plain rows"):
        dgi.transform(np.ones((3, 32)))
    with pytest.raises(ValueError, match="X has 3 features, but DGITransformer is expecting 32"):
        dgi.transform(Graph(np.eye(3), np.ones((3, 3))))


def test_edges_beside_x_are_refused_with_the_cure(communities):
    graph, _ = communities
    with pytest.raises(TypeError, match=r"fit takes no adjacency: .* Graph\(X, adjacency\)"):
        quick().fit(graph.features, adjacency=graph.adjacency)


def test_a_constant_column_carries_nothing_and_does_no_harm():
    X = np.random.default_rng(0).normal(size=(50, 4))
    X[:, 2] = 7.0
    assert np.isfinite(quick().fit_transform(X)).all()
    assert np.isfinite(quick().fit_transform(np.ones((50, 4)))).all()


def test_a_failed_fit_loses_nothing(communities):
    graph, _ = communities
    dgi = quick().fit(graph)
    before, history = dgi.transform(graph), dgi.history_
    for warm_start in (False, True):
        bound = "infonce" if warm_start else "nwj"
        dgi.set_params(learning_rate_init=1e30, mi_estimator=bound, early_stopping=False, warm_start=warm_start)
        if not warm_start:
            with pytest.raises(FloatingPointError, match="Lower learning_rate_init"):
                dgi.fit(graph)
        with pytest.raises(ValueError, match="NaN"):
            dgi.fit(np.full((9, 32), np.nan))
        np.testing.assert_array_equal(dgi.transform(graph), before)
        assert dgi.history_ is history and dgi.n_iter_ == 5


# How it behaves in scikit-learn


def test_grid_search_gives_the_same_scores_with_two_workers(communities):
    graph, y = communities
    grid = {"dgi__mi_estimator": ["jsd", "infonce"], "dgi__corruption": ["views", "shuffle"]}
    one, two = (GridSearchCV(pipeline(max_iter=3), grid, cv=2, n_jobs=n).fit(graph, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.best_params_ == two.best_params_
    assert cross_val_score(clone(one.best_estimator_), graph, y, cv=2).min() > 0.5


def test_pickle_and_joblib_predict_the_same_in_a_fresh_process(communities, tmp_path):
    graph, y = communities
    model = pipeline().fit(graph, y)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps((model, graph)))
    joblib.dump((model, graph), tmp_path / "model.joblib")
    np.savez(tmp_path / "data.npz", nodes=model[:-1].transform(graph), labels=model.predict(graph))
    code = """
import sys, pickle, joblib, numpy as np
data = np.load(sys.argv[1] + "/data.npz")
for model, graph in (pickle.load(open(sys.argv[1] + "/model.pkl", "rb")), joblib.load(sys.argv[1] + "/model.joblib")):
    assert (model[:-1].transform(graph) == data["nodes"]).all()
    assert (model.predict(graph) == data["labels"]).all()
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_random_state_decides_and_global_streams_are_left_alone(communities):
    graph, _ = communities
    torch.manual_seed(1)
    first = quick().fit(graph).transform(graph)
    state = torch.rand(3)
    torch.manual_seed(2)
    np.testing.assert_array_equal(first, quick().fit(graph).transform(graph))
    assert (first != quick(random_state=1).fit(graph).transform(graph)).any()
    torch.manual_seed(1)
    assert torch.equal(state, torch.rand(3))


def test_warm_start_goes_on(communities):
    dgi = quick(warm_start=True).fit(communities[0])
    first = dgi.net_
    assert dgi.fit(communities[0]).net_ is first and dgi.n_iter_ == len(dgi.history_) == 10
    assert quick().fit(communities[0]).fit(communities[0]).n_iter_ == 5


# What is no Graph


def test_an_adjacency_in_the_place_of_y_is_refused():
    X, A = np.eye(6), np.eye(6, k=1) + np.eye(6, k=-1)
    for adjacency in (A, sparse.csr_matrix(A), A.tolist(), sparse.coo_array(A)):
        with pytest.raises(TypeError, match=r"shape \(6, 6\), as an adjacency has.*fit\(Graph\(X, adjacency\)\)"):
            quick().fit(X, adjacency)
        with pytest.raises(TypeError, match="as an adjacency has"):
            quick().fit_transform(X, adjacency)
    for labels in (np.arange(6), np.eye(6)[:, :2], None, list("aabbcc")):
        quick(n_neighbors=2).fit(X, labels)


@pytest.mark.parametrize("kind", ["networkx", "pyg", "tuple"])
def test_graphs_of_other_packages_are_refused_with_what_takes_them(kind):
    networkx = pytest.importorskip("networkx")
    X = {
        "networkx": lambda: networkx.path_graph(5),
        "pyg": lambda: pytest.importorskip("torch_geometric").data.Data(
            x=torch.eye(3), edge_index=torch.zeros(2, 0).long()
        ),
        "tuple": lambda: (np.eye(5), np.eye(5, k=1)),
    }[kind]()
    cure = {"networkx": r"Graph\.from_networkx\(X\)", "pyg": r"Graph\.from_pyg\(X\)", "tuple": r"Graph\(features, adj"}
    with pytest.raises(TypeError, match=f"expected a Graph, a list of Graphs, or plain rows.*{cure[kind]}"):
        quick().fit(X)
