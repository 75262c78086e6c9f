#!/bin/sh
# pkg_config_test.sh CC LIBDIR SOURCE OUT: a C program built by plain cc and pkg-config.
set -eu
cc="$1" libdir="$2" source="$3" out="$4"
export PKG_CONFIG_PATH="$libdir/pkgconfig"
pkg-config --exact-version="$(pkg-config --modversion ccl)" ccl
# shellcheck disable=SC2046  # flags are words
"$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror "$source" -o "$out" \
  $(pkg-config --cflags --libs ccl) "-Wl,-rpath,$(pkg-config --variable=libdir ccl)"
"$out"
