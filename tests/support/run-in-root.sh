#!/bin/sh
# run-in-root.sh ROOT FILES PROGRAM [parameter]...: runs PROGRAM with ROOT as its root, mounted read-only with nothing but /proc and /dev/null in it, as
# 65532:65532 without capabilities or a way to new privileges. FILES, a folder of this machine, is there under its own path, read-only.
#
# What a container runtime does, but by exec alone: the process keeps its id, its signals and its open files, so that every test can treat it as
# its own child. ROOT has /proc, FILES and the file /dev/null already.
set -eu
# The tests give the program its environment to the letter, and it may have no PATH.
# shellcheck disable=SC2016
exec /usr/bin/unshare --mount --propagation private /bin/sh -c '
  set -eu
  root=$1; files=$2; shift 2
  /bin/mount --bind "$root" "$root"
  /bin/mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
  /bin/mount --bind /dev/null "$root/dev/null"
  /bin/mount --bind "$files" "$root$files"
  /bin/mount -o remount,bind,ro,nosuid,nodev "$root$files"
  /bin/mount -o remount,bind,ro,nosuid,nodev "$root"
  exec /usr/bin/setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+sys_chroot,+setuid,+setgid \
    /usr/sbin/chroot --userspec=65532:65532 --groups= "$root" "$@"
' run-in-root "$@"
