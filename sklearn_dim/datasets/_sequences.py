"""Sequences and documents whose classes are known."""

import numpy as np
from sklearn.utils import check_random_state


def make_motif_sequences(
    n_samples=1000, n_channels=3, length=128, *, n_classes=4, motif_length=16, noise=0.5, random_state=None
):
    """Return noise with short motifs at random places; the motif's shape is the class.

    Places are independent of the class, so the mean of a class is flat and linear methods find little. A motif is
    random and smooth, of unit variance in each channel, its size differs between samples, and every sequence has as
    many motifs, one or two, whatever its class. The noise is that of an AR(1) process with coefficient 0.7.

    Parameters
    ----------
    n_samples : int, default=1000
    n_channels : int, default=3
    length : int, default=128
    n_classes : int, default=4
    motif_length : int, default=16
        At most half the length.
    noise : float, default=0.5
        Standard deviation of the noise.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, n_channels, length)
    y : ndarray of shape (n_samples,)
        The class.

    Examples
    --------
    >>> from sklearn_dim.datasets import make_motif_sequences
    >>> X, y = make_motif_sequences(20, random_state=0)
    >>> X.shape, y.shape
    ((20, 3, 128), (20,))
    """
    if not 1 <= motif_length <= length // 2:
        raise ValueError(
            f"motif_length={motif_length} does not fit twice into length={length}; give at most {length // 2}."
        )
    random = check_random_state(random_state)
    motifs = _smooth(random.normal(size=(n_classes, n_channels, motif_length)))
    y = random.permutation(np.arange(n_samples) % n_classes)
    X = noise * _ar1(random.normal(size=(n_samples, n_channels, length)))
    half = length // 2
    for first, chance in ((0, 1.0), (half, 0.5)):  # one half of the sequence each, so that two never overlap
        there = (random.uniform(size=n_samples) < chance) * random.uniform(0.75, 1.25, size=n_samples)
        start = first + random.randint(half - motif_length + 1, size=n_samples)
        places = start[:, None] + np.arange(motif_length)
        X[np.arange(n_samples)[:, None], :, places] += (there[:, None, None] * motifs[y]).transpose(0, 2, 1)
    turn = random.randint(length, size=n_samples)  # on a circle, so that no place is likelier than another
    return np.take_along_axis(X, (np.arange(length) + turn[:, None])[:, None, :] % length, axis=2), y


def make_topic_corpus(
    n_samples=1000, n_words=2000, *, n_topics=8, length=(30, 90), background=0.6, purity=0.7, random_state=None
):
    """Return documents of word numbers, each mostly about one of several topics.

    A document mixes its topic with a few others. Its words come in runs of a topic, about five words long. A share
    of the words belong to no topic. Words of a topic and those of none have frequencies after Zipf's law. A topic has
    its words for itself; every concept of it has two of them, synonyms, and an author uses one kind throughout, so
    documents on one topic by different kinds of author have few words in common.

    Parameters
    ----------
    n_samples : int, default=1000
    n_words : int, default=2000
        Size of the vocabulary, of which half belongs to no topic.
    n_topics : int, default=8
    length : tuple (least, most), default=(30, 90)
        Words in a document.
    background : float in [0, 1], default=0.6
        Share of words that belong to no topic.
    purity : float in [0, 1], default=0.7
        Mean share of the document's own topic in the other words.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, most)
        Words from 1 to n_words, numbered in random order; 0 after a document's end.
    y : ndarray of shape (n_samples,)
        The topic that the document is mostly about.

    Examples
    --------
    >>> from sklearn_dim.datasets import make_topic_corpus
    >>> X, y = make_topic_corpus(20, random_state=0)
    >>> X.shape, y.shape
    ((20, 90), (20,))
    """
    random = check_random_state(random_state)
    concepts = n_words // 2 // n_topics // 2
    if concepts < 1:
        raise ValueError(f"n_words={n_words} leaves no words for n_topics={n_topics}; give at least {4 * n_topics}.")
    least, most = length
    shape = (n_samples, most)
    y = random.permutation(np.arange(n_samples) % n_topics)
    alone = random.uniform(size=shape) < purity
    topic = np.where(alone, y[:, None], random.randint(n_topics, size=shape))
    begins = random.uniform(size=shape) < 0.2
    begins[:, 0] = True
    run = np.maximum.accumulate(np.where(begins, np.arange(most), 0), axis=1)
    topic = np.take_along_axis(topic, run, axis=1)
    author = random.randint(2, size=(n_samples, 1))
    own = (topic * concepts + _zipf(random, concepts, shape)) * 2 + author
    n_topical = n_topics * concepts * 2
    words = np.where(
        random.uniform(size=shape) < background, n_topical + _zipf(random, n_words - n_topical, shape), own
    )
    words = 1 + random.permutation(n_words)[words]
    ends = random.randint(least, most + 1, size=(n_samples, 1))
    return np.where(np.arange(most) < ends, words, 0), y


def _smooth(values):
    """Return a moving mean of values along the last axis, of zero mean and unit variance."""
    padded = np.pad(values, [*[(0, 0)] * (values.ndim - 1), (1, 1)], mode="edge")
    smooth = padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]
    smooth -= smooth.mean(-1, keepdims=True)
    return smooth / np.maximum(smooth.std(-1, keepdims=True), 1e-12)


def _ar1(values, coefficient=0.7):
    """Turn white noise along the last axis into that of an AR(1) process of the same variance."""
    for place in range(1, values.shape[-1]):
        values[..., place] *= np.sqrt(1 - coefficient**2)
        values[..., place] += coefficient * values[..., place - 1]
    return values


def _zipf(random, n, shape):
    """Draw ranks 0 … n − 1 with chances in proportion to 1/(rank + 1)."""
    chance = np.cumsum(1 / np.arange(1, n + 1))
    return np.searchsorted(chance / chance[-1], random.uniform(size=shape), side="right").clip(max=n - 1)
