#!/bin/sh
# Sets the machine up, builds the release preset and runs every test that is not labelled `long`.
# --full adds the long tests, and unit and contract tests under the sanitizers.
# --lint does nothing but clang-tidy over every file.
set -eu
cd "$(dirname "$0")"
. cmake/setup.sh

full=no
lint=no
for argument in "$@"; do
  case "$argument" in
    --full) full=yes ;;
    --lint) lint=yes ;;
    *) echo "usage: ./test.sh [--full | --lint]" >&2; exit 2 ;;
  esac
done

# Whatever cclbench calibrate machine has found of this machine, tests plan by what they are written for.
tests() {
  env XDG_CACHE_HOME="$PWD/build/no-figures" ctest "$@"
}

if [ "$lint" = yes ]; then
  ccl_install_packages clang-tidy
  ccl_build lint
  exit
fi
ccl_install_packages
ccl_build release
if [ "$full" = yes ]; then
  tests --preset release -j2
  for preset in asan tsan; do
    ccl_build "$preset"
    tests --preset "$preset" -L 'unit|contract' -j2
  done
else
  tests --preset release -LE long -j2
fi
