#!/usr/bin/env bash
# Builds deploy/Containerfile and runs the image as deploy/compose.yaml does: read-only, without a
# capability, beside a real PostgreSQL. Called by test_container.py in a mount namespace of its own;
# its arguments are a folder for all it makes and the database's address.
#
# No registry is reached: Debian's debootstrap makes what stands for python:3.11-slim-bookworm.
set -euo pipefail
folder=$1 database=$2
run=$(mktemp -d)  # Podman wants a short path.
podman="podman --root $folder/storage --runroot $run --cgroup-manager cgroupfs"
buildah="buildah --root $folder/storage --runroot $run"
# Podman takes no mixture of two generations of cgroups.
umount -l -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup

debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
  bookworm "$folder/base" http://deb.debian.org/debian > "$folder/debootstrap.log"
ln -s python3 "$folder/base/usr/bin/python"
cp /etc/ssl/certs/ca-certificates.crt "$folder/base/etc/ssl/certs/"
tar -C "$folder/base" -c . | $podman import -q - docker.io/library/python:3.11-slim-bookworm
git archive --format=tar HEAD | (mkdir "$folder/source" && tar -x -C "$folder/source")
$buildah bud -q --isolation chroot --pull-never -t petition -f deploy/Containerfile "$folder/source"

key=$(head -c 32 /dev/urandom | base64)
options="--network host --cgroups disabled --read-only --tmpfs /tmp --cap-drop ALL
  --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --security-opt no-new-privileges
  --security-opt seccomp=unconfined -v last-good:/var/lib/petition
  -e SECRET_KEY=$(head -c 40 /dev/urandom | base64 -w0) -e DATA_KEYS=$key -e LOG_KEY=$key
  -e SITE_URL=https://petition.example -e ALLOWED_HOSTS=petition.example,127.0.0.1
  -e TRUSTED_PROXIES=1 -e DATABASE_URL=$database -e EMAIL_URL=smtp://127.0.0.1:9 -e CHALLENGE=none"
trap '$podman rm -fa > "$folder/removed"' EXIT
$podman run --rm $options localhost/petition python manage.py migrate -v 0
for worker in mailer sweeper historian; do
  $podman run -d --name $worker $options localhost/petition python manage.py $worker > "$folder/id"
done
$podman run -d --name web $options localhost/petition > "$folder/id"
ask() {
  curl -s -o "$folder/answer" -w "$1 %{http_code}\n" --retry 20 --retry-connrefused --retry-delay 1 \
    -H Host:petition.example -H X-Forwarded-Proto:https "${@:3}" "http://127.0.0.1:8000$2"
}
ask home /ar/
ask picture /ar/share.png
ask sign /ar/sign/ -d "name=Sample+Signer&country=MA&consent=on&email=container@example.org"
ask ready /readyz
$podman exec web id -un
$podman inspect --format "{{.Name}} {{.State.Status}}" web mailer sweeper historian
