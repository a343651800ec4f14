#!/bin/sh
# Makes .venv-peers from requirements-peers.txt, with the Python of .venv; `make bench` runs it. Does nothing when it is
# up to date. Without a network, or when anything else fails, it says so in one sentence and leaves the peers out.
set -u
cd "$(dirname "$0")/../.."

stamp=.venv-peers/.made-from
wanted=$(cksum < requirements-peers.txt)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi

left_out() {
    rm -rf .venv-peers
    echo "note: .venv-peers could not be made ($1), so facenet-pytorch is left out and the rest is measured." >&2
    exit 0
}

echo "making .venv-peers (torch is a large download) ..." >&2
rm -rf .venv-peers
log=$(mktemp)
trap 'rm -f "$log"' EXIT
.venv/bin/python -m venv .venv-peers >"$log" 2>&1 || left_out "python -m venv failed"
.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
    $(grep -v -e '^#' -e facenet requirements-peers.txt) >"$log" 2>&1 || left_out "$(grep -m 1 ERROR "$log")"
.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 --no-deps \
    $(grep facenet-pytorch= requirements-peers.txt) >"$log" 2>&1 || left_out "$(grep -m 1 ERROR "$log")"
echo "$wanted" > "$stamp"
