#!/usr/bin/env bash
# Build the Dockerfile with buildah, and unpack the image's files to a folder whose path is printed last, for
# `make image-test IMAGE_ROOT=FOLDER`. Needs root and Debian's package buildah. Nothing leaves IMAGE_BUILD.
#
#   IMAGE_BUILD   the folder of images and files (.venv/image-build)
#   STAND_IN=1    where no registry of images can be reached: the base images are made of Debian's packages (debootstrap),
#                 and of this machine's Node.js. Debian trixie has the Python of the real one, in the same minor version
#   MIRROR        of Debian's packages, for debootstrap
#   STORAGE_DRIVER  vfs, where no overlay can be mounted
#   BUILD_FLAGS   of buildah: what a RUN needs to reach PyPI and npm from here, such as --volume /etc/pip.conf:/etc/pip.conf:ro
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${IMAGE_BUILD:-.venv/image-build}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
say() { echo "  $*" >&2; }
stop() { echo "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || stop "make image builds as root: it makes the files of several users"
command -v buildah >/dev/null || stop "buildah is missing: apt install buildah"

# A storage of its own, and processes in a chroot.
export BUILDAH_ISOLATION=chroot
printf '{"default": [{"type": "insecureAcceptAnything"}]}' >"$folder/policy.json"
b() { buildah ${STORAGE_DRIVER:+--storage-driver "$STORAGE_DRIVER"} --root "$folder/storage" --runroot "$folder/run" "$@"; }

# base NAME FOLDER: an image of these files, with this name.
base() {
    local container
    container=$(b from scratch)
    b add --quiet "$container" "$2" / >/dev/null
    b config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    b commit --quiet --rm --signature-policy "$folder/policy.json" "$container" "docker.io/library/$1" >/dev/null
}

make_stand_ins() {
    local python node
    python=$(sed -n 's/^FROM \(python:[^ ]*\).*/\1/p' Dockerfile)
    node=$(sed -n 's/^FROM \(node:[^ ]*\).*/\1/p' Dockerfile)
    command -v debootstrap >/dev/null || stop "debootstrap is missing: apt install debootstrap"
    command -v node >/dev/null || stop "Node.js is missing"
    say "Debian, for $python and $node"
    rm -rf "$folder/debian" "$folder/node"
    debootstrap --variant=minbase --include=ca-certificates,libstdc++6,python3,python3-venv \
        trixie "$folder/debian" ${MIRROR:+"$MIRROR"} >"$folder/debootstrap.log"
    # Where the real image has it: python and pip in /usr/local/bin, and packages in /usr/local/lib.
    chroot "$folder/debian" python3 -m venv /usr/local
    base "$python" "$folder/debian"
    mkdir -p "$folder/node/usr/local/bin" "$folder/node/usr/local/lib/node_modules"
    cp -aL "$(command -v node)" "$folder/node/usr/local/bin/node"
    cp -a "$(dirname "$(realpath "$(command -v npm)")")/.." "$folder/node/usr/local/lib/node_modules/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/node/usr/local/bin/npm"
    cp -a "$folder/debian/." "$folder/node/"
    base "$node" "$folder/node"
    rm -rf "$folder/debian" "$folder/node"
}

if [ -n "${STAND_IN:-}" ] && ! b inspect "docker.io/library/$(sed -n 's/^FROM \(python:[^ ]*\).*/\1/p' Dockerfile)" >/dev/null 2>&1; then
    make_stand_ins
fi
say "the image"
# shellcheck disable=SC2086  # several flags
b build --quiet --pull=false --signature-policy "$folder/policy.json" --format docker --tag spacekeep \
    --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || true)" ${BUILD_FLAGS:-} . >"$folder/build.log" 2>&1 ||
    { tail -20 "$folder/build.log" >&2; stop "the image was not built: all of it is in $folder/build.log"; }

container=$(b from --pull-never --signature-policy "$folder/policy.json" localhost/spacekeep)
rm -rf "$folder/root"
cp -a "$(b mount "$container")" "$folder/root"
b rm "$container" >/dev/null
say "$(du -sm "$folder/root" | cut -f1) MiB"
echo "$folder/root"
