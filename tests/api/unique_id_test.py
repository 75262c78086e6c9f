"""Starts ranks that meet by a unique id, with a fresh file to hand it on in.

Usage: unique_id_test.py COMMAND...
"""
import os
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    sys.exit(subprocess.run(sys.argv[1:] + [os.path.join(folder, "id")], timeout=100, check=False).returncode)
