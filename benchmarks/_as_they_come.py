"""The parts as_they_come and coverage of `mutual_info`: every law of `_laws`, in three orders of its rows."""

import csv
import functools
import inspect
import os
import pathlib
import time
import warnings

import numpy as np
import pandas as pd
from _laws import LAWS, ORDERS, QUICK, WIDE, Law, rows_of
from _tasks import OTHERS
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression
from sklearn.utils.multiclass import type_of_target

from sklearn_dim import MutualInfoEstimator, mutual_info_features

KEY = ["law", "seed", "order", "n"]
NUMBERS = ["truth", "estimate", "standard error", "low", "high", "lower bound", "its error", "CPU s", "oracle"]
PEERS = ["scikit-learn", "scikit-learn's CPU s", "features"]
COLUMNS = [*KEY, "kind", *NUMBERS, *PEERS, "failure"]


class Results:
    """Fits, one a row; with a path they are kept there as they come, and are not run again.

    Parameters
    ----------
    path : str or None
        A csv file.
    features : bool, default=False
        Whether to run `mutual_info_features` too, where X is one column.
    """

    def __init__(self, path, features=False):
        self.path, self.features, self.rows = path and pathlib.Path(path), features, {}
        if self.path and self.path.exists():
            table = pd.read_csv(self.path)
            if list(table) != COLUMNS:
                raise SystemExit(f"{path} has other columns than this benchmark writes: name another file by --out")
            for row in table.to_dict("records"):
                self.rows[tuple(row[k] for k in KEY)] = row

    def of(self, cases):
        """Return the rows of cases (law, seed, order, n) as a frame; those not yet there are run."""
        keys = []
        for law, seed, order, n in cases:
            keys.append((law.name, seed, order, n))
            if keys[-1] not in self.rows:
                self.rows[keys[-1]] = row = one_fit(law, seed, order, n, self.features)
                self._append(row)
        return pd.DataFrame([self.rows[key] for key in keys], columns=COLUMNS)

    def _append(self, row):
        if self.path:
            new = not self.path.exists()
            with self.path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS)
                if new:
                    writer.writeheader()
                writer.writerow(row)


def one_fit(law, seed, order, n, features):
    """Return a row of results; a fit that raises leaves its message in "failure"."""
    x, y, groups = rows_of(law, seed, order, n)
    row = {"law": law.name, "seed": seed, "order": order, "n": n, "kind": law.kind, "truth": law.truth}
    row["oracle"] = law.oracle_error(n)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            more = {"groups": groups} if groups is not None and takes_groups() else {}
            mi = MutualInfoEstimator(random_state=seed).fit(x, y, **more)
            low, high = mi.confidence_interval()
            row |= {"estimate": mi.mutual_info_, "standard error": mi.standard_error_, "low": low, "high": high}
            bound = mi.estimates_[mi.estimates_["kind"] == "lower bound"].iloc[0]
            row |= {"lower bound": bound["nats"], "its error": bound["standard_error"]}
        except Exception as error:  # what users would see
            row["failure"] = f"{type(error).__name__}: {error}".splitlines()[0]
        row["CPU s"] = time.process_time() - start
        start = time.process_time()
        row["scikit-learn"] = scikit_learn(x, y) if groups is None else np.nan  # it takes copies for dependence
        row["scikit-learn's CPU s"] = time.process_time() - start
        if features and np.shape(x)[1:] == (1,) and np.ndim(y) == 1:
            try:
                row["features"] = mutual_info_features(x, y, random_state=seed)[0]
            except Exception as error:
                row["failure"] = f"features: {type(error).__name__}: {error}".splitlines()[0]
    return row


def takes_groups():
    """Whether this version's fit is told which rows belong together."""
    return "groups" in inspect.signature(MutualInfoEstimator.fit).parameters


def scikit_learn(x, y):
    """Return scikit-learn's estimate for one column against one, told whether x is discrete; nan where it refuses."""
    x = pd.DataFrame(x)
    if x.shape[1] > 1 or np.ndim(y) > 1:
        return np.nan
    try:
        continuous = type_of_target(y).startswith("continuous")
        function = mutual_info_regression if continuous else mutual_info_classif
        return function(x, y, discrete_features=x[x.columns[0]].nunique() <= 20, random_state=0)[0]
    except Exception:
        return np.nan


def as_they_come(results, quick=False, plot=None, n=2000):
    """All laws, three seeds, shuffled and sorted by each side."""
    laws, seeds, n = ([law for law in LAWS if law.name in QUICK], 1, n // 2) if quick else (LAWS, 3, n)
    cases = [(law, seed, order, n) for law in laws for seed in range(seeds) for order in ORDERS]
    table = results.of(cases)
    table["error"] = table["estimate"] - table["truth"]
    table["off"] = table["error"].abs()
    table["peer's"] = (table["scikit-learn"] - table["truth"]).abs()
    table["inside"] = inside(table)
    shuffled = table[table["order"] == "shuffled"].set_index(["law", "seed"])
    at = pd.MultiIndex.from_frame(table[["law", "seed"]])
    apart = np.abs(table["estimate"].to_numpy() - shuffled["estimate"].reindex(at).to_numpy())
    table["moved"] = apart / shuffled["standard error"].reindex(at).to_numpy()
    by_law = table.groupby("law", sort=False)
    shown = by_law[["truth"]].first()
    for order in ORDERS:
        shown[order] = table[table["order"] == order].groupby("law")["estimate"].mean()
    shown["|error|"], shown["std. error"] = by_law["off"].mean(), by_law["standard error"].mean()
    shown["inside 95 %"] = [f"{g['inside'].sum():.0f}/{len(g)}" for _, g in by_law]
    shown["moved / s.e."], shown["CPU s"] = by_law["moved"].max(), by_law["CPU s"].mean()
    shown["scikit-learn"] = by_law["scikit-learn"].mean()
    if table["features"].notna().any():
        shown["features"] = by_law["features"].mean()
    title = f"As they come, n = {n}, {seeds} seed(s); moved: the most that sorting changes, in standard errors"
    print(f"{title}\n{text(shown)}\n")
    print(f"By kind; peer's: scikit-learn's |error|\n{text(kinds_of(table))}\n")
    failures(table)
    good = table.dropna(subset="estimate")
    if good.empty:
        return table
    worst = good.loc[good["off"].idxmax()]
    failed, far = len(table) - len(good), (good["off"] > 0.15).sum()
    print(f"mean |error|: {good['off'].mean():.4f} of {len(good)} fits ({failed} failed); above 0.15: {far}")
    print(f"worst: {worst['error']:+.3f}, {worst['law']}, {worst['order']}, seed {worst['seed']}")
    print(f"inside the 95 % interval: {good['inside'].mean():.3f}; the most moved: {good['moved'].max():.2f} s.e.")
    both = good.dropna(subset="peer's")
    for name, rows in (("all orders", both), ("shuffled only", both[both["order"] == "shuffled"])):
        ours, theirs = rows["off"].mean(), rows["peer's"].mean()
        seconds = rows["CPU s"].sum() / max(rows["scikit-learn's CPU s"].sum(), 1e-9)
        print(
            f"beside scikit-learn, {name}, {len(rows)} fits of one column: "
            f"|error| {ours:.4f} / {theirs:.4f} = {ours / theirs:.2f}, CPU {seconds:.0f} times"
        )
    print(flush=True)
    return table


def kinds_of(table):
    """Return a summary a kind."""
    rows = {}
    for kind, group in table.groupby("kind", sort=False):
        good, both = group.dropna(subset="estimate"), group.dropna(subset=["estimate", "peer's"])
        rows[kind] = {
            "fits": len(group),
            "failed": len(group) - len(good),
            "|error|": good["off"].mean(),
            "worst": good["off"].max(),
            "inside": good["inside"].mean(),
            "moved / s.e.": good["moved"].max(),
            "peer's": both["peer's"].mean(),
            "ratio": both["off"].mean() / both["peer's"].mean() if len(both) else np.nan,
        }
    return pd.DataFrame(rows).T.astype({"fits": int, "failed": int})


def inside(table):
    """Whether each interval holds the truth."""
    return ((table["low"] <= table["truth"]) & (table["truth"] <= table["high"])).astype(float)


def coverage(results, quick=False, plot=None, n=2000):
    """Laws of all kinds, the tasks, others and wide ones: which intervals hold."""
    laws = [law for law in LAWS if law.name in QUICK] if quick else [*LAWS, *WIDE]
    cases = [(law, seed, "shuffled", n // 2 if quick else n) for law in laws for seed in range(1 if quick else 3)]
    if not quick:
        cases += [(other(name, task), seed, "shuffled", n) for name, task in OTHERS.items() for seed in range(2)]
        cases += [(task, seed, "shuffled", 5000) for task, seed in six_tasks()]
    table = results.of(cases)
    failures(table)
    table["inside"] = inside(table)
    table["too low"], table["too high"] = table["high"] < table["truth"], table["low"] > table["truth"]
    table["width"], table["oracle's"] = table["high"] - table["low"], 2 * 1.96 * table["oracle"]
    table["bound above"] = table["lower bound"] > table["truth"] + 2 * table["its error"]
    good = table.dropna(subset="estimate")
    everything = good.assign(kind="all")
    rows = {}
    for kind, group in pd.concat([good, everything]).groupby("kind", sort=False):
        known = group[group["oracle's"] > 0]
        rows[kind] = {
            "fits": len(group),
            "hold": group["inside"].mean(),
            "too low": group["too low"].sum(),
            "too high": group["too high"].sum(),
            "mean width": group["width"].mean(),
            "oracle's": group["oracle's"].mean(),  # nan where the exact log-ratio is not known
            "ratio": known["width"].mean() / known["oracle's"].mean() if len(known) else np.nan,
            "bound above": group["bound above"].sum(),
        }
    shown = pd.DataFrame(rows).T
    whole = ["fits", "too low", "too high", "bound above"]
    shown[whole] = shown[whole].astype(int)
    print("95 % intervals that hold the truth; width beside an oracle's; lower bounds above the truth by 2 s.e.")
    print(f"{text(shown)}\n", flush=True)
    if plot:
        draw(shown, plot)
    return table


def other(name, task):
    """A task of `_tasks` as a law; what an oracle would say is not known."""
    unknown = Law(
        f"others: {name}",
        "others",
        lambda: task(np.random.default_rng(0), 100)[2],
        lambda rng, n: task(rng, n)[:2],
        lambda x, y: np.full(len(x), np.nan),
        lambda x, y: (x, y),
    )
    return unknown


def six_tasks():
    """Return the samples in the folder that SKLEARN_DIM_DATA names, as laws, with the seed of each."""
    files = sorted((pathlib.Path(os.environ.get("SKLEARN_DIM_DATA", "/nowhere")) / "mi").glob("*__seed?.npz"))
    laws = []
    for file in files:
        name, seed = file.stem.split("__seed")

        def load(_, n, file=file):
            data = np.load(file)
            return data["x"][:n], data["y"][:n].squeeze()

        def exact(file=file):
            return float(np.load(file)["mi_true"])

        def unknown(x, y):
            return np.full(len(x), np.nan)

        laws.append((Law(f"tasks: {name}", "tasks", exact, load, unknown, lambda x, y: (x, y)), int(seed)))
    if not files:
        print("SKLEARN_DIM_DATA is not set: the six samples are skipped")
    return laws


def draw(shown, path):
    """Draw the share of intervals that hold, with Wilson's intervals, and widths beside an oracle's."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 0.28 * len(shown) + 1.2), sharey=True, layout="constrained")
    n, share, z, position = shown["fits"], shown["hold"], 1.96, np.arange(len(shown))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    left.hlines(position, centre - half, centre + half, color="0.6")
    left.plot(share, position, "o", color="C0")
    left.axvline(0.95, color="C3", lw=1)
    left.axvline(0.8, color="C3", lw=1, ls=":")
    left.set(xlim=(-0.02, 1.02), xlabel="share of 95 % intervals that hold the truth", yticks=position)
    left.set_yticklabels([f"{kind} ({fits})" for kind, fits in n.items()])
    left.invert_yaxis()
    right.barh(position - 0.2, shown["mean width"], 0.4, label="ours")
    right.barh(position + 0.2, shown["oracle's"], 0.4, label="an oracle's")
    right.set(xlabel="mean width in nats")
    right.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    figure.savefig(path, dpi=150)
    print(f"drawn: {path}\n")


def failures(table):
    """Print what raised, once a law."""
    for law, group in table.dropna(subset="failure").groupby("law", sort=False):
        print(f"failed, {len(group)} fits of {law}: {group['failure'].iloc[0][:200]}")


def text(table):
    """Return a table as text."""
    return table.to_string(float_format="{:.3f}".format, na_rep="–")


PARTS = {"as_they_come": as_they_come, "coverage": coverage}


def parts(options):
    """Return the parts as functions without arguments that share results; ``options`` are of the command line."""
    results = functools.cache(lambda: Results(options.out, options.features))
    return {
        name: functools.partial(lambda f: f(results(), options.quick, options.plot), f) for name, f in PARTS.items()
    }
