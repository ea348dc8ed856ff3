# Sourced by recipes that build: makes sure that Swift and the packages of tl are there.
# The caller is bash with `set -euo pipefail`.

packages=(
  libhdf5-dev libopenblas-dev libturbojpeg0-dev libpng-dev libwebp-dev libgif-dev
  libcairo2-dev libcurl4-openssl-dev libzip-dev
  pkg-config
)

check_swift() {
  if ! command -v swift > /dev/null; then
    echo "no 'swift' found: install Swift 6.3 or later, see https://www.swift.org/install" >&2
    return 1
  fi
  swift --version 2> /dev/null | head -n 1
}

is_installed() {
  [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2> /dev/null)" == installed ]]
}

install_packages() {
  if ! command -v dpkg-query > /dev/null; then
    echo "not a Debian or Ubuntu system: needs the equivalents of ${packages[*]}"
    return
  fi
  local missing=() as_root=()
  for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    echo "all there: ${packages[*]}"
    return
  fi
  echo "missing: ${missing[*]}"
  if [[ $EUID -ne 0 ]]; then
    # Without a terminal nobody can type a password.
    as_root=(sudo)
    [[ -t 0 && -z "${CI:-}" ]] || as_root+=(--non-interactive)
  fi
  local install=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get)
  if { [[ $EUID -eq 0 ]] || command -v sudo > /dev/null; } \
    && "${install[@]}" update && "${install[@]}" install --yes "${missing[@]}"; then
    return
  fi
  echo "cannot install them: run as root: apt-get install ${missing[*]}" >&2
  return 1
}
