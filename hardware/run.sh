#!/bin/sh
# Checks the devices of this machine; see --help. The first time, it unpacks the parts in the same folder.
# Set the variable PYTHON to a Python with PyTorch, if python3 does not have it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=$here/unpacked
python=${PYTHON:-python3}

if [ ! -e "$place/complete" ]; then
  echo "unpacking into $place" >&2
  if command -v sha256sum >/dev/null; then sums="sha256sum"; else sums="shasum -a 256"; fi
  (cd "$here" && $sums -c parts.sha256 >/dev/null) || { echo "run: a part is missing or damaged: copy it again" >&2; exit 2; }
  rm -rf "$place"
  mkdir "$place"
  cat "$here"/part.* | tar -xzf - -C "$place"
  touch "$place/complete"
fi

# NVIDIA's packages for Python contain the CUDA libraries.
nvidia=$("$python" -c '
import glob, site
print(":".join(path for folder in site.getsitepackages() for path in glob.glob(f"{folder}/nvidia/*/lib")))
' 2>/dev/null || true)

export DENO_DIR="$place/cache/deno" DENO_NO_UPDATE_CHECK=1 XDG_CACHE_HOME="$place/cache" PYTHON="$python"
export WEBNN_TEST_DATA="$place/data"
WEBNN_ORT_PATH=$(ls "$place"/lib/libonnxruntime.*) && export WEBNN_ORT_PATH
export LD_LIBRARY_PATH="$place/lib${nvidia:+:$nvidia}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$place/deno" run --allow-all --no-config --no-lock --cached-only "$place/check.js" --output-dir "$here" "$@"
