"""All that is to be measured on a GPU: `python benchmarks/gpu.py [part ...]`, all parts by default.

Parts, by worth: checks (each kind of fit beside the CPU, and what its steps wait for), paper (the published CIFAR-10
table, as many epochs as --budget-seconds allow), steps (milliseconds, share of the card's peak, memory), graphs (Deep
Graph Infomax), pairs (a million of them), survey (all bounds, critics, encoders, corruptions beside the CPU).
Each row is written to --out as soon as it is there, and a rerun does those that are missing, or failed. At the end
gpu.md has the tables, with the card's name, and says what was not run. Data are read from the folder SKLEARN_DIM_DATA.

`--only TEXT ...` runs the rows whose name has one of the texts, `--skip TEXT ...` leaves such rows out. A look on a CPU
in minutes: `--quick --device cpu`.
"""

import argparse
import gc
import os
import pathlib
import time
import traceback
import warnings
from functools import cache, partial

import torch
from _cifar10 import load_cifar10
from _gpu_cases import CASES, SURVEY
from _gpu_checks import captured_row, check, last_line, tf32_row
from _gpu_fits import graph_row, pairs_row
from _gpu_paper import paper_row
from _gpu_results import Results
from _gpu_steps import StepByStep, is_cuda, plain_row, step_row

from sklearn_dim import DGITransformer, DIMTransformer

CAPTURED = "image", "image in colour, uint8, two views", "published", "table", "sequence"  # cases with CUDA graphs


def checks(options):
    """Each kind of fit on the device, beside the CPU's with the same random numbers."""
    rows = {name: partial(check, case, options.device) for name, case in CASES.items()}
    rows |= {f"{case}, captured": partial(captured_row, CASES[case], options.device) for case in CAPTURED}
    return rows | {"transform with cuDNN's TF32, beside without": partial(tf32_row, options.device)}


def survey(options):
    """The same of every bound, critic, graph encoder, corruption and readout."""
    return {name: partial(check, case, options.device) for name, case in SURVEY.items()}


def paper(options):
    """The published table of CIFAR-10: DIM(L), probes on frozen layers; then the same with two views."""
    one = {"seconds": options.budget_seconds, "epochs": options.epochs, "compile": options.compile}
    one |= {"probe_epochs": 2} if options.quick else {}
    rows = {
        f"DIM(L), {bound}, batch {options.batch_size}": partial(timed_paper, options, bound, one)
        for bound in ("jsd", "infonce")
    }
    two = {**one, "augmentation": "auto"}
    return rows | {
        f"DIM(L), two views, infonce, batch {options.batch_size}": partial(timed_paper, options, "infonce", two)
    }


def timed_paper(options, bound, arguments):
    """Return a row of the paper's table."""
    data = images("train", options.limit), images("test", options.limit)
    row = paper_row(data, bound, options.device, batch_size=options.batch_size, **arguments)
    return {"step": "compiled" if options.compile else "as it is", **row}


def steps(options):
    """A step of the published networks and of the defaults."""
    device, batch_sizes = options.device, (4, 8) if options.quick else (64, 512)
    plans = {}
    for size in batch_sizes:
        for precision in ("float32", "TF32", "bfloat16"):
            plans[f"published, {size}, {precision}"] = (size, precision, {})
        plans[f"published, infonce, {size}, bfloat16"] = (size, "bfloat16", {"mi_estimator": "infonce"})
        plans[f"two views, {size}, float32"] = (size, "float32", {"augmentation": "auto"})
        plans[f"two views, {size}, bfloat16"] = (size, "bfloat16", {"augmentation": "auto"})
    for precision in ("float32", "bfloat16"):
        plans[f"defaults, {2 * batch_sizes[0]}, {precision}"] = (
            2 * batch_sizes[0], precision, {"make": DIMTransformer},
        )  # fmt: skip
    rows = {name: partial(timed_step, options, *plan) for name, plan in plans.items()}
    for measure in ("jsd", "infonce"):
        for precision in ("float32", "TF32"):
            name = f"plain torch, {measure}, {batch_sizes[0]}, {precision}"
            rows[name] = partial(timed_plain, options, batch_sizes[0], measure, precision)
    rows[f"plain torch, infonce, {4 * batch_sizes[0]}, float32"] = partial(
        timed_plain, options, 4 * batch_sizes[0], "infonce", "float32"
    )
    rows[f"published, infonce, {4 * batch_sizes[0]}, float32"] = partial(
        timed_step, options, 4 * batch_sizes[0], "float32", {"mi_estimator": "infonce"}
    )
    if not is_cuda(device):
        return rows
    for name, (size, precision, arguments) in plans.items():
        rows[f"{name}, step by step"] = partial(
            timed_step, options, size, precision, {**arguments, "callbacks": [StepByStep()]}
        )
    first = f"published, {batch_sizes[0]}, bfloat16"
    size, precision, arguments = plans[first]
    rows[f"{first}, compile=True"] = partial(timed_step, options, size, precision, {**arguments, "compile": True})
    return rows


def timed_step(options, batch_size, precision, arguments):
    """Return a row about a step of the package."""
    window = {"window": 1} if options.quick else {}
    return step_row(images("train", options.limit)[0], batch_size, precision, options.device, **window, **arguments)


def timed_plain(options, batch_size, measure, precision):
    """Return a row about a step of the plain version."""
    window = {"window": 1} if options.quick else {}
    return plain_row(images("train", options.limit)[0], batch_size, measure, precision, options.device, **window)


def graphs(options):
    """Deep Graph Infomax by default and as published, on the standard splits and on 10 % of Coauthor CS."""
    few = {"max_iter": 3} if options.quick else {}
    rows = {}
    for name in ("cora", "citeseer", "coauthor-cs"):
        rows[f"{name}, defaults"] = partial(graph_row, name, options.device, **few)
        rows[f"{name}, the paper's setting"] = partial(
            graph_row, name, options.device, make=DGITransformer.published, **few
        )
    rows["cora, defaults, on the CPU"] = partial(graph_row, "cora", "cpu", **few)
    return rows


def pairs(options):
    """The information of a million pairs of five columns."""
    n = 2000 if options.quick else 1_000_000
    return {
        f"{n} rows, batch 256": partial(pairs_row, n, options.device),
        f"{n} rows, batch 4096": partial(pairs_row, n, options.device, batch_size=4096),
        f"{n} rows, batch 256, on the CPU": partial(pairs_row, n, "cpu"),
    }


@cache
def images(split, limit):
    """Return images and labels of a split; for steps the images alone matter."""
    return load_cifar10(split, limit)


PARTS = {"checks": checks, "paper": paper, "steps": steps, "graphs": graphs, "pairs": pairs, "survey": survey}


def run(part, rows, results, options):
    """Run a part's rows that are missing, until its minutes are over."""
    start = time.perf_counter()
    for name, row in rows.items():
        wanted = not options.only or any(text in name for text in options.only)
        wanted = wanted and not any(text in name for text in options.skip)
        if results.has(part, name) or not wanted or time.perf_counter() - start > 60 * options.minutes:
            continue
        before = time.perf_counter()
        try:
            found = row()
        except Exception as error:
            traceback.print_exc()
            found = {"failed": f"{type(error).__name__}: {last_line(error)}"}
        results.add(part, name, found)
        values = "; ".join(f"{column} {value}" for column, value in found.items())
        print(f"{part}: {name}: {values} ({time.perf_counter() - before:.1f} s)", flush=True)
        gc.collect()
        if is_cuda(options.device):
            torch.cuda.synchronize()  # where the device is lost, this ends the process; a rerun goes on
            torch.cuda.empty_cache()


def main():
    """Run what was asked for and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="part", help=", ".join(PARTS))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("gpu-results"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", nargs="+", default=[], metavar="TEXT")
    parser.add_argument("--skip", nargs="+", default=[], metavar="TEXT")
    parser.add_argument("--minutes", type=float, default=10, help="of a part, after which none of its rows begins")
    parser.add_argument("--budget-seconds", type=float, default=150, help="paper: of training a row")
    parser.add_argument("--epochs", type=int, default=1000, help="paper: the most")
    parser.add_argument("--batch-size", type=int, default=64, help="paper")
    parser.add_argument("--compile", action="store_true", help="paper: with compile=True")
    parser.add_argument("--limit", type=int, help="so many images")
    parser.add_argument("--quick", action="store_true", help="show that everything runs; figures mean nothing")
    options = parser.parse_args()
    if options.quick:
        options.limit, options.budget_seconds, options.epochs = options.limit or 192, 5, 1
    if not os.environ.get("SKLEARN_DIM_DATA"):
        parser.error("set SKLEARN_DIM_DATA to the folder that holds cifar10_jpeg.npz, planetoid and graphs")
    warnings.simplefilter("ignore")
    titles = {part: make.__doc__.splitlines()[0] for part, make in PARTS.items()}
    results = Results(options.out, options.device, titles)
    print(results.machine, flush=True)
    planned = {part: PARTS[part](options) for part in PARTS}
    for part in options.parts:
        run(part, planned[part], results, options)
        results.write(planned)
    print(f"\n{results.table.read_text()}")


if __name__ == "__main__":
    main()
