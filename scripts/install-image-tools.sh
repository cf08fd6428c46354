#!/bin/sh
# Makes available what the tests of the image and of releases need: buildah, podman, runc, a static busybox, qemu for user programs, an arm64 C library.
# Installs what is missing with apt-get (Debian, Ubuntu; as root or through sudo), and says in one line when it cannot.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }
all() {
  have buildah && have podman && have runc && have qemu-aarch64-static && [ -x /bin/busybox ] &&
    [ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ]
}
fail() { echo "Tests of the image: $1" >&2; exit 1; }

all && exit 0
have apt-get || fail "they need buildah, podman, runc, busybox-static, qemu-user-static and libc6-arm64-cross of Debian"
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
$as_root true 2>/dev/null || fail "install buildah, podman, runc, busybox-static, qemu-user-static and libc6-arm64-cross yourself (this needs root)"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq || fail "apt-get update failed"
$as_root apt-get install -y -qq --no-install-recommends \
  buildah podman runc busybox-static qemu-user-static libc6-arm64-cross >/dev/null || fail "apt-get could not install them"
all || fail "they are installed but not in PATH"
