#!/bin/sh
# Makes stand-ins for the two Chainguard bases of Dockerfile.chainguard in the image store that CONTAINERS_STORAGE_CONF names, under their
# very names, from files of this machine (Debian or Ubuntu, x64): where no registry can be reached, and for a run that is the same every time.
#
# glibc-dynamic: the C library and nothing else, as the true one has it, without its libstdc++ and ldconfig. For arm64 from Debian's package
# for cross compilers, as localhost/glibc-dynamic:arm64.
# node:latest-dev: busybox as the shell and tools, as in Wolfi, with this machine's Node.js and npm.
set -eu
roots=$(mktemp -d)
trap 'rm -rf "$roots"' EXIT

# copy_libraries PROGRAM ROOT: the libraries that PROGRAM is linked against, with the loader.
copy_libraries() {
  ldd "$1" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }' | while read -r library; do
    mkdir -p "$2$(dirname "$library")"
    cp -L "$library" "$2$library"
  done
}

# commit NAME ROOT [buildah config option]...
commit() {
  name=$1
  root=$2
  shift 2
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$root" / >/dev/null
  buildah config "$@" "$container"
  buildah commit --quiet --rm "$container" "$name" >/dev/null
}

run=$roots/run
mkdir -p "$run/etc"
copy_libraries "$BUN" "$run"
echo "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin" >"$run/etc/passwd"
echo "nonroot:x:65532:" >"$run/etc/group"
commit cgr.dev/chainguard/glibc-dynamic:latest "$run" --user 65532

arm=$roots/arm
mkdir -p "$arm/lib" "$arm/etc"
cp "$run/etc/passwd" "$run/etc/group" "$arm/etc/"
for library in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0; do
  cp -L "/usr/aarch64-linux-gnu/lib/$library" "$arm/lib/"
done
commit localhost/glibc-dynamic:arm64 "$arm" --user 65532 --arch arm64 --variant v8

build=$roots/build
mkdir -p "$build/bin" "$build/usr/bin" "$build/usr/lib/node_modules" "$build/etc/ssl/certs" "$build/tmp" "$build/root"
chmod 1777 "$build/tmp"
node=$(readlink -f "$(command -v node)")
copy_libraries "$node" "$build"
copy_libraries "$BUN" "$build"
# Names are looked up by libraries that the C library opens itself.
cp -L /lib/x86_64-linux-gnu/libnss_dns.so.2 /lib/x86_64-linux-gnu/libnss_files.so.2 /lib/x86_64-linux-gnu/libresolv.so.2 "$build/lib/x86_64-linux-gnu/"
cp /bin/busybox "$build/bin/busybox"
for tool in $("$build/bin/busybox" --list | grep -vx busybox); do ln -s busybox "$build/bin/$tool"; done
ln -s ../../bin/busybox "$build/usr/bin/env"
cp "$node" "$build/usr/bin/node"
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
cp -r "$npm" "$build/usr/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$build/usr/bin/npm"
cp -L /etc/ssl/certs/ca-certificates.crt "$build/etc/ssl/certs/"
printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:65532:65532:node:/home/node:/bin/sh\n' >"$build/etc/passwd"
printf 'root:x:0:\nnode:x:65532:\n' >"$build/etc/group"
# The same authorities as this machine: a proxy in between may have one of its own.
commit cgr.dev/chainguard/node:latest-dev "$build" --user 65532 --env PATH=/usr/bin:/bin \
  --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
