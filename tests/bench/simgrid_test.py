"""Times of our simulator against SimGrid's for the same schedules on the same network.

Usage: simgrid_test.py CCLBENCH SIMGRID_PEER
Every algorithm of one lane, at two sizes and numbers of ranks, on a crossbar and on a fat tree whose
routes take equally long: within 1 %. On a fat tree with latencies of its own those whose steps do not
contend; SimGrid shares links in inverse proportion to latency there, and its senders wait for delivery.
SimGrid shares by max-min, after the latency; ours is the default engine.
"""
import json
import os
import subprocess
import sys
import tempfile

bench, peer = sys.argv[1:]
FABRICS = {
    # 392 GB/s and 1 us between any two.
    "crossbar": ("crossbar", ["port_bandwidth=392 GB/s", "latency=1 us"]),
    # 48 leaves of 8 and 8 spines, 250 ns a link: two of them within a leaf, four beyond.
    "fat-tree": ("fat-tree", ["leaf.port_bandwidth=392 GB/s", "leaf.switch_latency=0 ns",
                              "spine.switch_latency=0 ns", "leaf.fibre_length=50 m",
                              "spine.fibre_length=50 m", "fibre_delay=5 ns"]),
    "flat-tree": ("fat-tree", ["leaf.port_bandwidth=392 GB/s", "leaf.switch_latency=0 ns",
                               "spine.switch_latency=0 ns", "leaf.fibre_length=50 m",
                               "spine.fibre_length=0 m", "fibre_delay=5 ns"]),
}
ZERO = ["send_overhead=0 ns", "recv_overhead=0 ns"]
STEPWISE = ("ring", "recursive_doubling", "pairwise", "bruck")
CASES = [(collective, algorithm, ranks, size)
         for collective, algorithms in (
             ("allreduce", ("ring", "nhr", "recursive_doubling", "rabenseifner", "two_shot", "one_shot")),
             ("allgather", ("ring", "nhr", "recursive_doubling", "direct")),
             ("reducescatter", ("ring", "nhr", "direct")),
             ("alltoall", ("pairwise", "direct", "bruck")))
         for algorithm in algorithms
         for ranks in (48, 64)
         for size in ("1KiB", "24MiB")]
CASES += [("allreduce", "ring", 384, "64MiB"), ("alltoall", "pairwise", 384, "64MiB")]


def ours(collective, algorithm, ranks, size, fabric, folder):
    name, sets = FABRICS[fabric]
    path = os.path.join(folder, "ours.json")
    done = subprocess.run(
        [bench, "compare", collective, "--fabric", name, "--ranks", str(ranks), "--sizes", size,
         "--algorithms", algorithm, "--real-up-to", "0", "--json", path,
         *(a for s in sets + ZERO for a in ("--set", s))], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        return None, done.stderr
    return json.load(open(path))["results"][0], ""


compared, worst = 0, 0
with tempfile.TemporaryDirectory() as folder:
    for collective, algorithm, ranks, size in CASES:
        for fabric in FABRICS:
            if fabric == "fat-tree" and algorithm not in STEPWISE:
                continue
            mine, error = ours(collective, algorithm, ranks, size, fabric, folder)
            what = f"{collective:14} {algorithm:20} {ranks:4} {size:>6} {fabric:8}"
            if mine is None:
                print(what, error.strip())
                assert "power of 2" in error or "power of two" in error, error
                continue
            done = subprocess.run(
                [peer, "--collective", collective, "--algorithm", algorithm, "--ranks", str(ranks),
                 "--count", str(mine["count"]), "--platform", fabric],
                capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
            theirs = json.loads(done.stdout)
            difference = mine["time_us"] / (theirs["time_ps"] * 1e-6) - 1
            worst = max(worst, abs(difference))
            compared += 1
            print(f"{what}  ours {mine['time_us']:12.3f} us  SimGrid {theirs['time_ps'] * 1e-6:12.3f} us "
                  f"{100 * difference:+8.4f} %")
print(f"{compared} compared, at most {100 * worst:.4f} % apart")
assert compared >= 40
assert worst <= 0.01
