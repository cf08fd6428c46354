#!/bin/sh
# Builds the image of Dockerfile.chainguard: image.sh [NAME:TAG] [option of the builder]...
# BUILDER names docker, podman or buildah; without it, the first that works is taken. PLATFORM is linux/amd64 or linux/arm64, this machine's by
# default. SOURCE_DATE_EPOCH and COMMIT default to git's.
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
image=${1:-chinmina-bridge:$version}
[ $# -eq 0 ] || shift
commit=${COMMIT:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
case $(uname -m) in
  x86_64 | amd64) here=linux/amd64 ;;
  aarch64 | arm64) here=linux/arm64 ;;
  *) echo "make image runs on x64 and arm64" >&2; exit 2 ;;
esac
platform=${PLATFORM:-$here}
case $platform in
  linux/amd64 | linux/arm64) ;;
  *) echo "PLATFORM is linux/amd64 or linux/arm64" >&2; exit 2 ;;
esac

have() { command -v "$1" >/dev/null 2>&1; }
builder=${BUILDER:-}
if [ -z "$builder" ]; then
  if have docker && docker info >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then builder=docker
  elif have podman; then builder=podman
  elif have buildah; then builder=buildah
  else
    echo "make image needs docker (with buildx and a daemon that runs), podman or buildah" >&2
    exit 1
  fi
fi

# Only docker's own format has room for the HEALTHCHECK. Older podman and buildah do not tell a Dockerfile where it is built.
case $builder in
  docker) set -- docker buildx build --load --provenance=false "$@" ;;
  podman) set -- podman build --format docker --timestamp "$epoch" --build-arg "BUILDPLATFORM=$here" "$@" ;;
  buildah) set -- buildah build --format docker --timestamp "$epoch" --build-arg "BUILDPLATFORM=$here" "$@" ;;
  *) echo "BUILDER is docker, podman or buildah" >&2; exit 2 ;;
esac
echo "Building $image for $platform with $builder"
SOURCE_DATE_EPOCH=$epoch "$@" --file Dockerfile.chainguard --tag "$image" --platform "$platform" \
  --build-arg "VERSION=$version" --build-arg "COMMIT=$commit" .
