"""Leading axes of documents: scikit-learn's TF-IDF and truncated SVD are the oracle."""

import copy

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from sklearn_dim.data import sparse_tensor
from sklearn_dim.encoders import BagEncoder, TokenEncoder, WordAxes
from sklearn_dim.encoders._word_axes import word_counts


def counts(n=60, n_words=40, seed=0):
    """Return counts of words of which a document uses one half or the other."""
    rng = np.random.default_rng(seed)
    rates = np.where((np.arange(n)[:, None] + np.arange(n_words)) % 2, 1.0, 0.1) / np.arange(1, n_words + 1)
    return sparse.csr_matrix(rng.poisson(4 * rates).astype(float))


def expected(rows, k):
    svd = TruncatedSVD(k, algorithm="arpack", random_state=0)
    axes = svd.fit_transform(normalize(rows))
    return normalize(axes - axes.mean(0))


def same_axes(found, wanted):
    """Compare columns, each of which may have another sign."""
    signs = np.sign((found * wanted).sum(0))
    np.testing.assert_allclose(found * signs, wanted, atol=2e-3)


@pytest.mark.parametrize("weighted", [False, True])
def test_axes_are_those_of_truncated_svd(weighted):
    rows = counts()
    tfidf = TfidfTransformer(sublinear_tf=True).fit_transform(rows)
    axes = WordAxes.fit(3 * tfidf if weighted else rows, 3)
    assert (axes.idf is None) == weighted
    same_axes(axes(sparse_tensor(tfidf if weighted else rows)).numpy(), expected(tfidf, 3))


def test_dense_sparse_and_single_rows_agree_and_float64_too():
    rows = counts()
    axes = WordAxes.fit(rows, 5)
    dense = torch.tensor(rows.toarray())
    found = axes(dense)
    assert found.dtype == torch.float32 and found.shape == (60, 5)
    torch.testing.assert_close(axes(sparse_tensor(rows)), found)
    torch.testing.assert_close(axes(dense[:1]), found[:1])
    torch.testing.assert_close(copy.deepcopy(axes).double()(dense).float(), found, atol=1e-5, rtol=0)


def test_word_numbers_are_counted():
    rows = counts()
    rng = np.random.default_rng(0)
    documents = [rng.permutation(np.repeat(row.indices + 1, row.data.astype(int))) for row in rows]
    words = np.array([np.pad(document, (0, 60 - len(document))) for document in documents])
    axes = WordAxes.fit(words, 3, vocabulary_size=41)
    assert axes.vocabulary_size == 41 and not axes.takes_sparse
    same_axes(axes(torch.tensor(words)).numpy(), expected(TfidfTransformer(sublinear_tf=True).fit_transform(rows), 3))
    strange = torch.tensor(np.hstack([words, np.full((60, 1), 99), np.full((60, 1), -1)]))
    torch.testing.assert_close(axes(strange.float()), axes(torch.tensor(words)))
    np.testing.assert_array_equal(word_counts(strange, 41).to_dense().numpy()[:, 1:], rows.toarray())


def test_a_document_without_words_is_zeros_and_others_have_unit_length():
    rows = counts()
    found = WordAxes.fit(rows, 4)(torch.tensor(np.vstack([np.zeros((1, 40)), rows.toarray()])))
    assert not found[0].any()
    torch.testing.assert_close(found[1:].norm(dim=1), torch.ones(60))


def test_there_are_no_more_axes_than_documents_or_words_have():
    rows = counts(n=4)
    assert WordAxes.fit(rows).components.shape[1] == 4
    assert WordAxes.fit(sparse.csr_matrix(np.eye(3)[[0, 1, 0, 1]]) * 0.5).components.shape == (2, 2)
    assert not WordAxes.fit(sparse.csr_matrix((4, 3)))(torch.ones(2, 3)).isnan().any()


def test_columns_without_words_cost_nothing_and_are_ignored():
    rows = counts()
    wide = sparse.hstack([sparse.csr_matrix((60, 10**6)), rows], format="csr")
    axes = WordAxes.fit(wide, 3)
    assert axes.components.shape == (40, 3)
    torch.testing.assert_close(axes(sparse_tensor(wide)), WordAxes.fit(rows, 3)(sparse_tensor(rows)))
    other = wide[:1].tolil()
    other[0, 5] = 7
    torch.testing.assert_close(axes(sparse_tensor(other.tocsr())), axes(sparse_tensor(wide[:1])))


def test_zeros_that_are_stored_are_no_words():
    rows = counts()
    stored = rows.copy()
    stored.data[::5] = 0
    gone = stored.copy()
    gone.eliminate_zeros()
    one, other = WordAxes.fit(stored, 3), WordAxes.fit(gone, 3)
    torch.testing.assert_close(one(sparse_tensor(stored)), other(sparse_tensor(gone)))


def test_the_same_seed_draws_the_same_rows(monkeypatch):
    monkeypatch.setattr("sklearn_dim.encoders._word_axes.MAX_ROWS", 20)
    first, again, other = (WordAxes.fit(counts(), 3, random_state=seed).mean for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_encoders_start_from_the_axes():
    rows = counts()
    axes = WordAxes.fit(rows, 3)
    bag = BagEncoder(40, 2).eval()
    bag.start_from(axes)
    total = bag(torch.tensor(rows.toarray(), dtype=torch.float32)).locations.sum(1)[:, :3].detach()
    wanted = normalize(rows) @ (axes.idf[:, None] * axes.components).numpy()
    np.testing.assert_allclose(total, 10 * (40 / 64) ** 0.5 * wanted, rtol=1e-4)

    words = np.arange(1, 13).reshape(4, 3)
    axes = WordAxes.fit(words, 2, vocabulary_size=13)
    tokens = TokenEncoder(13, 2, n_locations=1).eval()
    before = tokens.words.weight[[0, -1]].clone()
    tokens.start_from(axes)
    found = tokens(torch.tensor(words)).locations[:, 0, :2].detach()
    torch.testing.assert_close(found, 0.3 * 12**0.5 * axes.components.unflatten(0, (4, 3)).mean(1))
    assert torch.equal(tokens.words.weight[[0, -1]], before)  # padding and the unknown word
