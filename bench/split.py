#!/usr/bin/env python3
"""Where the instructions of a simulated collective go: planner, programs, executor, transport, fabric.

Usage: split.py CCLBENCH
Counts with valgrind's callgrind, which must be installed: the same build gives the same numbers on any machine.
Planner: what chooses a plan. Programs: what says the steps of a rank. Executor: what turns them into operations.
Transport: what matches them and hands them to the fabric. Fabric: ports and events. The rest is memory and
start.
"""
import os
import re
import subprocess
import sys
import tempfile

CASES = [("ring", "allreduce", 384, 294144), ("pairwise", "alltoall", 384, 147072),
         ("direct", "alltoall", 384, 147072)]
ROOMS = [  # the first that a symbol matches
    ("transport", r"ccl::(EmulatedBackend|Matcher|GroupMatcher|OpenEmulated|TopologyOf)"),
    ("fabric", r"fabric::"),
    ("planner", r"ccl::(Planner|PredictTime|LowerBound|\(anonymous namespace\)::Cost|ParseAlgorithm|MakeProgram)"),
    ("programs", r"(::Fetch\(|ccl::StepList|ccl::ChunkSpace|::batches\(|ccl::\(anonymous namespace\)::\w+::)"),
    ("executor", r"ccl::"),
]


def room_of(symbol):
    for room, pattern in ROOMS:
        if re.search(pattern, symbol):
            return room
    return "rest"


def main():
    bench = sys.argv[1]
    names = ["planner", "programs", "executor", "transport", "fabric", "rest"]
    print(f"{'instructions a message':32}" + "".join(f"{name:>10}" for name in names) + f"{'all':>10}")
    for algorithm, collective, ranks, messages in CASES:
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "callgrind")
            subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", bench, "compare", collective,
                 "--fabric", "crossbar", "--ranks", str(ranks), "--sizes", "64MiB", "--algorithms", algorithm,
                 "--real-up-to", "0", "--whole"], check=True, capture_output=True)
            text = subprocess.run(["callgrind_annotate", "--threshold=100", out], check=True, capture_output=True,
                                  text=True).stdout
        spent = dict.fromkeys(names, 0)
        for line in text.splitlines():
            found = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+\S*?:(.+?)(?: \[[^\]]*\])?$", line)
            if found:
                spent[room_of(found[2])] += int(found[1].replace(",", ""))
        title = f"{algorithm} {collective} of {ranks}"
        print(f"{title:32}" + "".join(f"{spent[name] / messages:10.0f}" for name in names) +
              f"{sum(spent.values()) / messages:10.0f}")


main()
