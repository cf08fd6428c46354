#!/bin/sh
# Runs the program out of this checkout, which it builds first where that has not been done: for pre-commit and for workflows, which get
# the source and no binary. The current folder stays the caller's; the binary runs nothing that lies there, as the plain runtime would.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
if [ ! -x "$root/dist/chinmina-bridge" ]; then
  (
    cd "$root"
    version=$(sed -n 's/.*"packageManager": "bun@\([0-9.]*\)".*/\1/p' package.json)
    bun=$(command -v bun || true)
    [ -n "$bun" ] && [ "$("$bun" --version)" = "$version" ] || bun=.tools/node_modules/.bin/bun
    sh scripts/install-bun.sh "$bun" "$version"
    "$bun" install --frozen-lockfile --production --silent
    "$bun" scripts/build.ts
  ) >&2
fi
exec "$root/dist/chinmina-bridge" "$@"
