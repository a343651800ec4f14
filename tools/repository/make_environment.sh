#!/bin/sh
# Makes .venv from requirements.lock, with the first Python from 3.11 to 3.13 that it finds (or the one in $PYTHON).
# Run by every target of the Makefile; does nothing when .venv is up to date.
set -eu
cd "$(dirname "$0")/../.."

stamp=.venv/.made-from
wanted=$(cat requirements.lock pyproject.toml | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi

fail() {
    echo "error: $1" >&2
    exit 2
}

# A candidate must really run: shims of version managers exist for versions that are not there.
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
python=
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    if "$candidate" -c "$supported" >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    if [ -n "${PYTHON:-}" ]; then
        fail "$PYTHON is not a Python from 3.11 to 3.13; name one with PYTHON=... ."
    fi
    fail "no Python from 3.11 to 3.13 was found; install one, or name it with PYTHON=... ."
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for module in venv ensurepip; do
    if ! "$python" -c "import $module" >/dev/null 2>&1; then
        fail "$python has no module $module; install the package python$version-venv (Debian, Ubuntu) and try again."
    fi
done

echo "making .venv with Python $version (a download of about 800 MB, a few minutes) ..." >&2
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 --require-hashes -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
echo "$wanted" > "$stamp"
