"""What one process of a large job holds: linear in the ranks, and below 1 KiB for each of them.

Usage: memory_test.py CCLBENCH
"""
import re
import subprocess
import sys

bench = sys.argv[1]


def explain(*arguments, status=0):
    done = subprocess.run([bench, "explain", *arguments, "--memory"], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def parts(text):
    """{part: (bytes at a quarter of the ranks, bytes)}."""
    table = text[text.index("Memory "):text.index("Nothing here grows faster than the ranks.")]
    return {name: (int(before), int(now)) for name, before, now in
            re.findall(r"^  (\S.*?) +(-?\d+) +(\d+) +-?[\d.]+$", table, re.M)}


for collective in ("allreduce", "reduce_scatter", "allgather", "broadcast", "alltoall"):
    for ranks in (1024, 16384):
        text = explain(collective, "--ranks", str(ranks))
        assert f"on {ranks} ranks" in text and "the fastest predicted of" in text, text
        found = parts(text)
        for name in ("topology", "world: engine, planner", "communicator", "plan: the choice, its program",
                     "call: cursor, lanes, scratch", "mpi: beside MPI's own", "tcp: beside sockets",
                     "in all, mpi:", "in all, tcp:"):
            assert name in found, (name, text)
        for name, (before, now) in found.items():
            if collective == "alltoall" and name.startswith("in all"):
                continue  # talks to everybody
            assert now - before < 1024 * (ranks - ranks // 4), f"{collective}, {ranks} ranks, {name}: {before}, {now}"
        # What is there whatever the ranks is small too, where an algorithm needs no scratch.
        if collective == "allreduce":
            assert found["in all, mpi:"][1] < (1 << 20) + 256 * ranks, text

# An all-to-all talks to everybody, a hierarchical allreduce to few.
assert "with 16383 other ranks" in explain("alltoall", "--ranks", "16384", "--size", "1MiB")
few = int(re.search(r"with (\d+) other ranks", explain("allreduce", "--ranks", "16384")).group(1))
assert few < 64, few

# Peers of one host, of whom there may be many: also below 1 KiB each.
sizes = [parts(explain("allreduce", "--ranks", "1024", "--per-host", n))["mpi: beside MPI's own"][1]
         for n in ("64", "256")]
assert sizes[1] - sizes[0] < 1024 * (256 - 64), sizes

assert "2 at least" in explain("allreduce", status=2)
assert "does not do" in explain("alltoall", "--ranks", "64", "--algorithm", "ring", status=2)
print("bounded")
