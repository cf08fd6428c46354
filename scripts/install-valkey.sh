#!/bin/sh
# Makes the real servers of the integration tests available: redis-server and valkey-server, with their command line tools.
# Installs what is missing with apt-get (Debian, Ubuntu; as root or through sudo) or brew, and says in one line when it cannot.
# Nothing is started and no service is enabled: the tests start their own servers on free ports.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }
fail() { echo "Real servers for the tests: $1" >&2; exit 1; }

have redis-server && have valkey-server && have valkey-cli && have openssl && exit 0

if have brew; then
  brew install --quiet redis valkey openssl || fail "brew could not install redis and valkey"
elif have apt-get; then
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo -n"
  $as_root true 2>/dev/null || fail "install redis-server, valkey-server and valkey-tools yourself (this needs root)"
  # Debian starts a server that it installs, unless this file forbids it.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    trap '$as_root rm -f "$policy"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  $as_root apt-get update -qq || fail "apt-get update failed"
  $as_root apt-get install -y -qq redis-server openssl >/dev/null || fail "apt-get could not install redis-server"
  if ! $as_root apt-get install -y -qq valkey-server valkey-tools >/dev/null 2>&1; then
    # Debian 12 has Valkey in its backports only.
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(sed -n 's/^URIs: *\(.*\/debian\) *$/\1/p; s/^deb \([^ ]*\/debian\) .*/\1/p' \
      /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
    [ -n "$mirror" ] || fail "this system has no valkey-server package"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $codename-backports main" |
      $as_root tee /etc/apt/sources.list.d/valkey-backports.list >/dev/null
    $as_root apt-get update -qq || fail "apt-get update failed with $codename-backports"
    $as_root apt-get install -y -qq -t "$codename-backports" valkey-server valkey-tools >/dev/null ||
      fail "apt-get could not install valkey-server from $codename-backports"
  fi
else
  fail "install redis-server, valkey-server and valkey-cli yourself (neither apt-get nor brew is here)"
fi
if have redis-server && have valkey-server && have valkey-cli; then exit 0; fi
fail "they are installed but not in PATH"
