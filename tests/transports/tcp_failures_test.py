"""Ranks of one host of which one fails: every other one is told whose fault it is, in time.

Usage: tcp_failures_test.py HOW CCLBENCH PROGRAM
"""
import os
import re
import subprocess
import sys

RANKS, CULPRIT, TIMEOUT = 4, 2, 2  # seconds; two more are allowed

how, cclbench, program = sys.argv[1:]
run = subprocess.run([cclbench, "launch", "-np", str(RANKS), "--keep", "--", program, how, str(CULPRIT)],
                     capture_output=True, text=True, timeout=100, check=False)
print(run.stdout, run.stderr)
begun = re.search(rf"rank {CULPRIT} fails at ([0-9.]+)", run.stdout)
if not begun:
    sys.exit("nobody has failed")
for rank in set(range(RANKS)) - {CULPRIT}:
    said = re.search(rf"rank {rank} failed at ([0-9.]+): (.*)", run.stdout)
    if not said:
        sys.exit(f"rank {rank} was told nothing")
    after = float(said.group(1)) - float(begun.group(1))
    if after > TIMEOUT + 2 or f"rank {CULPRIT} (process" not in said.group(2):
        sys.exit(f"rank {rank} was told after {after:.1f} s: {said.group(2)}")
