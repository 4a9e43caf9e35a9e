#!/bin/bash
# Builds the image of deploy/Dockerfile without a registry, for containerd to import: image.sh FOLDER NAME
#
# Debian's packages buildah and mmdebstrap take the places of Docker and of the published base: Debian trixie with its Python 3.13.
# Writes FOLDER/images/sf-assets.tar and FOLDER/images/pause.tar; FOLDER/bin/pause comes from binaries.sh.
set -euo pipefail

folder=$(realpath -m "${1:?expected the folder of the trial}")
name=${2:?expected the name of the image}
project=$(realpath "$(dirname "$0")/../../..")
images=$folder/images
mkdir -p "$images"
build() { buildah --root "$images/storage" --runroot "$images/run" --storage-driver overlay "$@"; }

if [ ! -f "$images/base.tar" ]; then
    mmdebstrap --variant=minbase --include=python3,python3-venv,python-is-python3,ca-certificates \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg trixie "$images/base.tar" http://deb.debian.org/debian
    base=$(build from scratch)
    build add --quiet "$base" "$images/base.tar" /
    build commit --quiet --rm "$base" sf-base:trixie
fi
digest=$(build images --format '{{.Digest}}' localhost/sf-base:trixie)
# The certificates of this machine: it may reach the package index through a proxy of its own.
build bud --layers --isolation chroot --network host --pull-never --volume /etc/ssl/certs:/etc/ssl/certs:ro \
    --file "$project/deploy/Dockerfile" --build-arg "BASE=localhost/sf-base@$digest" --tag "$name" "$project"
rm -f "$images/sf-assets.tar"
build push --quiet "$name" "docker-archive:$images/sf-assets.tar:$name"

printf 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n' |
    build bud --quiet --isolation chroot --file - --tag sf.test/pause:1 "$folder/bin"
rm -f "$images/pause.tar"
build push --quiet sf.test/pause:1 "docker-archive:$images/pause.tar:sf.test/pause:1"
ls -l "$images"/*.tar
