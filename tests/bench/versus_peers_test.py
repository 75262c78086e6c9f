"""cclbench versus: several launches become one table; Gloo and MPICH are compared with as Open MPI is.

Usage: versus_peers_test.py CCLBENCH launches|gloo|mpich
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

bench, what = sys.argv[1:]
FEW = ("-s", "8,64KiB", "-n", "3")


def run(*arguments):
    return subprocess.run([bench, "versus", *arguments], capture_output=True, text=True, timeout=180)


def rows_of(*arguments):
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "versus.json"
        done = run(*arguments, "--json", str(path))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all results right" in done.stdout, done.stdout
        return json.loads(path.read_text())["results"], done.stdout


def peer(rows, name, cells):
    assert [(row["collective"], row["bytes"]) for row in rows] == cells, rows
    for row in rows:
        assert row["peer"].startswith(name) and row["ranks"] == 2 and row["wrong"] == 0, row
        assert 0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"], row


if what == "launches":
    rows, text = rows_of("allreduce", "--np", "2", *FEW, "--launches", "2", "--untouched")
    peer(rows, "", [("allreduce", 8), ("allreduce", 65536)])
    for row in rows:
        assert len(row["ratio_launches"]) == len(row["pingpong_launches_ns"]) == 2, row
        assert row["touched"] is False and min(row["ratio_launches"]) == row["ratio_low"], row
    assert "2 launches" in text and "least and most" in text, text
    alone = run("allreduce", "--launches", "2")
    assert alone.returncode != 0 and "--launches needs --np" in alone.stderr, alone.stderr
    tuned = run("allreduce", "--np", "2", *FEW, "--tuned")
    assert tuned.returncode == 0 or "UCX" in tuned.stderr, tuned.stdout + tuned.stderr
elif what == "gloo":
    none = run("barrier", "--np", "2", *FEW, "--peer", "gloo")
    if none.returncode != 0:  # a cclbench without it says so
        assert "built without Gloo" in none.stderr, none.stdout + none.stderr
        sys.exit(0)
    rows, _ = rows_of("--np", "2", *FEW, "--peer", "gloo")
    peer(rows, "Gloo", [(c, b) for c in ("allreduce", "allgather", "broadcast", "alltoall") for b in (8, 65536)])
    other = run("reduce_scatter", "--np", "2", *FEW, "--peer", "gloo")
    assert other.returncode != 0 and "no comparison with Gloo of reduce_scatter" in other.stderr, other.stderr
else:
    if shutil.which("mpirun.mpich") is None:
        sys.exit(77)
    rows, _ = rows_of("allreduce", "reduce_scatter", "--np", "2", *FEW)
    peer(rows, "MPICH", [(c, b) for c in ("allreduce", "reduce_scatter") for b in (8, 65536)])
print("compared")
