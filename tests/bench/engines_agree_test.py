"""The default engine against max-min sharing, over the whole path.

Usage: engines_agree_test.py CCLBENCH
Algorithms of one lane, on counts that divide and that do not: within 1 % of the fluid engine on a crossbar
and on a fat tree of equal latencies, 2 % at 1 MiB, where a message is hardly more than a turn. Messages to
many peers start a little apart where counts do not divide: they would pile up at receivers if senders did
not serve them in the order in which they were asked for.
"""
import json
import os
import subprocess
import sys
import tempfile

bench = sys.argv[1]
ALGORITHMS = {
    "allreduce": "ring,nhr,recursive_doubling,rabenseifner,two_shot,group_two_shot",
    "allgather": "ring,nhr,direct,group_direct",
    "reducescatter": "ring,nhr,direct,group_direct",
    "alltoall": "pairwise,direct,bruck",
}
FABRICS = {"crossbar": [], "fat-tree": ["--set", "spine.switch_latency=0 ns", "--set", "spine.fibre_length=0 m"]}

compared, worst = 0, 0.0
with tempfile.TemporaryDirectory() as folder:
    for fabric, sets in FABRICS.items():
        for ranks in (24, 48):
            for collective, algorithms in ALGORITHMS.items():
                times = {}
                for engine in ("fifo", "fluid"):
                    path = os.path.join(folder, "times.json")
                    done = subprocess.run(
                        [bench, "compare", collective, "--fabric", fabric, "--ranks", str(ranks), "--sizes",
                         "1MiB,12MiB,16MiB", "--algorithms", algorithms, "--real-up-to", "0", "--engine",
                         engine, "--json", path, *sets], capture_output=True, text=True, timeout=300)
                    assert done.returncode == 0, done.stderr
                    for row in json.load(open(path))["results"]:
                        times.setdefault((row["algorithm"], row["bytes"]), {})[engine] = row["time_us"]
                for (algorithm, size), t in times.items():
                    difference = t["fifo"] / t["fluid"] - 1
                    compared += 1
                    worst = max(worst, abs(difference))
                    assert abs(difference) <= (0.02 if size < 2 << 20 else 0.01), (algorithm, size, fabric, t)
                    print(f"{collective:14} {algorithm:20} {ranks:3} {size:9} {fabric:9} fifo {t['fifo']:10.3f} us"
                          f"  fluid {t['fluid']:10.3f} us {100 * difference:+8.4f} %")
print(f"{compared} compared, at most {100 * worst:.4f} % apart")
assert compared > 150
