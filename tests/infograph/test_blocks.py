"""``representation="auto"``: the code and three blocks that need no training, side by side."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_dim import Graph, GraphInfomaxTransformer
from sklearn_dim.infograph._blocks import LENGTHS, FixedBlocks
from sklearn_dim.infograph._input import fit_scaler
from sklearn_dim.persistence import load, save


def quick(**parameters):
    return GraphInfomaxTransformer(**{"n_components": 6, "max_iter": 1, "random_state": 0, **parameters})


def weighted(rng, n):
    return np.triu(rng.random((n, n)) < 3 / n, 1) * rng.exponential(size=(n, n))


def graphs_of(kind, n_graphs=30, seed=0):
    rng = np.random.default_rng(seed)
    graphs = []
    for n in rng.integers(1, 16, size=n_graphs):
        features = {
            "tags": lambda n=n: np.eye(3)[rng.integers(3, size=n)],
            "numbers": lambda n=n: rng.normal(5, 3, size=(n, 4)),
            "alike": lambda n=n: np.ones((n, 1)),
            "many": lambda n=n: sparse.random(n, 150, 0.1, format="csr", random_state=int(rng.integers(100))),
        }[kind]()
        graphs.append(Graph(features, weighted(rng, n)))
    return graphs


@pytest.fixture(scope="module", params=["tags", "numbers", "alike", "many"])
def fitted(request):
    graphs = graphs_of(request.param)
    return quick().fit(graphs), graphs


def blocks_of(model, graphs):
    """Return the output as a frame, and the columns of each block by its name."""
    output = pd.DataFrame(model.transform(graphs), columns=model.get_feature_names_out())
    return output, output.T.groupby(lambda name: name.split("_")[1].rstrip("0123456789")).groups


def turned(graph, rng):
    """Return the graph with its nodes in another order."""
    order = rng.permutation(len(graph))
    return Graph(graph.features[order], graph.adjacency[order][:, order], directed=graph.directed)


def test_blocks_have_their_lengths_and_are_centred(fitted):
    model, graphs = fitted
    output, blocks = blocks_of(model, graphs)
    assert list(blocks) == list(LENGTHS) and len(blocks["code"]) == 6
    np.testing.assert_allclose(output.mean(), 0, atol=1e-5)
    for name, own in blocks.items():
        assert output[own].var(ddof=0).sum() == pytest.approx(LENGTHS[name] ** 2, rel=1e-3), name


def test_the_code_is_that_of_representation_code(fitted):
    model, graphs = fitted
    output, blocks = blocks_of(model, graphs)
    alone = clone(model).set_params(representation="code").fit(graphs)
    codes = StandardScaler().fit_transform(output[blocks["code"]])
    assert alone.get_feature_names_out().tolist() == [f"graphinfomaxtransformer{i}" for i in range(6)]
    np.testing.assert_allclose(codes, alone.transform(graphs), atol=1e-4)


def test_a_row_depends_on_neither_company_nor_order(fitted):
    model, graphs = fitted
    together, rng = model.transform(graphs), np.random.default_rng(0)
    np.testing.assert_allclose(np.vstack([model.transform([graph]) for graph in graphs]), together, atol=1e-4)
    np.testing.assert_allclose(model.transform([turned(graph, rng) for graph in graphs]), together, atol=1e-4)


def test_only_training_graphs_are_looked_at():
    graphs, others = graphs_of("many"), graphs_of("many", seed=1)
    rows, blocks = np.arange(20), []
    for rest in (graphs[20:], others[20:]):
        union = Graph.union(graphs[:20] + rest)
        features = fit_scaler(union.features[union.parts < 20]).transform(union.features)
        blocks.append(FixedBlocks().fit(union, features, rows)(union, features)[:20])
    np.testing.assert_allclose(*blocks, atol=1e-8)


def test_graphs_unlike_those_at_fit(fitted):
    model, graphs = fitted
    n_features = graphs[0].shape[1]
    star = np.zeros((200, 200))
    star[0, 1:] = 100.0
    strange = [Graph(np.full((200, n_features), 77.0), star), Graph(np.zeros((1, n_features)), [[0]])]
    assert np.isfinite(model.transform(strange)).all()
    _, blocks = blocks_of(model, graphs)
    subtrees = pd.DataFrame(model.transform(strange), columns=model.get_feature_names_out())[blocks["subtrees"]]
    assert (subtrees.iloc[0] != subtrees.iloc[1]).any()  # none of their features is known, but how many nodes they have


@pytest.mark.parametrize("directed", [False, True])
def test_an_edge_one_way_counts_as_it_says(directed):
    rng = np.random.default_rng(0)
    one_way = [Graph(np.ones((n, 1)), weighted(rng, n), directed=directed) for n in range(5, 20)]
    other_way = [Graph(graph.features, graph.adjacency.T, directed=directed) for graph in one_way]
    same = np.allclose(quick().fit_transform(one_way), quick().fit(one_way).transform(other_way), atol=1e-4)
    assert same is not directed


def test_float32_gives_nearly_the_numbers_of_float64():
    graphs = graphs_of("numbers")
    singles = [Graph(graph.features.astype(np.float32), graph.adjacency) for graph in graphs]
    output = quick().fit(singles).transform(singles)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, quick().fit(graphs).transform(graphs), atol=2e-2)


def test_copies_and_files_give_the_same_numbers(fitted, tmp_path):
    model, graphs = fitted
    expected = model.transform(graphs)
    save(model, tmp_path)
    for copy in (pickle.loads(pickle.dumps(model)), load(tmp_path)):
        np.testing.assert_array_equal(copy.transform(graphs), expected)
        assert copy.get_feature_names_out().tolist() == model.get_feature_names_out().tolist()


def test_a_warm_start_keeps_the_columns_and_takes_the_representation_as_it_is_now():
    graphs = graphs_of("tags")
    model = quick(warm_start=True).fit(graphs)
    width = model.transform(graphs).shape[1]
    assert model.fit(graphs[:5]).transform(graphs).shape[1] == len(model.get_feature_names_out()) == width
    model.set_params(representation="code")
    assert model.transform(graphs).shape[1] == width  # as it was fitted
    assert model.fit(graphs).transform(graphs).shape[1] == 6
    assert model.set_params(representation="auto").fit(graphs).transform(graphs).shape[1] == width


def test_equal_graphs_become_zeros():
    graphs = [graphs_of("tags")[0]] * 4
    np.testing.assert_allclose(quick().fit(graphs).transform(graphs), 0, atol=1e-6)


def test_the_representation_can_be_searched():
    graphs = graphs_of("tags")
    y = np.array([len(graph) > 7 for graph in graphs])
    search = GridSearchCV(
        make_pipeline(quick(), SVC()), {"graphinfomaxtransformer__representation": ["auto", "code"]}, cv=2
    )
    assert np.isfinite(search.fit(graphs, y).cv_results_["mean_test_score"]).all()
    with pytest.raises(ValueError, match=r"The 'representation' parameter of GraphInfomax.* Got 'conv'"):
        quick(representation="conv").fit(graphs)
