"""cclbench calibrate: tables of measurements against presets, and fabrics fitted to logs.

Usage: calibrate_test.py CCLBENCH CALIBRATION.MD [MPIRUN ...]

With CCL_CALIBRATION_CSV naming a table of published measurements, that one is held to its limits too.
"""
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

bench, docs, mpirun = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
folder = tempfile.TemporaryDirectory()


def run(*arguments, status=0, launcher=()):
    done = subprocess.run([*launcher, bench, *arguments], capture_output=True, text=True, timeout=300,
                          cwd=folder.name)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def write(name, text):
    with open(os.path.join(folder.name, name), "w") as file:
        file.write(text)
    return name


# A made-up table: rows that fit exactly (they come from the presets), one that is off by 10 %, and rows
# that cannot be run, each with its reason.
columns = "system,ranks,nodes,collective,bytes,metric,value,library,source,confidence\n"


def predicted(fabric, ranks, collective, algorithm, size):
    run("perf", collective, "-b", str(size), "-e", str(size), "-g", str(ranks), "--fabric", fabric,
        "--algorithm", algorithm, "--phantom", "-d", "int8", "--json", "one.json")
    return json.load(open(os.path.join(folder.name, "one.json")))["results"][0]["time_us"]


ring = predicted("dgx-h100", 8, "allgather", "ring", 1 << 20)
shot = predicted("cloudmatrix384-dies", 16, "allreduce", "two_shot", 1 << 20)
table = write("t.csv", columns +
              f"DGX_H100_node,8,1,all_gather,1048576,time_us,{ring},NCCL 9,\"a, b\",high\n"
              f"DGX_H100_node,8,1,all_gather,1048576,time_us,{ring / 1.1},NCCL 9 ,c,high\n"
              f"CM384,16,1,all_reduce,1048576,time_us,{shot},HCCL,d,low\n"
              "CM384,2,2,p2p_read,0,algbw_GBps,160,HIXL,d,low\n"
              "Abacus,2,1,all_reduce,8,time_us,1,NCCL,e,low\n"
              "CM384,2,1,all_reduce,8,furlongs,1,HCCL,e,low\n"
              "CM384,2,1,all_reduce,8,time_us,1,Gloo,e,low\n")
text = run("calibrate", "--evaluate", table, "--json", "e.json")
assert re.search(r"1048576 +[\d.]+ +[\d.]+ +[+-]0\.0 %  ring", text), text
assert re.search(r"1048576 +[\d.]+ +[\d.]+ +\+10\.0 %  ring", text), text
assert re.search(r"1048576 +[\d.]+ +[\d.]+ +[+-]0\.0 %  two_shot", text), text
assert re.search(r"long +160\.00 +15\d\.\d+ .* one read", text), text
for reason in ('system "Abacus" has no preset here; --map Abacus=PRESET names one',
               'metric "furlongs"; known', 'library "Gloo": which algorithms it has is not known'):
    assert "1 row of" in text and reason in text, (reason, text)
rows = json.load(open(os.path.join(folder.name, "e.json")))
assert len(rows["rows"]) == 7 and sum("not_evaluated" in r for r in rows["rows"]) == 3
assert {s["system"]: s["rows"] for s in rows["systems"]} == {"DGX_H100_node": 2, "CM384": 2}
assert "crossbar" in run("calibrate", "--evaluate", table, "--system", "Abacus", "--map",
                         "Abacus=crossbar")
assert "no rows of system CM385" in run("calibrate", "--evaluate", table, "--system", "CM385", status=2)
assert "there is no column" in run("calibrate", "--evaluate", write("u.csv", "a,b\n1,2\n"), status=2)
assert "cannot open" in run("calibrate", "--evaluate", "none.csv", status=2)
assert "needs --evaluate" in run("calibrate", status=2)
assert "write SYSTEM=PRESET" in run("calibrate", "--evaluate", table, "--map", "x", status=2)

# A log of cclbench perf on a fabric is as good as one of a machine: the fit finds it again.
log = ""
for collective in ("allreduce", "allgather"):
    log += run("perf", collective, "-b", "1K", "-e", "256M", "-f", "4", "-g", "8", "--fabric",
               "dgx-h100", "--algorithm", "ring", "--phantom", "-c", "0")
write("ring.log", "noise\n" + log)
text = run("calibrate", "fabric", "--from", "ring.log", "--like", "dgx-h100", "--name", "again")
held = float(re.search(r"\nmedian error ([\d.]+) %", text)[1])
assert held < 6, text
assert "again.toml: ok, again, 8 endpoints" in run("fabric", "check", "again.toml")
file = open(os.path.join(folder.name, "again.toml")).read()
assert file.startswith("# Fitted by: cclbench calibrate fabric --from ring.log --like dgx-h100"), file
assert "[fit] median error" in file and 'min_bytes = "1024 B"' in file, file
# What lies outside of what was fitted is marked, within it is not.
text = run("perf", "allreduce", "-b", "512", "-e", "1K", "-g", "8", "--fabric", "again.toml", "--json",
           "x.json")
rows = [line for line in text.splitlines() if " float " in line]
assert rows[0].endswith("  EXTRAPOLATED") and not rows[1].endswith("EXTRAPOLATED"), text
assert "# EXTRAPOLATED: 512 bytes, fitted to 1024 to 268435456" in text, text
results = json.load(open(os.path.join(folder.name, "x.json")))["results"]
assert results[0]["extrapolated"] and results[1]["extrapolated"] is None, results
text = run("compare", "allreduce", "--fabric", "again.toml", "--ranks", "4", "--sizes", "4KiB",
           "--csv", "x.csv")
assert "EXTRAPOLATED: 4 ranks, fitted to 8 to 8" in text, text
assert all(row["extrapolated"] == "1" for row in
           csv.DictReader(open(os.path.join(folder.name, "x.csv")))), text
text = run("explain", "allreduce", "--fabric", "gh200-nvl32", "--size", "1MiB")
assert "EXTRAPOLATED: fitted to measurements of dgx-h100, not of gh200-nvl32" in text, text
assert "EXTRAPOLATED" not in run("explain", "allreduce", "--fabric", "crossbar", "--ranks", "4")

for arguments, words in ((["--from", "none.log"], "cannot open"), ([], "--from LOG..., or --live"),
                         (["--live"], "mpirun -n N"),
                         (["--from", write("junk.log", "\0\1 junk\n" * 1000)], "no line of a table"),
                         (["--from", "ring.log", "-o", "x.txt"], "ends in .toml"),
                         (["--from", "ring.log", "--name", "a\"b"], "letters, digits"),
                         (["--from", "ring.log", "--like", "dgx"], "did you mean")):
    assert words in run("calibrate", "fabric", *arguments, status=2), (arguments, words)

if mpirun:
    text = run("calibrate", "fabric", "--live", "--name", "here", launcher=[*mpirun, "-np", "2"])
    assert "2 ranks over mpi" in text and "wrote here.toml" in text, text
    assert "here.toml: ok, here, 2 endpoints" in run("fabric", "check", "here.toml")

# The lesson of docs/calibration.md prints what it says, but for the numbers.
lesson = open(docs).read().split("## A fabric from logs of your own\n")[1].split("On real ranks")[0]
shape = lambda line: re.sub(r"[-+]?\d+(\.\d+)?", "#", line).split()
lines = lesson.splitlines()
commands = [i for i, line in enumerate(lines) if line.startswith("    $ cclbench ")]
assert len(commands) == 5, commands
for i in commands:
    command, _, target = lines[i][len("    $ cclbench "):].partition(" >")
    printed = run(*command.split())
    if target:
        with open(os.path.join(folder.name, target.split()[-1]), "a" if ">" in target else "w") as file:
            file.write(printed)
        continue
    said = []
    for line in lines[i + 1:]:
        if line.startswith("    $") or line[:1].strip():
            break  # the next command, or prose
        said.append(line)
    assert [shape(l) for l in said if l] == [shape(l) for l in printed.splitlines() if l], (command, printed)

published = os.environ.get("CCL_CALIBRATION_CSV")
if published:
    run("calibrate", "--evaluate", os.path.abspath(published), "--json", "p.json")
    for system in json.load(open(os.path.join(folder.name, "p.json")))["systems"]:
        print(f"{system['system']:<16} {system['rows']:>4} rows, median error "
              f"{100 * system['median_error']:.1f} %, largest message {100 * system['longest_error']:+.1f} %")
        assert system["median_error"] <= 0.15 and abs(system["longest_error"]) <= 0.05, system
