"""Creates the virtual environment for the contestants in Python: python3 make_venv.py [FOLDER]

The default for FOLDER is the variable WEBNN_BENCH_PYTHON, else webnn-bench-python in the user's cache. On Linux it
takes 6 GB, because PyPI's PyTorch includes CUDA. pywebnn is built from source, which needs Rust and protoc; without
them it is left out. To uninstall everything, delete the folder.
"""

import os
import pathlib
import subprocess
import sys
import venv

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
FROM_SOURCE = "pywebnn==0.5.12"


def main():
    if sys.argv[1:] in (["-h"], ["--help"]):
        return print(__doc__)
    default = os.environ.get("WEBNN_BENCH_PYTHON") or pathlib.Path.home() / ".cache" / "webnn-bench-python"
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else default)
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True)
    # Without dependencies: pywebnn uses the same ONNX Runtime library as the other contestants.
    if subprocess.run([*pip, "--no-deps", FROM_SOURCE]).returncode != 0:
        print(f"{FROM_SOURCE} could not be built (this needs Rust and protoc); bench:report will skip it.")
    print(f"{folder} is ready; bench:report finds it there" + (
        "." if folder == pathlib.Path(default) else f" with WEBNN_BENCH_PYTHON={folder}."
    ))


main()
