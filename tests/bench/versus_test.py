"""cclbench versus: the table, the JSON, and that what it is asked for is what it measures.

Usage: versus_test.py CCLBENCH RANKS
"""
import json
import pathlib
import subprocess
import sys
import tempfile

bench, ranks = sys.argv[1], int(sys.argv[2])


def run(*arguments):
    return subprocess.run([bench, "versus", "--np", str(ranks), *arguments], capture_output=True,
                          text=True, timeout=300)


with tempfile.TemporaryDirectory() as name:
    path = pathlib.Path(name) / "versus.json"
    done = run("allreduce", "reduce_scatter", "allgather", "broadcast", "alltoall", "-s", "8,64KiB",
               "-n", "3", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(path.read_text())["results"]

assert "all results right" in done.stdout, done.stdout
assert [(r["collective"], r["bytes"]) for r in rows] == [
    (c, b) for c in ("allreduce", "reduce_scatter", "allgather", "broadcast", "alltoall")
    for b in (8, 65536)], rows
for row in rows:
    assert row["ranks"] == ranks and row["buffers"] == "ordinary" and row["touched"] is True, row
    assert row["peer"] != "" and row["peer_us"] > 0 and row["ccl_us"] > 0, row
    assert 0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"], row
    assert row["pingpong_ns"] >= 0, row

untouched = run("barrier", "-n", "3", "--untouched", "--buffers", "allocated")
assert untouched.returncode == 0, untouched.stdout + untouched.stderr
assert "allocated buffers, untouched" in untouched.stdout, untouched.stdout
threads = run("allreduce", "broadcast", "-s", "8,1MiB", "-n", "3", "--buffers", "threads")
assert threads.returncode == 0, threads.stdout + threads.stderr
assert "threads' buffers, touched" in threads.stdout, threads.stdout
assert "4 cells" in threads.stdout and "all results right" in threads.stdout, threads.stdout
wrong = run("frobnicate")
assert wrong.returncode != 0 and "frobnicate" in wrong.stderr, wrong.stderr
print(f"{len(rows)} rows on {ranks} ranks")
