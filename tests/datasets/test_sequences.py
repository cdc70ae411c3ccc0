"""Generators of sequences and documents, against what they say they make; documents that every installation has."""

import re

import numpy as np
import pytest

from sklearn_dim.datasets import load_docstrings, make_motif_sequences, make_topic_corpus


def test_without_noise_a_sequence_is_its_class_s_motif_somewhere():
    X, y = make_motif_sequences(60, 2, 40, n_classes=3, motif_length=10, noise=0, random_state=0)
    spectra = np.fft.rfft(X, axis=2)
    one = (np.abs(X).sum(1) > 0).sum(1) == 10  # the others have two motifs
    assert 10 < one.sum() < 50

    def likeness(i, j):
        """Return the largest correlation of two sequences, one turned on a circle."""
        turned = np.fft.irfft(spectra[i] * spectra[j].conj(), n=40, axis=1).sum(0)
        return turned.max() / np.sqrt(np.square(X[i]).sum() * np.square(X[j]).sum())

    for i in np.flatnonzero(one):
        for j in np.flatnonzero(one):
            assert likeness(i, j) == pytest.approx(1) if y[i] == y[j] else likeness(i, j) < 0.95


def test_motifs_lie_anywhere_whatever_the_class():
    X, y = make_motif_sequences(4000, 1, 32, n_classes=2, motif_length=8, noise=0, random_state=0)
    for label in (0, 1):
        own = X[y == label, 0]
        # A motif of zero mean and a uniform place: every place has mean 0; five standard errors.
        assert np.abs(own.mean(0)).max() < 5 * own.std() / np.sqrt(len(own))
        there = (own != 0).mean(0)
        assert there.max() - there.min() < 0.1


def test_noise_has_its_variance_and_neighbours_are_correlated():
    X, _ = make_motif_sequences(500, 1, 200, n_classes=1, motif_length=1, noise=2.0, random_state=0)
    X = X[:, 0]  # a motif of one place is 0
    assert X.std() == pytest.approx(2, abs=0.05)
    assert np.corrcoef(X[:, :-1].ravel(), X[:, 1:].ravel())[0, 1] == pytest.approx(0.7, abs=0.02)


def test_pure_documents_have_their_topics_words_and_two_kinds_of_author():
    X, y = make_topic_corpus(200, 200, n_topics=4, background=0, purity=1, random_state=0)
    words = [{int(word) for word in row if word} for row in X]
    of_topic = [set().union(*(words[i] for i in np.flatnonzero(y == topic))) for topic in range(4)]
    for a in range(4):
        assert len(of_topic[a]) <= 200 // 2 // 4
        assert all(a == b or not of_topic[a] & of_topic[b] for b in range(4))
    mine = [words[i] for i in np.flatnonzero(y == 0)]
    alike = [bool(mine[0] & other) for other in mine]  # the commonest concept is in nearly all of them
    first, second = (set().union(*(w for w, same in zip(mine, alike, strict=True) if same == kind)) for kind in (1, 0))
    assert 0.2 < np.mean(alike) < 0.8 and not first & second


def test_words_follow_zipf_and_documents_end_in_zeros():
    X, y = make_topic_corpus(2000, 400, n_topics=2, length=(10, 50), background=1, random_state=0)
    counts = np.sort(np.bincount(X[X > 0]))[::-1]
    assert counts[0] / counts[1] == pytest.approx(2, rel=0.1) and counts[0] / counts[9] == pytest.approx(10, rel=0.2)
    lengths = (X > 0).sum(1)
    assert lengths.min() == 10 and lengths.max() == 50 and X.max() <= 400
    assert (np.sort(X > 0, axis=1)[:, ::-1] == (X > 0)).all()
    assert np.bincount(y).tolist() == [1000, 1000]


def test_generators_refuse_what_has_no_room():
    with pytest.raises(ValueError, match="motif_length=20 does not fit twice into length=30; give at most 15"):
        make_motif_sequences(length=30, motif_length=20)
    with pytest.raises(ValueError, match="n_words=30 leaves no words for n_topics=8; give at least 32"):
        make_topic_corpus(n_words=30)


def test_the_same_seed_gives_the_same_data():
    for make in (make_motif_sequences, make_topic_corpus):
        first, again, other = (make(50, random_state=seed)[0] for seed in (3, 3, 4))
        assert (first == again).all() and (first != other).any()


def test_docstrings_are_those_of_the_modules():
    X, y, words = load_docstrings(["numpy.fft", "numpy.linalg"], length=50)
    assert set(y) == {"numpy.fft", "numpy.linalg"} and len(X) == len(y) > 30
    own = [word for word in re.findall("[a-z]{2,}", np.fft.rfft.__doc__.lower()) if word in set(words)][:50]
    assert any([words[i] for i in row if i] == own for row in X[y == "numpy.fft"])
    assert not {"numpy", "np", "fft", "linalg"} & set(words)
    assert words[0] == "" and (np.sort(X > 0, axis=1)[:, ::-1] == (X > 0)).all()
    whole = load_docstrings(["numpy.fft", "numpy.linalg"], length=5000)[0]
    documents = [(whole == number).any(1).sum() for number in range(1, len(words))]
    assert documents == sorted(documents, reverse=True) and documents[-1] == 2
