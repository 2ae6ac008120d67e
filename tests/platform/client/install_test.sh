#!/bin/sh
# Installs into an empty folder and builds a program against what is there, as somebody outside the tree would.
# Arguments: the build folder, then the C++ compiler and its options.
set -eu
build=$1
shift
here=$(dirname "$(readlink -f "$0")")
into=$(mktemp -d)
trap 'rm -rf "$into"' EXIT

meson install -C "$build" --no-rebuild --quiet --tags devel --destdir "$into"
config=$(find "$into" -name causeway.pc)
prefix=$into$(sed -n 's/^prefix=//p' "$config")
flags=$(PKG_CONFIG_PATH=$(dirname "$config") pkg-config --define-variable=prefix="$prefix" --cflags --libs causeway)

# Nothing of the tree may be needed: only the installed headers are in the way of the compiler.
# shellcheck disable=SC2086
"$@" -std=c++17 -Wall -Wextra -Werror "$here/outside_program.cpp" -o "$into/program" $flags
"$into/program" "$into/state"
