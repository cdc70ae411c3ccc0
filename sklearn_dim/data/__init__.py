"""What comes in: one rule for what X is, and one way to read it.

=============== ====================================================================
`_samples.py`   what samples are taken for; rows from memory, files and Datasets
`_items.py`     lists of arrays, of Pillow images, of items of a Dataset
`_datasets.py`  samples of a torch Dataset
`_images.py`    images, channels first
`_refused.py`   what is refused, in plain words
`_tokens.py`    documents as word numbers
`_documents.py` documents as strings, as rows of TF-IDF or word numbers
`_columns.py`   columns as numbers, for mutual information
`_discrete.py`  which columns are discrete, as asked
`_frames.py`    columns of any type as columns of a few types
`_tables.py`    columns of any type, cells missing, as numbers for an encoder
=============== ====================================================================
"""

from sklearn_dim.data._columns import (
    ColumnCoder,
    Passthrough,
    check_table,
    check_targets,
    continuous_scores,
    equal_rows,
    normal_scores,
)
from sklearn_dim.data._datasets import collected
from sklearn_dim.data._discrete import discrete_mask
from sklearn_dim.data._documents import DocumentCoder, Documents, read_documents
from sklearn_dim.data._items import without_torch
from sklearn_dim.data._refused import check_lengths, refuse_graph, refuse_other_length
from sklearn_dim.data._samples import (
    Samples,
    Shifted,
    check_numbers,
    chunks,
    file_of,
    is_bag,
    moments,
    offset_of,
    read_samples,
    refuse_extremes,
    sparse_tensor,
    take_rows,
    warn_if_doubtful,
)
from sklearn_dim.data._tables import Table, TableCoder, read_table
from sklearn_dim.data._tokens import vocabulary_size, word_weights

__all__: list[str] = []  # for the estimators; nothing here is for users
