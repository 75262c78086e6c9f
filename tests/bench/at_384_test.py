"""Every collective at 384 emulated endpoints on real bytes; allreduce at 1 MiB and odd sizes.

Usage: at_384_test.py CCLBENCH
"""
import json
import os
import subprocess
import sys
import tempfile

bench = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "r.json")

    def compare(collective, size, algorithms):
        subprocess.run([bench, "compare", collective, "--fabric", "cloudmatrix384", "--sizes", size,
                        "--real-up-to", "2MiB", "--algorithms", ",".join(algorithms), "--json", path],
                       check=True, capture_output=True, timeout=300)
        rows = json.load(open(path))["results"]
        assert len(rows) == len(algorithms)
        for r in rows:
            assert r["ranks"] == 384 and r["wrong"] == 0 and r["payload"] == "real", r
            print(f"{r['collective']:<15} {r['algorithm']:<28} {r['bytes']:>8} B "
                  f"{r['time_us']:>10.3f} us, 0 wrong")

    compare("allreduce", "1MiB", ["ring", "biring", "nhr", "recursive_doubling", "rabenseifner",
                                  "double_binary_tree*16", "knomial", "chain*16", "two_shot",
                                  "group_two_shot", "hier(two_shot+nhr)", "hier(ring+ring)*2"])
    compare("allreduce", "16KiB", ["one_shot", "group_one_shot"])
    for size in ("4", "1532", "4036"):
        compare("allreduce", size, ["ring", "biring", "nhr", "recursive_doubling", "two_shot",
                                    "hier(two_shot+nhr)"])
    compare("reduce_scatter", "1MiB", ["ring", "biring", "nhr", "direct", "hier(direct+nhr)"])
    compare("allgather", "1MiB", ["ring", "biring", "nhr", "direct", "hier(direct+nhr)"])
    compare("alltoall", "1MiB", ["direct", "pairwise", "bruck", "hier(direct+direct)"])
    compare("broadcast", "100004", ["knomial", "chain*8", "double_binary_tree*4",
                                    "hier(knomial+knomial)"])
    compare("reduce", "100004", ["knomial", "chain*8", "double_binary_tree*4",
                                 "hier(knomial+knomial)"])
    compare("gather", "1MiB", ["direct", "knomial"])
    compare("scatter", "1MiB", ["direct", "knomial"])
