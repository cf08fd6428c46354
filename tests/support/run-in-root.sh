#!/bin/sh
# run-in-root.sh ROOT FILES PROGRAM [parameter]...: runs PROGRAM with ROOT as its root, mounted read-only with nothing but /proc in it, as
# 65532:65532 without capabilities or a way to new privileges. FILES, a folder of this machine, is there under its own path, read-only.
#
# What a container runtime does, but by exec alone: the process keeps its id, its signals and its open files, so that every test can treat it as
# its own child. ROOT has the folders /proc and FILES already.
set -eu
exec /usr/bin/unshare --mount --propagation private /bin/sh -c '
  set -eu
  root=$1; files=$2; shift 2
  mount --bind "$root" "$root"
  mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
  mount --bind "$files" "$root$files"
  mount -o remount,bind,ro,nosuid,nodev "$root$files"
  mount -o remount,bind,ro,nosuid,nodev "$root"
  exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+sys_chroot,+setuid,+setgid \
    chroot --userspec=65532:65532 --groups= "$root" "$@"
' run-in-root "$@"
