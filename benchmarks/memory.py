"""Memory for a file that is larger than it: `python benchmarks/memory.py [--gigabytes 4]` prints a table.

An array of random numbers is written to a temporary folder. A process of its own opens it as a memory map, fits
DIMTransformer for an epoch and transforms all rows. Resident memory counts pages of the file as well, which the system
may drop at any time; "own" leaves them out.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

SAMPLES = {"float32": (1024,), "float64": (1024,), "uint8": (3, 64, 64)}  # tables, and images
STATUS = pathlib.Path("/proc/self/status")
HEADER = "| array | file, GB | before, MB | fit: peak, MB | own, MB | s | transform: peak, MB | own, MB | s |"


def main():
    """Measure each kind of array and print a row for it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--gigabytes", type=float, default=4.0)
    options.add_argument("--dtypes", nargs="+", choices=SAMPLES, default=["float32"])
    options = options.parse_args()
    print(HEADER + "\n" + 9 * "|---" + "|", flush=True)
    for dtype in options.dtypes:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "X.npy"
            shape = write(path, dtype, int(options.gigabytes * 1e9))
            size = path.stat().st_size / 1e9
            child = [sys.executable, "-W", "ignore", __file__, "--child", str(path)]
            cells = json.loads(subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(f"| {dtype} {shape} | {size:.2f} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |", flush=True)


def write(path, dtype, n_bytes, rows=2000):
    """Write random rows that fill so many bytes, and return the array's shape."""
    sample = SAMPLES[dtype]
    shape = (n_bytes // (np.dtype(dtype).itemsize * int(np.prod(sample))), *sample)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    rng = np.random.default_rng(0)
    for start in range(0, shape[0], rows):
        some = (min(rows, shape[0] - start), *sample)
        if dtype == "uint8":
            X[start : start + rows] = rng.integers(256, size=some, dtype=np.uint8)
        else:
            X[start : start + rows] = rng.standard_normal(some, dtype=np.float32)
    X.flush()
    return shape


def measure(path):
    """Print the megabytes held before, and for `fit` and `transform` the peak, its own part and the seconds."""
    from sklearn_dim import DIMTransformer

    X = np.load(path, mmap_mode="r")
    dim = DIMTransformer(max_iter=1, batch_size=256, device="cpu", random_state=0)
    cells = [resident()[0]]
    for step in (dim.fit, dim.transform):
        start, samples, done = time.perf_counter(), [], threading.Event()
        watch = threading.Thread(target=sample_until, args=(done, samples), daemon=True)
        watch.start()
        step(X)
        done.set()
        watch.join()
        cells += [peak(samples), max(own for _, own in samples), time.perf_counter() - start]
    print(json.dumps(cells))


def sample_until(done, samples, seconds=0.02):
    """Look at the memory again and again."""
    while not done.wait(seconds):
        samples.append(resident())
    samples.append(resident())


def peak(samples):
    """Return the most megabytes so far: the system's own record, which misses nothing, where it has one."""
    record = status("VmHWM") if STATUS.exists() else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return max(record, *(total for total, _ in samples))


def resident():
    """Return resident megabytes, and those that are no file's; where /proc is missing, the peak so far twice."""
    if STATUS.exists():
        return status("VmRSS"), status("RssAnon")
    return 2 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,)


def status(name):
    """Return a line of the process's status in megabytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    measure(sys.argv[2]) if sys.argv[1:2] == ["--child"] else main()
