# Sourced by recipes that compare tl with others: finds a Python that has them.
# The caller is bash with `set -euo pipefail`.

has_packages() {
  "$python" - "$@" <<'PYTHON'
import fnmatch, importlib.metadata, sys

def is_there(name, version):
    try:
        return fnmatch.fnmatch(importlib.metadata.version(name), version or "*")
    except importlib.metadata.PackageNotFoundError:
        return False

for package in sys.argv[1:]:
    name, _, version = package.partition("==")
    # tensorflow has what tensorflow-cpu has.
    if not is_there(name, version) and not is_there(name.removesuffix("-cpu"), version):
        sys.exit(1)
PYTHON
}

# find_python VARIABLE NAME PACKAGE...: sets `python` to one with the packages, the one that VARIABLE
# names or else one of a virtual environment, ${XDG_CACHE_HOME:-~/.cache}/tl/NAME, made on first use.
find_python() {
  local given=${!1:-} folder=${XDG_CACHE_HOME:-$HOME/.cache}/tl/$2
  shift 2
  python=${given:-$folder/bin/python}
  if [[ -z $given && ! -x $python ]]; then
    echo "making a Python environment in $folder" >&2
    python3 -m venv "$folder"
  fi
  if [[ -z $given ]] && ! has_packages "$@"; then
    "$python" -m pip install --quiet "$@" >&2
  fi
  if ! has_packages "$@"; then
    echo "$(basename "$0"): '$python' lacks one of: $*" >&2
    echo "run '$python -m pip install $*'" >&2
    return 1
  fi
}
