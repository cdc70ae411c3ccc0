"""
Quickstart
==========

The three estimators on real data: Deep InfoMax on images, neural mutual information on a pair with a known answer,
and Deep Graph Infomax on a graph. Prints a table and saves ``quickstart.png``.
"""

import os
import pickle
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    MutualInfoEstimator,
)
from sklearn_dim.datasets import (
    fetch_planetoid,
    load_nudged_digits,
    make_gaussian_pair,
)

warnings.simplefilter("ignore", ConvergenceWarning)

# %%
# Deep InfoMax on images
# ----------------------
# scikit-learn's digits and their one-pixel nudges. Each representation learns from all training images without labels;
# a logistic regression on it then sees all labels, or only 100.


def classifier(representation):
    """Put a logistic regression behind a representation; peers of DIM get a scaler between."""
    return Pipeline(
        [
            ("features", representation),
            ("scale", StandardScaler()),
            ("clf", LogisticRegression()),
        ]
    )


def compare_on_digits():
    X, y = load_nudged_digits()
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, random_state=0
    )
    pipelines = {
        "raw pixels": classifier("passthrough"),
        "PCA(32)": classifier(PCA(32, random_state=0)),
        "BernoulliRBM(100)": classifier(
            BernoulliRBM(100, learning_rate=0.06, n_iter=10, random_state=0)
        ),
        "DIMTransformer()": Pipeline(
            [
                ("dim", DIMTransformer(image_shape=(1, 8, 8), random_state=0)),
                ("clf", LogisticRegression()),
            ]
        ),
    }
    few = np.random.default_rng(0).permutation(len(X_train))[:100]
    rows = {}
    for name, pipeline in pipelines.items():
        start = time.perf_counter()
        pipeline.fit(X_train, y_train)
        seconds = time.perf_counter() - start
        with_all = pipeline.score(X_test, y_test)
        features, labelled = pipeline[:-1], LogisticRegression()
        labelled.fit(features.transform(X_train[few]), y_train[few])
        with_few = labelled.score(features.transform(X_test), y_test)
        rows[name] = {
            "all labels": with_all,
            "100 labels": with_few,
            "fit, s": seconds,
        }
    return pd.DataFrame(rows).T, pipelines["DIMTransformer()"], X_test, y_test


# %%
# A grid search over the bound, and a pickle
# ------------------------------------------


def search_a_bound():
    X, y = load_digits(return_X_y=True)
    pipeline = Pipeline(
        [
            ("dim", DIMTransformer(max_iter=10, random_state=0)),
            ("clf", LogisticRegression()),
        ]
    )
    grid = {"dim__mi_estimator": ["dv", "jsd", "infonce", "nwj"]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(X, y)
    loaded = pickle.loads(pickle.dumps(search.best_estimator_))
    same = np.array_equal(loaded.predict(X), search.best_estimator_.predict(X))
    table = pd.DataFrame(
        {"accuracy": search.cv_results_["mean_test_score"]},
        index=grid["dim__mi_estimator"],
    )
    return table, same


# %%
# Mutual information with a known answer
# --------------------------------------


def estimate_known_information(truths=(0.25, 0.5, 1.0, 2.0)):
    rows = []
    for seed, truth in enumerate(truths):
        x, y = make_gaussian_pair(
            2000, 3, mutual_info=truth, random_state=seed
        )
        mi = MutualInfoEstimator(random_state=0).fit(x, y)
        low, high = mi.confidence_interval()
        rows.append(
            {
                "truth, nats": truth,
                "estimate": mi.mutual_info_,
                "low": low,
                "high": high,
            }
        )
    return pd.DataFrame(rows).set_index("truth, nats")


# %%
# Deep Graph Infomax
# ------------------
# On the kNN graph of plain rows, and on Cora where ``SKLEARN_DIM_DATA`` names a folder that has it.


def neighbours_of_digits():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=0.5, random_state=0, stratify=y
    )
    dgi = DGITransformer(n_components=128, random_state=0).fit(X_train)
    few = np.random.default_rng(0).permutation(len(X_train))[:100]
    rows = {}
    for name, features in {
        "raw pixels": StandardScaler().fit(X_train),
        "DGITransformer(128)": dgi,
    }.items():
        labelled = LogisticRegression().fit(
            features.transform(X_train[few]), y_train[few]
        )
        rows[f"digits, 100 labels: {name}"] = {
            "accuracy": labelled.score(features.transform(X_test), y_test)
        }
    return pd.DataFrame(rows).T


def papers_of_cora():
    cora = fetch_planetoid(
        "cora",
        data_home=os.environ["SKLEARN_DIM_DATA"],
        download_if_missing=False,
    )
    graph, y = Graph(cora.data, cora.adjacency), cora.target
    plain = (
        LogisticRegression()
        .fit(cora.data[cora.train], y[cora.train])
        .score(cora.data[cora.test], y[cora.test])
    )
    model = Pipeline(
        [
            ("dgi", DGITransformer(random_state=0)),
            ("clf", LogisticRegression()),
        ]
    )
    model.fit(graph[cora.train], y[cora.train])
    accuracy = model.score(graph[cora.test], y[cora.test])
    rows = {
        "Cora, 140 labels: words": plain,
        "Cora, 140 labels: DGITransformer()": accuracy,
    }
    return pd.DataFrame({"accuracy": rows})


# %%
# The picture
# -----------


def draw(digits, model, X, y, information, path="quickstart.png"):
    figure, (bars, codes, line) = plt.subplots(
        1, 3, figsize=(14, 4.2), layout="constrained"
    )
    digits[["100 labels", "all labels"]].plot.barh(
        ax=bars, color=["#9ecae1", "#08519c"], xlim=(0.4, 1)
    )
    bars.set(
        title="Digits: accuracy of a linear classifier", xlabel="accuracy"
    )
    bars.invert_yaxis()
    bars.legend(loc="upper right")
    plane = PCA(2).fit_transform(model[:-1].transform(X))
    points = codes.scatter(
        *plane.T, c=y, s=4, cmap="tab10", vmin=-0.5, vmax=9.5
    )
    figure.colorbar(points, ax=codes, ticks=range(10))
    codes.set(
        title="DIM codes of unseen digits, first two axes",
        xticks=[],
        yticks=[],
    )
    truth = information.index.to_numpy()
    reach = np.abs(
        information[["low", "high"]].to_numpy().T
        - information["estimate"].to_numpy()
    )
    line.plot(truth, truth, color="grey", linewidth=1, label="truth")
    line.errorbar(
        truth,
        information["estimate"],
        yerr=reach,
        fmt="o",
        capsize=4,
        label="estimate, 95 %",
    )
    line.set(
        title="Mutual information of a Gaussian pair",
        xlabel="truth, nats",
        ylabel="estimate, nats",
    )
    line.legend()
    figure.savefig(path, dpi=120)
    return path


def main():
    digits, model, X_test, y_test = compare_on_digits()
    print(
        "Digits and nudges, 1797 unseen images\n",
        digits.round(3).to_string(),
        sep="",
    )
    table, same = search_a_bound()
    print(
        "\nGrid search over mi_estimator (digits as a table)\n",
        table.round(3).to_string(),
        sep="",
    )
    print(f"the best pipeline, pickled and loaded, predicts the same: {same}")
    information = estimate_known_information()
    print(
        "\nMutual information of a Gaussian pair, with its 95 % interval\n",
        information.round(3).to_string(),
        sep="",
    )
    graphs = [neighbours_of_digits()]
    if "SKLEARN_DIM_DATA" in os.environ:
        graphs.append(papers_of_cora())
    else:
        print(
            "\nCora is left out: SKLEARN_DIM_DATA does not name a folder with it"
        )
    print("\nGraphs\n", pd.concat(graphs).round(3).to_string(), sep="")
    print(
        "\nPicture:",
        os.path.abspath(draw(digits, model, X_test, y_test, information)),
    )


if __name__ == "__main__":
    main()

# sphinx_gallery_thumbnail_path = "_static/quickstart.png"
