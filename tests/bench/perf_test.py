"""`mpirun -np N cclbench perf` for every collective: no wrong element, one job.

Usage: perf_test.py CCLBENCH RANKS
"""
import os
import subprocess
import sys

bench, ranks = sys.argv[1], sys.argv[2]
mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", ranks]
collectives = ["allreduce", "reduce_scatter", "allgather", "broadcast", "reduce", "alltoall",
               "gather", "scatter", "sendrecv", "barrier"]
for collective in collectives:
    command = [bench, "perf", collective, "-b", "64", "-e", "1M", "-f", "128", "-n", "2", "-r", "1"]
    done = subprocess.run(mpirun + command, capture_output=True, text=True, timeout=120)
    sizes = 1 if collective == "barrier" else 3  # it has no bytes
    rows = [line for line in done.stdout.splitlines() if line.strip() and line[0] != "#"]
    assert done.returncode == 0, f"{collective}: status {done.returncode}\n{done.stdout}{done.stderr}"
    assert len(rows) == sizes, f"{collective}: rows of {len(rows)} sizes, not {sizes}\n{done.stdout}"
    assert f"nRanks {ranks} " in done.stdout, done.stdout
    for row in rows:
        fields = row.split()
        assert fields[8] == "0" and fields[12] in ("0", "N/A"), row
        assert collective != "barrier" or (fields[:5] == ["0", "0", "float", "none", "-1"] and
                                           float(fields[5]) > 0), row
    print(f"{collective}: {len(rows)} sizes on {ranks} ranks, 0 wrong, {rows[0].split()[-1]} .. "
          f"{rows[-1].split()[-1]}")

# Ranks started with different environments agree on the plan: rank 0's.
split = (mpirun[:-2] + ["-np", "1", "-x", "CCL_ALGO=allreduce:@ring", bench, "perf", "allreduce",
                        "-b", "1K", "-e", "1K", "-n", "1", ":", "-np", str(int(ranks) - 1), "-x",
                        "CCL_ALGO=allreduce:@knomial", bench, "perf", "allreduce", "-b", "1K", "-e",
                        "1K", "-n", "1"])
done = subprocess.run(split, capture_output=True, text=True, timeout=120)
assert done.returncode == 0, done.stdout + done.stderr
assert " ring" in done.stdout and "knomial" not in done.stdout, done.stdout

# A choice that cannot run is an error on every rank, not another algorithm.
environment = dict(os.environ, CCL_ALGO="alltoall:@ring")
done = subprocess.run(mpirun + [bench, "perf", "alltoall", "-b", "1K", "-e", "1K"],
                      capture_output=True, text=True, timeout=120, env=environment)
assert done.returncode != 0 and "does not do alltoall" in done.stderr, done.stdout + done.stderr
