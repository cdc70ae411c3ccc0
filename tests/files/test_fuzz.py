"""Files that were damaged or forged at random, see fuzz.py."""

import importlib.util
import pathlib
import tracemalloc

import pytest

SCRIPT = pathlib.Path(__file__).with_name("fuzz.py")
# Kinds and seeds of what once went wrong; robust bombs of other origin are typed in the tests of their readers.
CORPUS = [("edges", 101982), ("graph", 24006)]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bench(fuzz, tmp_path_factory):
    pytest.importorskip("safetensors")
    yield fuzz.Bench(tmp_path_factory.mktemp("fuzz"))
    tracemalloc.stop()


def test_what_once_went_wrong_and_a_few_more(bench, record_property):
    for name, seed in [*CORPUS, *((name, seed) for name in bench.kinds for seed in range(3))]:
        record_property("tries", 1)
        bench.case(name, seed)


def test_the_check_sees_what_is_wrong(fuzz, bench):
    class Careless(fuzz.Texts):
        def read(self, folder):
            content = (folder / "graphs.txt").read_text()
            if content.startswith("raw"):
                raise KeyError(content)
            if content.startswith("large"):
                return bytes(10**8)
            raise ValueError("somewhere")

    kind = Careless(fuzz.write_text)
    kind.good = bench.kinds["graph file"].good
    for text, complaint in (("raw", "a raw KeyError"), ("large", "bytes for files of"), ("", "without the path")):
        with pytest.raises(fuzz.Wrong, match=complaint):
            bench.tried(kind, lambda folder, text=text: (folder / "graphs.txt").write_text(text))


@pytest.mark.slow
def test_a_thousand_flipped_bits_are_refused_or_harmless(fuzz, bench, record_property):
    record_property("tries", 1000)
    names = [name for name in bench.kinds if not name.startswith(fuzz.UNSIGNED)]
    said = {bench.flip(names[seed % len(names)], seed) for seed in range(1000)}
    assert said <= {"refused", "read"}


@pytest.mark.slow
@pytest.mark.parametrize("files", [1000, 10_000], ids=["a_thousand", "ten_thousand"])
def test_damaged_and_forged_files(bench, files, record_property):
    record_property("tries", files)
    names = list(bench.kinds)
    said = {bench.case(names[seed % len(names)], seed) for seed in range(files)}
    assert said == {"refused", "read"}
