"""Shape-invariant determinism: random programs give the same bits on MPI and on emulated ranks.

Usage: random_bits_test.py RANDOM_BITS RANKS SEEDS LAUNCHER...
"""
import os
import pathlib
import subprocess
import sys
import tempfile

program, ranks, seeds, launcher = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]


def results(folder, command, how, environment):
    """[{call: hash} for each rank] of a run."""
    folder.mkdir()
    done = subprocess.run([*command, program, how, str(ranks), seeds, str(folder)], timeout=200,
                          capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, f"{how}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return [dict(line.rsplit(" ", 1) for line in (folder / f"rank.{r}").read_text().splitlines())
            for r in range(ranks)]


def differences(one, other):
    return [f"rank {r}, {call}: {one[r].get(call)} and {other[r].get(call)}"
            for r in range(ranks) for call in {**one[r], **other[r]}
            if one[r].get(call) != other[r].get(call)]


with tempfile.TemporaryDirectory() as name:
    root = pathlib.Path(name)
    strict = {"CCL_DETERMINISTIC": "shape-invariant"}
    mpi = results(root / "mpi", [*launcher, "-np", str(ranks)], "mpi", strict)
    for fabric in ("crossbar", "cloudmatrix384"):
        emulated = results(root / fabric, [], "emulated", {**strict, "CCL_BACKEND": f"emulated:{fabric}"})
        found = differences(mpi, emulated)
        assert not found, "\n".join([f"mpi and {fabric} differ in {len(found)} results", *found[:20]])
    # What the class is for: other algorithms give other bits.
    free = results(root / "free", [], "emulated",
                   {"CCL_ALGO": "allreduce:@ring", "CCL_BACKEND": "emulated:crossbar"})
    assert differences(mpi, free), "the order of a fold does not show"

calls = sum(len(rank) for rank in mpi)
assert all(len(rank) == int(seeds) * 12 for rank in mpi), [len(rank) for rank in mpi]
print(f"{calls} results of {seeds} programs on {ranks} ranks: the same bits on MPI and on two fabrics")
