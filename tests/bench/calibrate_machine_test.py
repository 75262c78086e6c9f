"""`mpirun cclbench calibrate machine` makes a file, and later jobs of the layout plan by it.

Usage: calibrate_machine_test.py CCLBENCH MPIRUN...
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

bench, *mpirun = sys.argv[1:]
folder = tempfile.TemporaryDirectory()


def run(*arguments, ranks=2, status=0, **environment):
    done = subprocess.run([*mpirun, "-np", str(ranks), bench, *arguments], capture_output=True, text=True,
                          timeout=200, env=dict(os.environ, XDG_CACHE_HOME=folder.name, **environment))
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


assert "typical figures; cclbench calibrate machine" in run("options"), run("options")
text = run("calibrate", "machine", "-n", "1", "--largest", "16KiB")
path = re.search(r"^wrote (.*)$", text, re.M)[1]
assert path.startswith(folder.name + "/ccl/machine-") and path.endswith(f"-2x{os.cpu_count()}"), path
rows = [line.split() for line in text.splitlines()]
for collective in ("allreduce", "reduce_scatter", "allgather", "broadcast", "reduce", "alltoall", "gather",
                   "scatter", "barrier"):
    own = [row for row in rows if row[:1] == [collective]]
    assert len(own) == (1 if collective == "barrier" else 4), (collective, text)
    # What is chosen is never faster than the fastest, nor is any time nothing.
    assert all(float(row[2]) > 0 and float(row[3]) > 0 and float(row[-1]) >= 1 for row in own), text
lines = pathlib.Path(path).read_text().splitlines()
assert lines[0] == "ccl machine 1" and lines[-1] == "end" and "ranks = 2" in lines, lines

# Jobs of that layout say that they plan by it, and predict; others do not.
assert f"measurements of this machine, {path}" in run("options")
assert f"plans go by what was measured in {path}" in run("options", CCL_DEBUG="INFO")
assert "plans go by typical figures" in run("options", ranks=3)
text = run("perf", "allreduce", "-b", "4K", "-e", "16K", "-f", "4", "-n", "20", "--predict", "--best")
rows = [line.split() for line in text.splitlines() if " float " in line]
assert len(rows) == 2 and all(float(row[-2]) > 0 and float(row[-1]) > 0 for row in rows), text
assert len(re.findall(r"chosen \S+ [\d.]+ us; fastest of \d+: \S+ [\d.]+ us; chosen/fastest [\d.]+$", text,
                      re.M)) == 2, text

# What is damaged is ignored, and a warning says so.
pathlib.Path(path).write_text("\n".join(lines[:-1]))
text = run("perf", "allreduce", "-b", "4K", "-e", "4K", "-n", "1", CCL_DEBUG="WARN")
assert text.count("measured ones are ignored") == 1 and "is cut off" in text, text
assert "Out of bounds values : 0 OK" in text, text

assert "measures two real ranks" in run("calibrate", "machine", ranks=1, status=2)
