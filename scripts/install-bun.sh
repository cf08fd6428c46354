#!/bin/sh
# Installs the pinned Bun from its npm package into .tools, unless the one asked for already answers.
set -eu
bun=$1
version=$2
[ "$("$bun" --version 2>/dev/null || true)" = "$version" ] && exit 0
echo "Installing Bun $version into .tools"
npm install --prefix .tools --no-save --no-audit --no-fund --loglevel=error "bun@$version" >/dev/null
# Newer npm versions do not run a package's install script by themselves; it only puts the downloaded binary in place.
[ "$("$bun" --version 2>/dev/null || true)" = "$version" ] || (cd .tools/node_modules/bun && node install.js)
[ "$("$bun" --version 2>/dev/null || true)" = "$version" ] || {
  echo "Bun $version could not be installed from npm; install it yourself and put it in PATH" >&2
  exit 1
}
