"""One schedule gives the same bits on MPI ranks and on emulated ones, whatever the fabric.

Usage: same_bits_test.py SAME_BITS RANKS LAUNCHER...
A difference is reported with the case and the rank.
"""
import pathlib
import subprocess
import sys
import tempfile

program, ranks, launcher = sys.argv[1], int(sys.argv[2]), sys.argv[3:]


def results(folder, command, backend, seed=1):
    """[{case: hash} for each rank] of a run."""
    folder.mkdir()
    done = subprocess.run([*command, program, backend, str(ranks), str(seed), str(folder)],
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, f"{backend}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return [dict(line.rsplit(" ", 1) for line in (folder / f"rank.{r}").read_text().splitlines())
            for r in range(ranks)]


def differences(one, other):
    return [f"rank {r}, {case}: {one[r].get(case)} and {other[r].get(case)}"
            for r in range(ranks) for case in {**one[r], **other[r]}
            if one[r].get(case) != other[r].get(case)]


with tempfile.TemporaryDirectory() as name:
    root = pathlib.Path(name)
    mpi = results(root / "mpi", [*launcher, "-np", str(ranks)], "mpi:")
    for fabric in ("crossbar", "cloudmatrix384"):
        emulated = results(root / fabric, [], f"emulated:{fabric}")
        found = differences(mpi, emulated)
        assert not found, "\n".join([f"mpi: and emulated:{fabric} differ in {len(found)} results",
                                     *found[:20]])
    other = differences(mpi, results(root / "other", [], "emulated:crossbar", seed=2))

# The comparison has something to compare: all collectives, compositions, slices, and the data.
cases = list(mpi[0])
collectives = {case.split()[0] for case in cases}
assert len(collectives) == 16, collectives
assert all(len(rank) == len(cases) for rank in mpi)
assert any(case.split()[1].endswith("*3") for case in cases)
assert ranks < 3 or any("hier(" in case for case in cases)
assert len(other) > len(cases), "the results do not depend on the data"
print(f"{len(cases)} cases on {ranks} ranks: the same bits on MPI and on two fabrics")
