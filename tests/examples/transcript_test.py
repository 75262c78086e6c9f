"""Runs a program and compares what it prints with a transcript.

Usage: transcript_test.py EXPECTED TOLERANCE COMMAND...  Words must be equal; numbers may differ by
the relative TOLERANCE, since the last digits of floating point depend on the C library. Exit status
1 when the program fails or a line differs.
"""
import re
import subprocess
import sys

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def same(expected, actual, tolerance):
    if tolerance == 0 or expected == actual:
        return expected == actual
    # Columns are as wide as their numbers: spaces are no difference.
    if NUMBER.sub("#", expected).split() != NUMBER.sub("#", actual).split():
        return False
    pairs = zip(map(float, NUMBER.findall(expected)), map(float, NUMBER.findall(actual)))
    return all(abs(a - b) <= tolerance * max(abs(a), abs(b)) for a, b in pairs)


def main(expected_path, tolerance, command):
    run = subprocess.run(command, capture_output=True, text=True)
    sys.stderr.write(run.stderr)
    with open(expected_path) as file:
        expected = file.read().splitlines()
    actual = run.stdout.splitlines()
    differences = 0
    for i in range(max(len(expected), len(actual))):
        e = expected[i] if i < len(expected) else None
        a = actual[i] if i < len(actual) else None
        if e is None or a is None or not same(e, a, float(tolerance)):
            differences += 1
            print(f"line {i + 1}\n  expected {e!r}\n  printed  {a!r}")
    print(f"exit status {run.returncode}, {len(actual)} lines, {differences} differ")
    return 1 if run.returncode or differences else 0


sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
