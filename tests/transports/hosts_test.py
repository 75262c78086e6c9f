"""The TCP transport between hosts, which are network namespaces.

Usage: hosts_test.py run HOSTS RANKS_EACH CCLBENCH PROGRAM...   all ranks of PROGRAM succeed
       hosts_test.py refused CCLBENCH                            shm: does not span hosts, and says so
       hosts_test.py cut CCLBENCH PROGRAM                        a host that falls silent is named in time
"""
import re
import sys
import time

from hosts import Hosts


def run(hosts, ranks_each, cclbench, *program):
    with Hosts(int(hosts), rate="1gbit") as network:
        results = network.run([cclbench, "launch"], list(program), int(ranks_each), timeout=200,
                              CCL_BACKEND="tcp:")
    for status, output in results:
        if status != 0:
            print(output[-4000:])
    return [status for status, _ in results] == [0] * int(hosts)


def refused(cclbench):
    with Hosts(2) as network:
        results = network.run([cclbench, "launch"], [cclbench, "perf", "allreduce", "-b", "8", "-e", "8"], 1,
                              CCL_BACKEND="shm:")
    print(results)
    return all(status != 0 and "ranks on several hosts have tcp:" in output for status, output in results)


def cut(cclbench, program):
    """The silence is 2 s long at most, and two seconds more are allowed."""
    good = True
    for what in ("busy", "idle"):
        with Hosts(3) as network:
            processes = network.start([cclbench, "launch"], [program, what], 1, CCL_BACKEND="tcp:?timeout=2s")
            time.sleep(3)
            network.cut(1)
            begin = time.time()
            results = network.finish(processes, 30)
        for rank, (status, output) in enumerate(results):
            said = re.search(r"rank \d failed at ([0-9.]+): (.*)", output)
            after = float(said.group(1)) - begin if said else None
            print(what, rank, status, after, output[-500:])
            good = good and status == 0 and said and after < 4
            # Who is cut off misses all others.
            good = good and (rank == 1 or "rank 1 (process" in said.group(2))
    return good


if __name__ == "__main__":
    sys.exit(0 if {"run": run, "refused": refused, "cut": cut}[sys.argv[1]](*sys.argv[2:]) else 1)
