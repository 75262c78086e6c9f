"""No schedule is faster than its lower bound on the fabric: every algorithm, every preset.

Usage: bounds_test.py CCLBENCH
The bound is of latency, of what a port must carry and of what a group's uplink must carry.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

bench = sys.argv[1]
listed = subprocess.run([bench, "list", "fabrics"], capture_output=True, text=True, timeout=60)
assert listed.returncode == 0, listed.stderr
RANKS = {"cloudmatrix384-dies": 64, "cloudmatrix384": 48, "ascend910b-cluster": 32, "dgx-gh200-256": 32,
         "dgx-h100-superpod": 32, "fat-tree-3": 64, "fat-tree": 48, "gb200-nvl72": 36, "nvl72-cluster": 144,
         "ocs": 16, "torus": 64}  # fewer than there are
compared, closest = 0, float("inf")
with tempfile.TemporaryDirectory() as folder:
    for line in listed.stdout.splitlines():
        known = re.match(r"(\S+)\s+(\d+)  ", line)
        if not known:
            continue
        fabric, ranks = known[1], RANKS.get(known[1], int(known[2]))
        for collective in ("allreduce", "allgather", "reducescatter", "alltoall", "broadcast", "reduce",
                           "gather", "scatter", "scan", "barrier"):
            path = os.path.join(folder, "times.json")
            done = subprocess.run(
                [bench, "compare", collective, "--fabric", fabric, "--ranks", str(ranks), "--sizes",
                 "4KiB,1MiB,64MiB", "--real-up-to", "0", "--json", path],
                capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, (fabric, collective, done.stderr)
            for row in json.load(open(path))["results"]:
                if row.get("time_us") is None:
                    continue
                compared += 1
                assert row["time_us"] >= row["bound_us"] * (1 - 1e-9), (fabric, ranks, collective, row)
                if row["bound_us"] > 0:
                    closest = min(closest, row["time_us"] / row["bound_us"])
print(f"{compared} schedules, the fastest {closest:.4f} times its bound")
assert compared > 2000
