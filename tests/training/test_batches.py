"""Batches: their sizes, their order, where their arrays lie, and how processes share them."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_dim.graphs import GraphBatches
from sklearn_dim.training import Batches, RowBatches


@pytest.mark.parametrize(
    "n, size, expected", [(9, 8, [5, 4]), (3, 2, [3]), (16, 8, [8, 8]), (2, 128, [2]), (1, 8, [1])]
)
def test_batches_are_even_and_never_end_on_one_row(n, size, expected):
    assert [len(x) for (x,) in RowBatches(np.arange(n), batch_size=size)] == expected


def test_an_epoch_sees_every_row_once_in_a_new_order():
    torch.manual_seed(0)
    batches = RowBatches(np.arange(50), batch_size=8)
    first, second = (torch.cat([x for (x,) in batches]) for _ in range(2))
    assert not torch.equal(first, second) and torch.equal(first.sort().values, torch.arange(50))


def test_batches_of_other_rows_share_the_arrays():
    batches = RowBatches(np.arange(50), batch_size=8)
    other = batches.of(np.array([7, 3, 9]))
    assert other.arrays is batches.arrays and len(other) == 1
    assert torch.cat([rows for (rows,) in other]).tolist() == [7, 3, 9]
    assert len(batches) == 7 and sorted(torch.cat([rows for (rows,) in batches]).tolist()) == list(range(50))


def halves(n, device):
    """What the second of two processes takes of n rows."""
    return torch.arange(n, device=device).tensor_split(2)[1]


def test_rows_are_shared_batch_by_batch():
    batches = RowBatches(np.arange(10), batch_size=5, shuffle=False)
    shared = batches.shared(halves)
    assert isinstance(batches, Batches) and shared.n_rows == 10 and len(shared) == 2
    assert [x.tolist() for (x,) in shared] == [[3, 4], [8, 9]]
    assert [len(x) for (x,) in batches] == [5, 5]


def test_graphs_are_shared_batch_by_batch():
    picks = RowBatches(np.arange(4), batch_size=2, shuffle=False)
    features, edges = np.arange(8.0)[:, None], sparse.csr_matrix((8, 8))
    batches = GraphBatches(features, edges, np.full(4, 2), picks)
    shared = batches.shared(halves)
    assert isinstance(batches, Batches) and shared.n_rows == 4 and len(shared) == 2
    assert [X[:, 0].tolist() for _, X, _ in shared] == [[2, 3], [6, 7]]
    assert [len(sizes) for sizes, *_ in batches] == [2, 2]


def test_a_list_is_no_batches_that_could_be_shared():
    assert not isinstance([(torch.zeros(2),)], Batches)


def test_read_only_arrays_stay_on_the_cpu_but_are_moved_to_another_device():
    array = np.arange(6.0)
    array.flags.writeable = False
    (kept,) = RowBatches(array, batch_size=2).arrays
    assert kept.array is array
    (moved,) = RowBatches(array, batch_size=2, device="meta").arrays
    assert moved.values.device.type == "meta" and moved.values.dtype == torch.float32


def test_csr_rows_and_memory_maps_are_taken_batch_by_batch(tmp_path):
    dense = np.arange(12.0).reshape(6, 2)
    np.save(tmp_path / "x.npy", dense)
    for source in (sparse.csr_matrix(dense), np.load(tmp_path / "x.npy", mmap_mode="r")):
        batches = RowBatches(source, rows=[4, 1, 3], batch_size=2, shuffle=False)
        np.testing.assert_array_equal(torch.cat([x for (x,) in batches]), dense[[4, 1, 3]])


def test_csr_rows_may_stay_sparse():
    dense = np.arange(12.0).reshape(6, 2)
    batches = RowBatches(sparse.csr_matrix(dense), rows=[4, 0, 3], batch_size=2, shuffle=False, sparse=True)
    seen = [x for (x,) in batches]
    assert all(x.is_sparse and x.dtype == torch.float32 for x in seen)
    np.testing.assert_array_equal(torch.cat([x.to_dense() for x in seen]), dense[[4, 0, 3]])
