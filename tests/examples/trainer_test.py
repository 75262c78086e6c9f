"""Claims about the trainer that a transcript cannot hold.

Usage: trainer_test.py CASE TRAINER [ALGORITHM] [LAUNCHER...]. Exit status 1 when a claim fails.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

RANKS = 4


def run(command):
    print("$", " ".join(command), flush=True)
    done = subprocess.run(command, capture_output=True, text=True)
    print(done.stdout + done.stderr, end="", flush=True)
    return done


def numbers(output, pattern):
    found = re.search(pattern, output)
    assert found, f"no '{pattern}' in the output"
    return [float(text) for text in found.groups()]


def trained(command):
    done = run(command)
    assert done.returncode == 0, "the trainer failed"
    return done.stdout


def accuracy(trainer):
    seen = []
    for ranks in (1, 2, 4):
        output = trained([trainer, "--ranks", str(ranks)])
        seen += numbers(output, r"test accuracy ([\d.]+)")
    assert seen[0] >= 0.75, f"accuracy {seen[0]} after an epoch"
    spread = max(seen) - min(seen)
    assert spread <= 0.003, f"accuracies {seen} differ by {spread:.4f}"


def identity(trainer, algorithm, *launcher):
    flags = ["--algorithm", algorithm, "--samples", "12800"]
    with tempfile.TemporaryDirectory() as directory:
        real, emulated, other = (f"{directory}/{name}" for name in ("real", "emulated", "other"))
        trained([*launcher, "-np", str(RANKS), trainer, *flags, "--save-weights", real])
        fabric = ["--backend", "emulated:crossbar", "--ranks", str(RANKS)]
        trained([trainer, *flags, *fabric, "--save-weights", emulated])
        trained([trainer, *flags, *fabric, "--seed", "2", "--save-weights", other])
        weights = [pathlib.Path(path).read_bytes() for path in (real, emulated, other)]
    assert len(weights[0]) == 4 * (785 * 128 + 129 * 10), "not all weights were saved"
    assert weights[0] == weights[1], "the weights of MPI and of the emulated ranks differ"
    assert weights[0] != weights[2], "weights do not depend on the seed"


def overlap(trainer):
    pattern = (r"step ([\d.]+) us = compute ([\d.]+) \+ "
               r"exposed communication ([\d.]+); hidden ([-\d.]+)")
    exposed = {}
    for buckets in (1, 2, 8):
        output = trained([trainer, "--backend", "emulated:crossbar", "--ranks", "16",
                          "--samples", "1280", "--buckets", str(buckets)])
        step, compute, exposed[buckets], hidden = numbers(output, pattern)
        assert abs(step - compute - exposed[buckets]) < 0.002, "the parts are not the whole"
        assert (hidden == 0) if buckets == 1 else (hidden > 0), f"{hidden} us are hidden"
    assert exposed[2] < exposed[1], "reducing layer 2 early hides nothing"


def errors(trainer):
    for flags, words in (
            (["--data", "/nowhere"], "dataset-fashion-mnist"),
            (["--backend", "emulated:crosbar"], "crossbar"),
            (["--ranks", "3"], "not divisible by 3"),
            (["--algorithm", "rong"], "rong"),
            (["--lr", "fast"], "--lr 'fast'"),
            (["--epochs", "1.5"], "--epochs '1.5'"),
            (["--samples", "100"], "do not fill a batch"),
            (["--samples", "128", "--save-weights", "/nowhere/weights"], "cannot write /nowhere"),
            (["--speed", "11"], "--speed"),
            (["--seed"], "--seed")):
        done = run([trainer, *flags])
        assert done.returncode == 1, f"exit status {done.returncode}"
        assert words in done.stderr, f"'{words}' is not said"


def mpi_errors(trainer, *launcher):
    for flags, words in (
            (["--data", "/nowhere"], "dataset-fashion-mnist"),
            (["--batch", "127"], "not divisible by 2"),
            (["--ranks", "3"], "mpirun started 2"),
            (["--backend", "emulated:crossbar"], "without mpirun")):
        done = run([*launcher, "-np", "2", trainer, *flags])
        assert done.returncode != 0, "exit status 0"
        assert words in done.stderr, f"'{words}' is not said"
    # Two processes that were told different things.
    done = run([*launcher, "-np", "1", trainer, "--algorithm", "ring", ":",
                "-np", "1", trainer, "--algorithm", "two_shot"])
    assert done.returncode != 0, "exit status 0"
    for words in ("rank 1 is configured with", "@two_shot", "rank 0 with", "@ring"):
        assert words in done.stderr, f"'{words}' is not said"


CASES = {case.__name__: case for case in (accuracy, identity, overlap, errors, mpi_errors)}
try:
    CASES[sys.argv[1]](*sys.argv[2:])
except AssertionError as error:
    print("failed:", error)
    sys.exit(1)
