#!/bin/sh
# Installs Debian's Chromium, in which the page of the service is tested. Does nothing where one is there already.
set -eu

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done

fail() {
    echo "error: $1" >&2
    exit 2
}

command -v apt-get >/dev/null 2>&1 || fail "no Chromium was found, and no apt-get to install one; install Chromium."
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
    $as_root true 2>/dev/null || fail "no Chromium was found, and installing it needs root: apt-get install chromium."
fi

echo "installing Chromium (a download of about 100 MB) ..." >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    $as_root apt-get -q -o Acquire::Retries=3 update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
            install --no-install-recommends chromium
}
if ! install >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install Chromium."
fi
