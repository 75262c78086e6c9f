"""Ranks bound to two sockets: the levels, and hierarchies over them, with right results.

Usage: sockets_test.py CCLBENCH [MPIRUN...]. Sockets are hwloc's: HWLOC_SYNTHETIC says that the processors of this host
are on one each. Ranks 0 and 1 are bound to the first, 2 and 3 to the second; both are the same processor
where there is only one.
"""
import os
import subprocess
import sys

bench, mpirun = sys.argv[1], sys.argv[2:]
first, *others = sorted(os.sched_getaffinity(0))
last = others[-1] if others else first
# Started by whatever starts ranks, after it has looked at the real machine.
bind = (f'case ${{OMPI_COMM_WORLD_RANK:-$RANK}} in 0|1) cpu={first};; *) cpu={last};; esac; '
        f'export HWLOC_SYNTHETIC="package:{last + 1} l3:1 pu:1"; exec taskset -c $cpu "$@"')
launchers = [[bench, "launch", "-np", "4", "--"]]
if mpirun:
    launchers.append(mpirun + ["--bind-to", "none", "-np", "4"])
for launcher in launchers:
    def run(collective, *arguments, **more):
        command = launcher + ["sh", "-c", bind, "sh", bench, "perf", collective, "-n", "2", *arguments]
        environment = dict(os.environ, CCL_DEBUG="INFO", CCL_DEBUG_SUBSYS="INIT,GRAPH", **more)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
        rows = [line for line in done.stdout.splitlines() if line.strip() and line[0] != "#" and "CCL INFO" not in line]
        assert done.returncode == 0 and rows, done.stdout + done.stderr
        for row in rows:
            fields = row.split()
            assert fields[8] == "0" and fields[12] in ("0", "N/A"), row
        return rows, done.stdout + done.stderr

    log = run("allreduce", "-b", "8", "-e", "8")[1]
    if others:
        assert "socket starts=0,2,4" in log and "host starts=0,4" in log, log
        assert "4-socket2x2-of-" in log, log
    else:
        assert "socket" not in log.replace("socket_", ""), log
        sys.exit(0)
    for collective, algorithm in [
            ("allreduce", "hier(group_direct+group_one_shot)"), ("allreduce", "hier(two_shot+nhr)*4"),
            ("allreduce", "hier(group_direct+ring)"), ("reduce_scatter", "hier(direct+ring)"),
            ("allgather", "hier(direct+nhr)"), ("broadcast", "hier(knomial+double_binary_tree)")]:
        rows, _ = run(collective, "-b", "64", "-e", "1M", "-f", "128", "--algorithm", algorithm)
        assert all(algorithm in row for row in rows), rows
        print(f"{launcher[0].rsplit('/', 1)[-1]}: {collective} by {algorithm}: {len(rows)} sizes, 0 wrong")
    # What the planner takes.
    for collective in ["allreduce", "reduce_scatter", "allgather", "alltoall", "broadcast"]:
        run(collective, "-b", "8", "-e", "4M", "-f", "64")
