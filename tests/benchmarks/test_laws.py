"""The laws of benchmarks/_laws.py: their truths by a second computation, their columns, and runs that go on."""

import argparse
import importlib.util
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("benchmarks/ is not here", allow_module_level=True)
sys.path.insert(0, str(BENCHMARKS))
import _as_they_come  # noqa: E402
from _laws import LAWS, ORDERS, QUICK, WIDE, rows_of  # noqa: E402

sys.path.remove(str(BENCHMARKS))
ALL = [*LAWS, *WIDE]
by_name = pytest.mark.parametrize("law", ALL, ids=lambda law: law.name)


def test_laws_are_many_and_named():
    names = [law.name for law in ALL]
    assert len(LAWS) >= 36 and len(set(names)) == len(names)
    assert set(QUICK) <= set(names) and len(QUICK) == 10


@by_name
def test_truth_is_the_mean_of_the_exact_log_ratio(law):
    mean, error = law.check(np.random.default_rng(1), 30_000)
    assert abs(mean - law.truth) <= 4 * error + 1e-9


@by_name
def test_orders_are_the_same_rows(law):
    x, y, _ = rows_of(law, 0, "shuffled", 60)
    assert len(x) == len(y) == 60
    rows = sorted(_rows(x, y))
    for order in ORDERS[1:]:
        assert sorted(_rows(*rows_of(law, 0, order, 60)[:2])) == rows


def _rows(x, y):
    return [str(row) for row in zip(np.asarray(x).tolist(), np.asarray(y).tolist(), strict=True)]


def few(table):
    return pd.DataFrame(table).nunique().max() <= 100 and pd.DataFrame(table).shape[1] <= 3


@pytest.mark.parametrize(
    "law", [law for law in LAWS if all(map(few, law.sample(np.random.default_rng(0), 3000)))], ids=lambda law: law.name
)
def test_discrete_columns_hold_what_the_law_says(law):
    """What is checked above are the law's variables; here are the columns that users get."""
    n = 60_000
    i, j = (pd.DataFrame(z).groupby(list(pd.DataFrame(z))).ngroup() for z in law.sample(np.random.default_rng(2), n))
    joint = np.zeros((i.max() + 1, j.max() + 1))
    np.add.at(joint, (i, j), 1 / n)
    product, there = np.outer(joint.sum(1), joint.sum(0)), joint > 0
    plug_in = (joint[there] * np.log(joint[there] / product[there])).sum()
    bias = (there.sum() - len(joint) - joint.shape[1] + 1) / (2 * n)  # Miller and Madow's, seen cells only
    assert abs(plug_in - law.truth) <= 4 * law.oracle_error(n) + abs(bias) + 2e-3


def test_a_run_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    seen = []

    def one_fit(law, seed, order, n, features):
        seen.append((law.name, seed, order))
        if len(seen) == 12:
            raise KeyboardInterrupt
        truth = law.truth
        row = {"law": law.name, "seed": seed, "order": order, "n": n, "kind": law.kind, "truth": truth}
        row |= {"estimate": truth + 0.1, "standard error": 0.1, "low": truth - 0.1, "high": truth + 0.3, "CPU s": 1.0}
        return row | {
            "oracle": law.oracle_error(n),
            "lower bound": truth,
            "its error": 0.1,
            "scikit-learn": truth + 0.05,
        }

    monkeypatch.setattr(_as_they_come, "one_fit", one_fit)
    png = tmp_path / "coverage.png" if importlib.util.find_spec("matplotlib") else None
    options = argparse.Namespace(out=str(tmp_path / "fits.csv"), quick=True, features=False, plot=png)
    with pytest.raises(KeyboardInterrupt):
        _as_they_come.parts(options)["as_they_come"]()
    runs = _as_they_come.parts(options)
    table = runs["as_they_come"]()
    assert len(table) == 30 and len(seen) == 31  # the twelfth was begun twice
    assert table["error"].to_numpy() == pytest.approx(0.1)
    runs["coverage"]()  # of the fits that are there
    assert len(seen) == 31
    printed = capsys.readouterr().out
    assert "mean |error|: 0.1000 of 30 fits (0 failed)" in printed
    assert png is None or png.stat().st_size > 1000
