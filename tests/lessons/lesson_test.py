"""Follows a lesson as a reader would: writes its files, runs its commands, compares what they print.

Usage: lesson_test.py LESSON CCLBENCH
A fenced block ```toml NAME is a file. Of a fenced block ```console, a line that begins with "$ " is a
command, for sh, with cclbench on the path; the lines up to the next one are what it prints on both
channels, exactly, where a line "..." stands for any lines.
"""
import os
import re
import subprocess
import sys
import tempfile

lesson, bench = map(os.path.abspath, sys.argv[1:])
text = open(lesson).read()
environment = dict(os.environ, PATH=os.path.dirname(bench) + os.pathsep + os.environ["PATH"])


def matches(expected, printed):
    if not expected:
        return not printed
    if expected[0] == "...":
        return any(matches(expected[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and expected[0] == printed[0] and matches(expected[1:], printed[1:])


commands = 0
with tempfile.TemporaryDirectory() as folder:
    for kind, name, body in re.findall(r"^```(toml|console)(?: (\S+))?\n(.*?)^```$", text, re.S | re.M):
        if kind == "toml":
            if name:
                with open(os.path.join(folder, name), "w") as file:
                    file.write(body)
            continue
        for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
            command, *expected = part.rstrip("\n").split("\n")
            done = subprocess.run(command, shell=True, cwd=folder, env=environment, timeout=300,
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            commands += 1
            printed = done.stdout.rstrip("\n").split("\n") if done.stdout else []
            if not matches(expected, printed):
                sys.exit(f"$ {command}\n{done.stdout}is not what the lesson says:\n" +
                         "\n".join(expected))
assert commands > 0, "a lesson without commands"
print(f"{commands} commands print what {os.path.basename(lesson)} says")
