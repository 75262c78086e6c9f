"""cclbench scale: every case apart, messages counted, the peer's time beside its own.

Usage: scale_test.py CCLBENCH
"""
import json
import os
import stat
import subprocess
import sys
import tempfile

bench = os.path.abspath(sys.argv[1])


def run(*arguments, status=0):
    done = subprocess.run([bench, "scale", "--repetitions", "1", *arguments], capture_output=True,
                          text=True, timeout=200)
    assert done.returncode == status, (arguments, done.stdout, done.stderr)
    return done.stdout + done.stderr


with tempfile.TemporaryDirectory() as folder:
    file, peer = os.path.join(folder, "scale.json"), os.path.join(folder, "peer")
    with open(peer, "w") as script:
        script.write("#!/bin/sh\necho \"$@\" >> " + os.path.join(folder, "calls") + "\n"
                     "echo '{\"messages\": 1, \"time_ps\": 1, \"cpu_s\": 1000, \"rss_mb\": 1}'\n")
    os.chmod(peer, stat.S_IRWXU)
    printed = run("--only", "pairwise all-to-all @ crossbar", "--json", file, "--peer", peer)
    with open(file) as f:
        results = json.load(f)["results"]
    small, large = results
    for row in results:
        n = row["ranks"]
        assert row["messages"] == n * (n - 1), row
        # (n - 1) (1 us + bytes / n / 400 GB/s), to the picosecond
        block = row["bytes"] // n // 4 * 4
        assert row["time_ps"] == (n - 1) * (10**6 + -(-block * 5 // 2)), row
        assert row["cpu_s"] > 0 and row["peak_mb"] > 1 and row["messages_per_s"] > 0, row
    assert (small["ranks"], small["simulated_ranks"]) == (384, 384), small
    assert (large["ranks"], large["simulated_ranks"]) == (65536, 1), large
    assert large["peak_mb"] < 200, large
    assert abs(small["ratio"] * small["cpu_s"] - 1000) < 1e-6 and large["ratio"] is None, results
    assert "by symmetry, 1 ran" in printed, printed
    with open(os.path.join(folder, "calls")) as calls:
        assert calls.read() == "--collective alltoall --algorithm pairwise --ranks 384 --count 43690 --platform crossbar\n"
    assert "matches no case" in run("--only", "nothing", status=2)
