"""ccl.h says something of every function: its declaration stands under a comment, alone or with others of
the same kind, and the comment that holds for all says what is usual.

Usage: header_docs_test.py CCL_H
"""
import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1]).read_text()
intro = text[:text.index("#ifndef")]
for promise in ("Counts are elements", "does not block", "one\n * thread at a time", "Errors:"):
    assert promise in intro, f"the head of ccl.h no longer says '{promise}'"

# A paragraph is what stands between empty lines; a function is documented by the last comment above it.
bare, functions = [], 0
for paragraph in re.split(r"\n\s*\n(?![^/]*\*/)", text):
    commented = False
    for piece in re.finditer(r"/\*.*?\*/|^CCL_API[^;]*;", paragraph, re.S | re.M):
        if piece.group().startswith("/*"):
            commented = True
            continue
        functions += 1
        if not commented and "/*" not in paragraph[piece.end():].split("\n")[0]:
            bare.append(re.search(r"\b(ccl\w+)\(", piece.group()).group(1))
assert functions > 75, functions
assert not bare, f"without a word: {bare}"
print(f"{functions} functions of ccl.h stand under a comment")
