"""Typical mistakes: every message says what was given, what is taken, and what to do."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sklearn_dim import DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator

ROWS = np.random.default_rng(0).normal(size=(20, 4))
GRAPH = Graph(ROWS, np.roll(np.eye(20), 1, axis=0))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (ROWS + 1j, ValueError, r"^Complex data not supported: X holds complex numbers, but DIM\S+ takes real .*Pass"),
        (ROWS[:, 0], ValueError, r"got 1D array instead: X has shape \(20,\), but .* X\.reshape\(-1, 1\)"),
        (np.where(ROWS[3, 1] == ROWS, np.inf, ROWS), ValueError, "Input X contains infinity or a value .*Clip it"),
        (ROWS[:1], ValueError, r"1 sample\(s\) .* minimum of 2 is required by DIM\S+, which learns .* Give more"),
        (nx.path_graph(5), TypeError, "X is a Graph of networkx, but DIM.* Use DGITransformer"),
        (GRAPH, TypeError, "X is a Graph of sklearn_dim, but DIM.* Use DGITransformer"),
        (["a/1.png", "a/2.JPG"], ValueError, r"X\[0\] is 'a/1.png', the name of a file, but .*Image\.open"),
        ([Path("a/1.txt"), Path("a/2.txt")], ValueError, r"X\[0\] is 'a/1.txt', the name of a file, .*read_text"),
        ("photos/", ValueError, "X is a single string, .*opens no files. Pass a list of strings; of a folder"),
    ],
)
def test_what_a_transformer_refuses(X, error, message):
    with pytest.raises(error, match=message) as refused:
        DIMTransformer(max_iter=1).fit(X)
    assert len(str(refused.value)) < 300  # not all numbers of X


def test_sentences_that_name_files_are_documents():
    texts = ["see notes.txt", "and photo.png", "or photo.png", "see notes"] * 3
    assert DIMTransformer(2, max_iter=1).fit(texts).input_kind_ == "documents"


@pytest.mark.parametrize(
    ("estimator", "X"), [(DIMTransformer(2, max_iter=1), ROWS), (GraphInfomaxTransformer(2, max_iter=1), [GRAPH] * 20)]
)
def test_an_ignored_y_has_the_length_of_x(estimator, X):
    with pytest.raises(ValueError, match=r"X has 20 rows, but y has 19\. y is ignored in training, but .* leave y out"):
        estimator.fit(X, np.arange(19))
    estimator.fit(X, np.arange(20))


def test_a_side_of_one_dimension_is_not_printed():
    with pytest.raises(ValueError, match=r"got 1D array instead: X has shape \(20,\), but Mutual.* X.reshape\(-1, 1\)"):
        MutualInfoEstimator().fit(ROWS[:, 0], ROWS[:, 1])
    with pytest.raises(ValueError, match="Complex data not supported: y holds complex numbers, but mutual information"):
        MutualInfoEstimator().fit(ROWS, ROWS[:, 1] + 1j)


def test_a_target_has_the_length_of_x():
    with pytest.raises(ValueError, match=r"X has 20 rows, but y has 19\. Row i of both is one observation: pass"):
        MutualInfoEstimator().fit(ROWS, ROWS[:19])
    with pytest.raises(ValueError, match="but given has 19"):
        MutualInfoEstimator().fit(ROWS, ROWS, given=ROWS[:19])


def test_a_constant_table_is_warned_of():
    with pytest.warns(UserWarning, match=r"X of shape \(20, 3\) is constant: its rows are equal"):
        DIMTransformer(2, max_iter=1).fit(np.ones((20, 3)))


def test_square_sequences_are_warned_of():
    with pytest.warns(UserWarning, match=r"sequences of 8 channels\. If its samples are grey images, .*X\[:, None\]"):
        DIMTransformer(2, max_iter=1).fit(np.random.default_rng(0).normal(size=(20, 8, 8)))
