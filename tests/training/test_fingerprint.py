"""Fingerprints tell what differs, and are the same in every process."""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_dim.training._fingerprint import fingerprint


@dataclass
class Thing:
    size: int = 1
    _memory: float = 0.0


class Rows:
    """Something with rows that is no array."""

    def __init__(self, rows):
        self._rows = rows
        self.shape = rows.shape

    def __getitem__(self, key):
        return self._rows[key]


def scaled(by):
    return lambda x: by * x


DIFFERENT = [
    (1, 2),
    (1, True),
    ("a", "b"),
    ([1, 2], [2, 1]),
    ([1, [2]], [[1], 2]),
    ({"a": 1}, {"a": 2}),
    (np.zeros(3), np.zeros(4)),
    (np.zeros(4), np.zeros((2, 2))),
    (np.zeros(3), np.zeros(3, dtype=np.float32)),
    (torch.zeros(3), torch.tensor([0.0, 0.0, 1.0])),
    (torch.zeros(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16)),
    (sparse.csr_matrix(np.eye(2)), sparse.csr_matrix(np.ones((2, 2)))),
    (torch.eye(2).to_sparse(), torch.ones(2, 2).to_sparse()),
    (Thing(1), Thing(2)),
    (partial(scaled, 1), partial(scaled, 2)),
    (scaled(1), scaled(2)),
    (lambda x: x + 1, lambda x: x + 2),
    (torch.optim.Adam, torch.optim.SGD),
    (Rows(np.zeros((3, 2))), Rows(np.ones((3, 2)))),
    (torch.nn.Dropout(0.1), torch.nn.Dropout(0.2)),
    ({1, 2}, {1, 3}),
]


@pytest.mark.parametrize("pair", DIFFERENT, ids=lambda pair: type(pair[0]).__name__)
def test_what_differs_has_another(pair):
    one, other = pair
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) == fingerprint(one)


def test_what_is_equal_has_the_same():
    assert fingerprint(np.arange(3)) == fingerprint(np.arange(6)[:3])
    assert fingerprint(Thing(1, 2.0)) == fingerprint(Thing(1, 3.0))  # what it remembers is not what it is
    assert fingerprint(object()) == fingerprint(object())
    module = torch.nn.Linear(2, 2)
    module.itself = [module]
    assert fingerprint(module) == fingerprint(module)


def test_a_memory_map_is_known_by_shape_and_some_rows(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(20.0).reshape(10, 2))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r+")
    before = fingerprint(mapped)
    mapped[2] = 0
    assert fingerprint(mapped) == before
    mapped[5] = 0
    assert fingerprint(mapped) != before != fingerprint(mapped[:9])


@pytest.mark.slow  # two processes that load torch
def test_it_is_the_same_in_another_process():
    code = (
        "import sys, torch, numpy as np; from functools import partial; "
        "from sklearn_dim.training._fingerprint import fingerprint; torch.manual_seed(0); "
        "value = [torch.nn.Linear(2, 2), partial(np.sum, axis=0), {'b', 'a'}, object(), lambda x: x]; "
        "print(fingerprint(value))"
    )
    runs = {subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)}
    assert len(runs) == 1


def test_types_of_numbers_have_a_shape_but_no_rows():
    one, other = (fingerprint({"dtype": np.dtype(kind)}) for kind in (np.float32, np.float64))
    assert one != other and one == fingerprint({"dtype": np.dtype("f4")})
