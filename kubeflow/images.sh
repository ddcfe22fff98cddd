# What build-image and test-image share. To be sourced from the repository's root, as root.

images() { buildah --storage-driver vfs --root "$PWD/build/images" --runroot "$PWD/build/images/run" "$@"; }

need() { # PROGRAM...
  for program in "$@"; do
    command -v "$program" >/dev/null && continue
    echo "$program is not installed: apt-get install --no-install-recommends buildah debootstrap" >&2
    exit 1
  done
}

make_base() { # NAME: Debian with Python 3.11 and nothing else
  local container root
  container=$(images from scratch)
  root=$(images mount "$container")
  debootstrap --variant=minbase --include=ca-certificates,python3-venv bookworm "$root" >&2
  chroot "$root" apt-get clean
  rm -rf "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,locale,man}/*
  images umount "$container" >/dev/null
  images commit --rm "$container" "$1" >&2
}
