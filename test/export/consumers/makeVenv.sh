#!/bin/sh
# Makes the Python environment of consumers.test.ts in a new folder: makeVenv.sh FOLDER, then CONSUMERS_PYTHON=FOLDER/bin/python.
set -e
python3 -m venv "$1"
"$1/bin/pip" install --quiet --requirement "$(dirname "$0")/requirements.txt"
