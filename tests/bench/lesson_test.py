"""A lesson whose commands are run again: what they print must be what the lesson shows.

Usage: lesson_test.py CCLBENCH LESSON.md

A block that begins with "    $ cclbench ARGUMENTS" shows a command and, below it, all that it prints,
errors too, blank lines left out. A line "    ..." stands for any lines. A ```toml block is the file that the line before it
names in back quotes.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

bench, lesson = map(os.path.abspath, sys.argv[1:])
text = open(lesson).read()
commands = []
for line in text.splitlines():
    if line.startswith("    $ cclbench "):
        commands.append((line[len("    $ cclbench "):], []))
    elif line.startswith("    ") and commands and commands[-1] is not None:
        commands[-1][1].append(line[4:])
    elif commands and commands[-1] is not None and line.strip():
        commands.append(None)  # the end of a block
commands = [command for command in commands if command is not None]
assert commands, f"{lesson} runs nothing"


def matches(shown, printed):
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(matches(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and shown[0].rstrip() == printed[0].rstrip() and matches(shown[1:], printed[1:])


failed = 0
with tempfile.TemporaryDirectory() as folder:
    for name, content in re.findall(r"`(\S+\.toml)`[^\n]*\n\n?```toml\n(.*?)```", text, re.S):
        with open(os.path.join(folder, name), "w") as file:
            file.write(content)
    for arguments, shown in commands:
        run = subprocess.run([bench, *shlex.split(arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, timeout=300, cwd=folder)
        printed = [line for line in run.stdout.splitlines() if line.strip()]
        same = matches(shown, printed)
        print("same   " if same else "DIFFERS", arguments)
        if not same:
            failed += 1
            print("\n".join("  shown   " + line for line in shown))
            print("\n".join("  printed " + line for line in printed))
sys.exit(1 if failed else 0)
