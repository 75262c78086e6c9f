"""An installed cclbench, by its names, emulated and under mpirun; with no LD_LIBRARY_PATH.

Usage: cclbench_test.py PREFIX BINDIR emulated
       cclbench_test.py PREFIX BINDIR mpi MPIEXEC
"""
import os
import pathlib
import subprocess
import sys
import tempfile

prefix, bindir, what = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
bin_dir = prefix / bindir
environment = {k: v for k, v in os.environ.items()
               if k != "LD_LIBRARY_PATH" and not k.startswith("CCL_")}
sizes = ["-b", "1K", "-e", "64K", "-f", "8", "-n", "2"]


def perf(command, ranks):
    """Runs it and checks the table: three sizes on so many ranks, nothing wrong."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=60, env=environment)
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}{done.stderr}"
    rows = [line.split() for line in done.stdout.splitlines() if line.strip() and line[0] != "#"]
    assert len(rows) == 3, done.stdout
    assert f"nRanks {ranks} " in done.stdout, done.stdout
    assert all(row[8] == "0" and row[12] == "0" for row in rows), done.stdout
    print(f"{' '.join(pathlib.Path(str(w)).name for w in command)}: 0 wrong")


if what == "emulated":
    emulated = ["--fabric", "cloudmatrix384", "-g", "16", *sizes]
    perf([bin_dir / "cclbench", "perf", "allreduce", *emulated], 16)
    links = sorted(p.name for p in bin_dir.glob("*_perf"))
    assert "all_reduce_perf" in links and "sendrecv_perf" in links, links
    perf([bin_dir / "all_reduce_perf", *emulated], 16)
    # Found through PATH, argv[0] is no path.
    environment["PATH"] = f"{bin_dir}:{environment['PATH']}"
    perf(["all_gather_perf", *emulated], 16)
else:
    mpirun = [sys.argv[4], "--allow-run-as-root", "--oversubscribe", "-np", "2"]
    environment["PATH"] = f"{bin_dir}:{environment['PATH']}"
    for program in ([bin_dir / "cclbench", "perf", "allreduce"], ["all_reduce_perf"]):
        with tempfile.TemporaryDirectory() as folder:
            # The loader writes down what it loads: the module must be the installed one.
            loader = ["env", "LD_DEBUG=files", f"LD_DEBUG_OUTPUT={folder}/log"]
            perf([*mpirun, *loader, *program, *sizes], 2)
            logs = [log.read_text() for log in pathlib.Path(folder).iterdir()]
            assert sum(f"{prefix}/" in log and "libccl_mpi_" in log for log in logs) == 2, folder
            for log in logs:
                for line in log.splitlines():
                    if "calling init:" in line and "libccl_mpi_" in line:
                        assert f"{prefix}/" in line, f"not the installed module: {line}"
