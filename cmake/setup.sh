#!/bin/sh
# Installs the Debian packages that the build and the tests need, and only those that are missing.
# Sourced by demo.sh and test.sh.
set -eu

ccl_packages="g++ cmake ninja-build pkg-config libopenmpi-dev openmpi-bin libabsl-dev libboost-dev
libhwy-dev libhwloc-dev libgtest-dev libgmock-dev libbenchmark-dev libcli11-dev nlohmann-json3-dev libtomlplusplus-dev
zlib1g-dev dataset-fashion-mnist python3"

# ccl_install_packages [PACKAGE...]: those above and these.
ccl_install_packages() {
  missing=""
  for package in $ccl_packages "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $package"
  done
  if [ -z "$missing" ]; then return 0; fi
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  echo "installing:$missing"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
    >/dev/null
}

# ccl_build PRESET [TARGET...]: configures when needed and builds.
ccl_build() {
  preset="$1"
  shift
  if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log"; return 1; }
    mkdir -p "build/$preset" && mv "build-$preset.log" "build/$preset/configure.log"
  fi
  cmake --build --preset "$preset" ${1:+--target "$@"}
}
