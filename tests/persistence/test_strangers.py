"""Files of strangers: nothing is set that is not declared, and nothing allocated that is not in the file."""

import copy
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from sklearn_dim import DGITransformer, DIMTransformer, Graph, MutualInfoEstimator, MutualInfoSelector
from sklearn_dim.bounds import BOUNDS
from sklearn_dim.dim._estimator import PARTS
from sklearn_dim.estimator import _declared
from sklearn_dim.files import digest, write_page
from sklearn_dim.persistence import load, save

from .conftest import KINDS, make_table, random_graph

safetensors = pytest.importorskip("safetensors.numpy")


@pytest.fixture
def model(fitted, tmp_path):
    """The folder of a saved table."""
    save(fitted("table").estimator, tmp_path / "model")
    return tmp_path / "model"


def change(folder, edit):
    about = json.loads((folder / "estimator.json").read_text())
    edit(about["state"])
    sign(folder, about)


def sign(folder, about):
    """Write the JSON file with the right digest, as a stranger can."""
    page = {key: value for key, value in about.items() if key != "digest"}
    (folder / "estimator.json").write_bytes(write_page(page))


def rewrite_arrays(folder, edit):
    arrays = safetensors.load_file(folder / "arrays.safetensors")
    edit(arrays)
    content = safetensors.save(arrays)
    (folder / "arrays.safetensors").write_bytes(content)
    about = json.loads((folder / "estimator.json").read_text())
    sign(folder, {**about, "sha256": digest(content).hex()})


def net(state):
    return state["net_"]["state"]


def arguments(state):
    return net(state)["params"]["module"]


FORGERIES = {
    "'_doc_link_template' is no parameter": lambda s: s.update(_doc_link_template="<script>"),
    "'transform' is no parameter": lambda s: s.update(transform={"__name__": "float32"}),
    "'__sklearn_clone__' is no parameter": lambda s: s.update(__sklearn_clone__=1),
    "'note' is no parameter": lambda s: s.update(note=1),
    "'estimates_' is no parameter": lambda s: s.update(estimates_=[1]),
    "the parameter n_components of DIMTransformer is missing": lambda s: s.pop("n_components"),
    "The 'n_components' parameter of DIMTransformer must be": lambda s: s.update(n_components=-1),
    "The 'representation' parameter": lambda s: s.update(representation="<script>"),
    "n_iter_ of DIMTransformer cannot be 'many'": lambda s: s.update(n_iter_="many"),
    "mean_ of DIMTransformer cannot be an array of int32": lambda s: s.update(mean_=s["int32"]),
    "mean_ of DIMTransformer cannot be an array of float64 of shape": lambda s: s.update(_n_features_out=3),
    "history_ of DIMTransformer cannot be": lambda s: s.update(history_=None),
    "a Blocks has no attribute 'forward'": lambda s: s["_blocks"]["state"]["settings"].update(forward=1),
    "a ResampleFeatures has no attribute '__call__'": lambda s: arguments(s)["kwargs"]["view"]["state"].update(
        __call__=1
    ),
    "does not hold 'iterator_train'": lambda s: net(s)["params"].update(iterator_train={"__name__": "float32"}),
    "names 'system', which": lambda s: arguments(s).update(__partial__="system"),
    "RuntimeError": lambda s: arguments(s).update(args={"__tuple__": ["table", {"__tuple__": [6]}, 4]}),
    "has other arrays than": lambda s: net(s)["weights"].popitem(),
    "state of this DIMTransformer is not one": lambda s: net(s).update(
        weights={str(i): w for i, w in enumerate(net(s)["weights"].values())}
    ),
}


@pytest.mark.parametrize("sentence", FORGERIES)
def test_what_is_not_declared_is_refused(model, sentence):
    if "int32" in sentence:  # an array that is there already, of another kind
        rewrite_arrays(model, lambda arrays: arrays.update(mean_=np.zeros(118, dtype=np.int32)))
    else:
        change(model, FORGERIES[sentence])
    with pytest.raises(ValueError, match=f"estimator.json is not as save.. wrote it .*({sentence})"):
        load(model)


def test_weights_of_another_dtype_are_refused(model):
    def shorten(arrays):
        name = next(name for name in arrays if name.endswith("bias"))
        arrays[name] = arrays[name].astype(np.float16)

    rewrite_arrays(model, shorten)
    with pytest.raises(ValueError, match=r"are torch.float16, not torch.float32"):
        load(model)


@pytest.mark.parametrize("name", ["_doc_link_template", "transform", "__sklearn_clone__", "_repr_html_", "__class__"])
def test_skops_with_the_trust_that_the_guide_names_sets_nothing_else(fitted, name):
    skops = pytest.importorskip("skops.io")
    estimator = fitted("table").estimator

    class Forged(DIMTransformer):
        def __getstate__(self):
            return {**super().__getstate__(), name: "<script>alert(1)</script>"}

    forged = Forged.__new__(Forged)
    forged.__dict__.update(vars(estimator))
    content = skops.dumps(forged)
    own = "sklearn_dim.dim.DIMTransformer"
    content = renamed(content, f"{Forged.__module__}.{Forged.__qualname__}", own)
    with pytest.raises(ValueError, match=f"would set '{name}', which is no parameter"):
        skops.loads(content, trusted=[own])


def renamed(content, old, new):
    """Return a skops file in which one type has another name."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(result, "w") as written:
        for part in given.namelist():
            data = given.read(part)
            if part == "schema.json":
                schema = json.loads(data)
                assert old.startswith(schema["__module__"])
                schema["__module__"], schema["__class__"] = new.rsplit(".", 1)
                data = json.dumps(schema).encode()
            written.writestr(part, data)
    return result.getvalue()


def test_notes_and_subclasses_keep_their_attributes_in_pickles(fitted):
    estimator = copy.copy(fitted("table").estimator)
    estimator.note = "of March"
    assert copy.deepcopy(estimator).note == "of March"

    class Own(DIMTransformer):
        pass

    own = Own(max_iter=1)
    own._cache, own.found_ = 1, 2
    assert vars(copy.deepcopy(own)) == vars(own)
    own.__dict__["transform"] = 3
    with pytest.raises(ValueError, match="would set 'transform'"):
        copy.deepcopy(own)


def test_an_attribute_of_ones_own_is_refused_before_anything_is_written(fitted, tmp_path):
    estimator = copy.copy(fitted("table").estimator)
    estimator.note = 1
    with pytest.raises(ValueError, match="'note' is no parameter and no fitted attribute"):
        save(estimator, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", KINDS)
def test_all_attributes_of_a_fit_are_declared(fitted, name):
    estimator = fitted(name).estimator
    cls = type(estimator)
    assert not _declared.other_names(cls, vars(estimator), strict=True)
    _declared.check_fitted(cls, vars(estimator))


def others():
    """Fits of parts that the common cases have not."""
    rng, few = np.random.default_rng(0), {"max_iter": 1, "random_state": 0}
    X, levels = rng.normal(size=(60, 4)), rng.integers(0, 3, size=60)
    words = [" ".join(rng.choice(["cat", "dog", "mat", "sat", "the"], 6)) for _ in range(60)]
    with_gaps = make_table()
    with_gaps.loc[3, "a"] = np.nan
    return {
        "table with gaps": lambda: DIMTransformer(2, **few).fit(with_gaps),
        "documents": lambda: DIMTransformer(2, encoder="tokens", **few).fit(words),
        "early stopping": lambda: DIMTransformer(2, early_stopping=True, mi_estimator="flo", **few).fit(X),
        "no features": lambda: DGITransformer(2, **few).fit(Graph(None, rng.random((30, 30)) < 0.2)),
        "batches": lambda: DGITransformer(2, inductive=True, batch_size=10, fan_out=3, **few).fit(random_graph(30, 0)),
        "two classes": lambda: MutualInfoEstimator(cv=2, **few).fit(levels[:, None], (levels + levels[::-1]) % 3),
        "given": lambda: MutualInfoEstimator(cv=2, **few).fit(X[:, :1], X[:, 1], given=X[:, 2:]),
        "wide": lambda: MutualInfoEstimator(cv=2, **few).fit(rng.normal(size=(60, 200)), X[:, 0]),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", others())
def test_other_fits_are_declared_as_well(name, tmp_path):
    estimator = others()[name]()
    save(estimator, tmp_path)
    for again in (load(tmp_path), copy.deepcopy(estimator)):
        assert vars(again).keys() == vars(estimator).keys()


@pytest.mark.parametrize("part", [*BOUNDS.values(), *PARTS], ids=lambda part: part.__name__)
def test_a_part_has_no_methods_among_its_attributes(part):
    for name in ("forward", "transform", "__call__", "fit", "objective", "__reduce__"):
        with pytest.raises(ValueError, match=f"has no attribute '{name}'"):
            _declared.check_part(part, {name: 1})


# Memory: a file may cost a small multiple of its size, and 8 MB.


def text_bomb(state):
    state["channels"] = {"__values__": ["a"], "dtype": "<U25000000", "shape": [1]}


def wide_text(state):
    state["channels"] = {"__values__": ["a" * 3000, *[""] * 3000], "dtype": "<U3000", "shape": [3001]}


def wide_net(state):
    arguments(state)["args"] = {"__tuple__": ["table", {"__tuple__": [5]}, 500_000]}


def long_rows(state):
    arguments(state)["args"] = {"__tuple__": ["table", {"__tuple__": [5_000_000]}, 4]}


def shape_bomb(state):
    state["channels"] = {"__values__": [], "dtype": "|O", "shape": [0, 2**40]}


def frame_bomb(state):
    state["history_"]["__frame__"] = {str(i): [1] for i in range(5000)}


BOMBS = [text_bomb, wide_text, wide_net, long_rows, shape_bomb, frame_bomb]

MEASURED = """
import resource, sys
from sklearn_dim.persistence import load
import sklearn_dim.training
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for folder in sys.argv[1:]:
    try:
        load(folder)
        print("loaded", folder)
    except ValueError as error:
        assert folder in str(error), error
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_bombs_are_refused_in_little_memory(fitted, tmp_path):
    folders = [tmp_path / bomb.__name__ for bomb in BOMBS]
    for folder, bomb in zip(folders, BOMBS, strict=True):
        save(fitted("table").estimator, folder)
        change(folder, bomb)
    size = max(file.stat().st_size for folder in folders for file in folder.iterdir())
    done = subprocess.run([sys.executable, "-c", MEASURED, *folders], capture_output=True, text=True, check=True)
    *loaded, peak = done.stdout.splitlines()
    assert not loaded
    assert float(peak) < 60 + 10 * size / 2**20


@pytest.mark.parametrize("text", [b"[" * 200_000, b'{"class":' * 200_000, b'{"a": NaN}'])
def test_deep_texts_are_refused_by_name(model, text):
    (model / "estimator.json").write_bytes(text)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"estimator.json is not as save.. wrote it"):
        load(model)
    assert tracemalloc.get_traced_memory()[1] < 10 * len(text) + 2**20
    tracemalloc.stop()


def test_arrays_that_nothing_names_are_refused(model):
    rewrite_arrays(model, lambda arrays: arrays.update(more=np.zeros(0)))
    with pytest.raises(ValueError, match=r"has other arrays than estimator\.json names"):
        load(model)


# Saving: all or nothing.


def state_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("fails_at", [0, 1])
def test_a_save_that_fails_leaves_the_old_model(fitted, model, monkeypatch, fails_at):
    before, replace, calls = state_of(model), os.replace, []

    def full(source, target):
        calls.append(target)
        if len(calls) > fails_at:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("os.replace", full)
    for folder in (model, model.parent / "new"):
        calls.clear()
        with pytest.raises(OSError, match=rf"{folder}/\S+ could not be written \(No space left on device\)"):
            save(fitted("far").estimator, folder)
    assert state_of(model) == before and not (model.parent / "new").exists()


def test_a_save_that_is_killed_between_its_files_is_read(fitted, model, monkeypatch):
    monkeypatch.setattr("pathlib.Path.replace", lambda *paths: None)  # the last step
    estimator, X, answer = fitted("far")
    save(estimator, model)
    monkeypatch.undo()
    assert len(list(model.iterdir())) == 3
    np.testing.assert_array_equal(answer(load(model), X), answer(estimator, X))
    for number in range(2):  # what kills have left long ago
        leftover = model / ("arrays.0.safetensors", "estimator.json.0.part")[number]
        leftover.write_bytes(b"half")
        os.utime(leftover, (0, 0))
    save(estimator, model)
    assert {path.name for path in model.iterdir()} == {"estimator.json", "arrays.safetensors"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_a_save_that_is_killed_anywhere_leaves_one_of_the_models(fitted, model, kills, record_property):
    record_property("tries", kills)
    both, random = [fitted(name).estimator for name in ("table", "far")], np.random.default_rng(0)
    sizes = {save_and_measure(estimator, model) for estimator in both}
    for _ in range(kills):
        child = os.fork()
        if not child:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, random.uniform(0.001, 0.03))
            while True:
                for estimator in both:
                    save(estimator, model)
        random.uniform()
        assert os.waitpid(child, 0)[1] == signal.SIGPROF
        load(model)
        assert (model / "estimator.json").stat().st_size in sizes
    for leftover in model.iterdir():
        os.utime(leftover, (0, 0))
    save(both[0], model)
    assert {path.name for path in model.iterdir()} == {"estimator.json", "arrays.safetensors"}


def save_and_measure(estimator, folder):
    save(estimator, folder)
    return (folder / "estimator.json").stat().st_size


def test_links_are_replaced_and_not_followed(fitted, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "model").mkdir()
    for name in ("estimator.json", "arrays.safetensors"):
        (tmp_path / "model" / name).symlink_to(precious)
    save(fitted("table").estimator, tmp_path / "model")
    assert precious.read_text() == "mine"
    load(tmp_path / "model")


# What other languages read.


def no_literal(name):
    raise AssertionError(name)


def test_numbers_that_are_not_finite_come_back(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(2, 40))
    selector = MutualInfoSelector(k=1, max_iter=1, n_permutations=9, random_state=0).fit(X[:, None], y)
    selector.scores_ = np.array([np.nan])
    selector.set_params(max_p_value=1.0)
    save(selector, tmp_path)
    json.loads((tmp_path / "estimator.json").read_text(), parse_constant=no_literal)
    np.testing.assert_array_equal(load(tmp_path).scores_, [np.nan])
    dim = DIMTransformer()
    dim.mutual_info_, dim.loss_curve_ = -np.inf, [1.0, float("nan")]
    save(dim, tmp_path)
    json.loads((tmp_path / "estimator.json").read_text(), parse_constant=no_literal)
    assert load(tmp_path).mutual_info_ == -np.inf and np.isnan(load(tmp_path).loss_curve_[1])


def test_a_selector_selects_the_same(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    selector = MutualInfoSelector(k=1, max_iter=1, n_permutations=9, random_state=0).fit(X, X[:, 1] + 0.1)
    save(selector, tmp_path)
    again = load(tmp_path)
    assert type(again) is MutualInfoSelector and again.get_params() == selector.get_params()
    assert vars(again).keys() == vars(selector).keys()
    for copied in (again, pickle.loads(pickle.dumps(selector)), copy.deepcopy(selector)):
        np.testing.assert_array_equal(copied.transform(X), selector.transform(X))
        np.testing.assert_array_equal(copied.pvalues_, selector.pvalues_)


def own_encoder(x):
    """A user's function."""
    return x[:, None], x


def test_a_function_of_the_user_adds_its_type_to_those_that_skops_asks_about():
    skops = pytest.importorskip("skops.io")
    types = skops.get_untrusted_types(data=skops.dumps(DIMTransformer(augmentation=own_encoder)))
    assert "sklearn_dim.dim.DIMTransformer" in types and any("own_encoder" in name for name in types)
