"""Runs ranks that fail, and asks that all others have come to the end and said so.

Usage: mpi_failure_test.py HOW SURVIVORS MPIRUN...
What mpirun itself returns is its own: it has seen a process die.
"""
import os
import re
import subprocess
import sys
import tempfile

how, survivors, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
with tempfile.TemporaryDirectory() as folder:
    run = subprocess.run(command + [how], capture_output=True, text=True, timeout=60, check=False,
                         env={**os.environ, "FLIGHTS": folder})
done = run.stdout.count(": done")
print(run.stdout, run.stderr)
if re.search(r"\.cc:\d+: not ", run.stderr) or done != survivors:
    sys.exit(f"{done} ranks came to the end, not {survivors}")
