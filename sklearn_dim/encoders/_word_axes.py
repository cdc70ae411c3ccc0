"""Leading axes of documents: latent semantic analysis (Deerwester et al., JASIS 1990), which needs no training.

Documents in which the same words occur, or words that occur beside the same ones, lie in the same direction.
"""

from typing import Any, Self

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd
from torch import Tensor, nn

from sklearn_dim.encoders._fixed import FixedFeatures

MAX_ROWS = 10_000  # to compute axes from, drawn at random from more
TINY = 1e-6  # of the largest: smaller singular values are rounding errors


class WordAxes(FixedFeatures):
    """Maps rows of words to their leading axes, as rows of unit length.

    Rows are weighted, scaled to unit length, projected on axes, centred, and scaled to unit length again. Rows without
    known words become zeros. To classifiers with a penalty and to nearest neighbours all documents then count alike,
    however long they are.

    Parameters
    ----------
    columns : array of int (n_words,)
        The columns of words that are known, sorted; all others are ignored.
    components : array of shape (n_words, n_axes)
        The axes.
    mean : array of shape (n_axes,)
        What is subtracted from a row's values on the axes.
    idf : array of shape (n_words,), default=None
        If given, rows are counts n of words, which are weighted as (1 + log n) · idf; otherwise they have weights.
    vocabulary_size : int, default=None
        If given, samples are rows of word numbers, of which the counts are taken: of 1 in column 1. Padding, 0, and
        numbers from ``vocabulary_size`` on are ignored.

    Attributes
    ----------
    takes_sparse : bool
        Whether a batch may be a sparse COO tensor.
    """

    columns: Tensor
    components: Tensor
    mean: Tensor
    idf: Tensor | None

    def __init__(self, columns: Any, components: Any, mean: Any, idf: Any = None, vocabulary_size: int | None = None):
        super().__init__()
        self.vocabulary_size, self.takes_sparse = vocabulary_size, vocabulary_size is None
        self.register_buffer("columns", torch.as_tensor(columns, dtype=torch.int64))
        self.register_buffer("components", torch.as_tensor(components, dtype=torch.float32))
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("idf", None if idf is None else torch.as_tensor(idf, dtype=torch.float32))

    @classmethod
    def fit(cls, rows: Any, n_axes: int = 300, *, vocabulary_size: int | None = None, random_state: int = 0) -> Self:
        """Return the leading axes of documents.

        Parameters
        ----------
        rows : CSR matrix of shape (n_documents, n_features) or array of shape (n_documents, length)
            Whole numbers are counts of words, and others their weights, such as TF-IDF; or, with a
            ``vocabulary_size``, an array of word numbers. At most 10 000 rows, drawn at random, are used.
        n_axes : int, default=300
            Greatest number of axes; there are no more than documents or words.
        vocabulary_size : int, default=None
            One more than the largest word number.
        random_state : int, default=0
            Seeds the rows drawn and the computation of the axes.

        Returns
        -------
        WordAxes
        """
        if rows.shape[0] > MAX_ROWS:
            rows = rows[np.sort(np.random.default_rng(random_state).choice(rows.shape[0], MAX_ROWS, replace=False))]
        if vocabulary_size is not None:
            rows = _counts(rows, vocabulary_size)
        columns, idf = np.unique(rows.indices[rows.data > 0]), None
        if not len(columns):  # not a single word: any axis will do
            columns = np.zeros(1, dtype=int)
        rows = rows[:, columns]
        rows.eliminate_zeros()
        if (np.floor(rows.data) == rows.data).all():
            weights = TfidfTransformer(sublinear_tf=True).fit(rows)
            rows, idf = weights.transform(rows), weights.idf_
        rows = normalize(rows)
        _, size, axes = randomized_svd(rows, min(n_axes, *rows.shape), random_state=random_state)
        components = axes[size >= TINY * size[0]].T
        return cls(columns, components, (rows @ components).mean(0), idf, vocabulary_size)

    def forward(self, x: Tensor) -> Tensor:
        """Return rows (n, n_axes) for word numbers or for rows (n, n_features), a sparse COO tensor or a dense one."""
        if self.vocabulary_size is not None:
            x = word_counts(x, self.vocabulary_size)
        x = x if x.is_sparse else x.to_sparse()
        (row, column), values = x.indices(), x.values().to(self.components.dtype)
        word = torch.searchsorted(self.columns, column).clamp(max=len(self.columns) - 1)
        known = (self.columns[word] == column) & (values > 0)
        row, word, values = row[known], word[known], values[known]
        if self.idf is not None:
            values = (1 + values.log()) * self.idf[word]
        shape = len(x), len(self.columns)
        weighted = torch.sparse_coo_tensor(torch.stack([row, word]), values, shape, check_invariants=False)
        length = values.new_zeros(len(x)).index_add(0, row, values.square()).sqrt()[:, None]
        axes = (weighted @ self.components) / length.clamp(min=1e-15) - self.mean
        return torch.where(length > 0, nn.functional.normalize(axes), 0)


def word_counts(x: Tensor, size: int) -> Tensor:
    """Return how often each of ``size`` word numbers occurs in rows of them, (n, size), sparse; 0 is no word."""
    x = x.long()
    row, position = torch.nonzero((x > 0) & (x < size), as_tuple=True)
    places = torch.stack([row, x[row, position]])
    ones = torch.ones(len(row), device=x.device)
    return torch.sparse_coo_tensor(places, ones, (len(x), size), check_invariants=False).coalesce()


def _counts(words: np.ndarray, size: int) -> csr_matrix:
    counts = word_counts(torch.as_tensor(words), size)
    return csr_matrix((counts.values().numpy().astype(float), counts.indices().numpy()), shape=(len(words), size))
