"""Generators of sequences and documents with known classes."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_dim._arguments import checked


@checked(
    n_samples="[1, inf)",
    n_channels="[1, inf)",
    length="[1, inf)",
    n_classes="[1, inf)",
    motif_length="[1, inf)",
    noise="[0, inf)",
)
def make_motif_sequences(
    n_samples: int = 1000,
    n_channels: int = 3,
    length: int = 128,
    *,
    n_classes: int = 4,
    motif_length: int = 16,
    noise: float = 0.5,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of noise with short motifs at random positions; the shape of the motif is the class.

    Positions are independent of the class, so the mean of a class is flat and linear methods find little. A motif is
    random and smooth, with unit variance in each channel. Its size differs between samples. A sequence has one motif
    or two, independently of its class. The noise is an AR(1) process with coefficient 0.7.

    Parameters
    ----------
    n_samples : int, default=1000
    n_channels : int, default=3
    length : int, default=128
    n_classes : int, default=4
    motif_length : int, default=16
        Length of a motif, at most half the length of the sequence.
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
    # One motif in the first half, with probability ½ another in the second half, so that the two never overlap.
    for first, probability in ((0, 1.0), (half, 0.5)):
        size = (random.uniform(size=n_samples) < probability) * random.uniform(0.75, 1.25, size=n_samples)
        start = first + random.randint(half - motif_length + 1, size=n_samples)
        positions = start[:, None] + np.arange(motif_length)
        X[np.arange(n_samples)[:, None], :, positions] += (size[:, None, None] * motifs[y]).transpose(0, 2, 1)
    shift = random.randint(length, size=n_samples)  # on a circle, so that all positions have the same probability
    return np.take_along_axis(X, (np.arange(length) + shift[:, None])[:, None, :] % length, axis=2), y


RUN_LENGTH = 5  # words in a row on one topic, in the mean


@checked(
    n_samples="[1, inf)",
    n_words="[1, inf)",
    n_topics="[1, inf)",
    length="[1, inf)",
    background="[0, 1]",
    purity="[0, 1]",
)
def make_topic_corpus(
    n_samples: int = 1000,
    n_words: int = 2000,
    *,
    n_topics: int = 8,
    length: tuple[int, int] = (30, 90),
    background: float = 0.6,
    purity: float = 0.7,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return documents as word numbers, each mostly about one of several topics.

    A document mixes its topic with a few others. Its words come in runs on one topic, five words long in the mean. A
    fraction of the words belongs to no topic. Word frequencies follow Zipf's law, both within a topic and outside all
    topics. Topics share no words. A topic has concepts, and each concept has two synonyms. There are two kinds of
    author, each of whom uses only one synonym of every concept. So documents on one topic by different kinds of author
    have few words in common.

    Parameters
    ----------
    n_samples : int, default=1000
    n_words : int, default=2000
        Size of the vocabulary, of which half belongs to no topic.
    n_topics : int, default=8
    length : tuple (min, max), default=(30, 90)
        Words in a document.
    background : float in [0, 1], default=0.6
        Fraction of words that belong to no topic.
    purity : float in [0, 1], default=0.7
        Probability that a run is on the document's topic; otherwise its topic is drawn from all.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, max length)
        Words from 1 to n_words, numbered in random order; 0 after the end of a document.
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
    min_length, max_length = length
    shape = (n_samples, max_length)
    y = random.permutation(np.arange(n_samples) % n_topics)
    pure = random.uniform(size=shape) < purity
    topic = np.where(pure, y[:, None], random.randint(n_topics, size=shape))
    begins = random.uniform(size=shape) < 1 / RUN_LENGTH
    begins[:, 0] = True
    start = np.maximum.accumulate(np.where(begins, np.arange(max_length), 0), axis=1)  # of each word's run
    topic = np.take_along_axis(topic, start, axis=1)
    author = random.randint(2, size=(n_samples, 1))
    topical = (topic * concepts + _zipf(random, concepts, shape)) * 2 + author
    n_topical = n_topics * concepts * 2
    in_background = random.uniform(size=shape) < background
    words = np.where(in_background, n_topical + _zipf(random, n_words - n_topical, shape), topical)
    words = 1 + random.permutation(n_words)[words]
    ends = random.randint(min_length, max_length + 1, size=(n_samples, 1))
    return np.where(np.arange(max_length) < ends, words, 0), y


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return moving means of three values along the last axis, standardised along it."""
    padded = np.pad(values, [*[(0, 0)] * (values.ndim - 1), (1, 1)], mode="edge")
    smooth = padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]
    smooth -= smooth.mean(-1, keepdims=True)
    return smooth / np.maximum(smooth.std(-1, keepdims=True), 1e-12)


def _ar1(values: np.ndarray, coefficient: float = 0.7) -> np.ndarray:
    """Turn white noise along the last axis into an AR(1) process of the same variance, in place."""
    for position in range(1, values.shape[-1]):
        values[..., position] *= np.sqrt(1 - coefficient**2)
        values[..., position] += coefficient * values[..., position - 1]
    return values


def _zipf(random: np.random.RandomState, n: int, shape: tuple[int, ...]) -> np.ndarray:
    """Draw ranks 0 … n − 1 with probabilities proportional to 1/(rank + 1)."""
    cumulated = np.cumsum(1 / np.arange(1, n + 1))
    return np.searchsorted(cumulated / cumulated[-1], random.uniform(size=shape), side="right").clip(max=n - 1)
