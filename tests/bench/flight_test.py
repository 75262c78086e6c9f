"""cclbench options and cclbench flight.

Usage: flight_test.py CCLBENCH
"""
import json
import os
import subprocess
import sys
import tempfile

cclbench = sys.argv[1]


def run(*arguments, code=0, **variables):
    done = subprocess.run([cclbench, *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, **variables})
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def call(sequence, operation="allreduce", count=8, state="completed", waits=""):
    return {"number": sequence, "sequence": sequence, "operation": operation, "count": count,
            "type": "float", "op": "sum", "root": 0, "state": state, "waits": waits, "algorithm": "ring",
            "predicted_ps": 2500000, "tag": 77, "started_ps": 1000000,
            "ended_ps": 4000000 if state == "completed" else -1}


def judge(folder, *dumps, ranks=3):
    files = []
    for rank, operations in dumps:
        files.append(os.path.join(folder, f"{rank}.json"))
        with open(files[-1], "w", encoding="utf-8") as file:
            json.dump({"version": 1, "rank": rank, "ranks": ranks, "error": "", "communicator": "data",
                       "context": 0, "operations": operations, "why": "timeout", "now_ps": 9000000}, file)
    return run("flight", "--calls", *files)


with tempfile.TemporaryDirectory() as folder:
    first = [call(1), call(2)]
    text = judge(folder, (0, first + [call(3)]), (1, first + [call(3, "broadcast")]), (2, first))
    assert "Rank 0 called allreduce #3 of 8 float, sum, root 0, and rank 1 called broadcast #3" in text, text
    waiting = first + [call(3, state="started", waits="rank 0 in allreduce: receive from 2")]
    text = judge(folder, (0, waiting), (1, waiting), (2, first))
    assert "Rank 2 never called allreduce #3 of 8 float, sum, root 0 (by ring, tag 77, predicted 2.500 us, under way for " \
           "8.000 us), in which ranks 0 1 wait." in text, text
    assert "rank 2: allreduce #2 of 8 float, sum, root 0, completed, by ring, tag 77, predicted 2.500 us, " \
           "took 3.000 us" in text, text
    assert "rank 2: 2 collectives called; written on timeout" in text, text
    text = judge(folder, (0, waiting), (1, first + [call(3)]), (2, first + [call(3)]))
    assert "Rank 0 did not finish allreduce #3" in text and "tag 77" in text and "receive from 2" in text, text
    text = judge(folder, (0, first), (1, first))
    assert "All collectives that were called have completed" in text, text
    assert "No dump of rank 2" in text, text
    bad = os.path.join(folder, "bad.json")
    with open(bad, "w", encoding="utf-8") as file:
        file.write('{"version": 1}')
    assert "is no dump" in run("flight", bad, code=2)
    assert "cannot read" in run("flight", bad + "x", code=2)

text = run("options", "--backend", "emulated:crossbar?ranks=3", CCL_CHECK="off", CCL_TIMEOUT_MS="1500")
rows = {line.split()[1]: line.split()[2:] for line in text.splitlines() if line.count("CCL_") == 1}
assert rows["CCL_BACKEND"] == ["program", "emulated:crossbar?ranks=3"], rows
assert rows["CCL_CHECK"] == ["environment", "no"], rows
assert rows["CCL_TIMEOUT_MS"] == ["environment", "1500"], rows
assert rows["CCL_COMM_BLOCKING"] == ["default", "yes"], rows
assert rows["CCL_PROGRESS_THREAD"] == ["default", "yes"], rows
assert rows["CCL_COMM_SPLIT_SHARE_RESOURCES"] == ["default", "no"], rows
assert text.count("accepted, no effect") == 3, text
assert "3 ranks over emulated" in text, text
assert "CCL_CHECK is 'maybe'; it is on or off" in run("options", code=2, CCL_CHECK="maybe")
