#!/usr/bin/env bash
# Gets the VS Code that the end-to-end tests drive (code-server, run by a Node of its own, and Playwright) into
# .cache/e2e, and notes in .cache/e2e/ready.json where everything is. The first time takes some minutes, 900 MB and a
# C++ compiler; afterwards it returns at once. What cannot be had is said in one line, with exit status 1.
# CHROMIUM names the browser, where it has another name than those below. Installs no system package.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/e2e
log=$cache/setup.log

fail() {
  echo "End-to-end tests cannot be set up: $1" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

find_chromium() {
  local name
  if [ -n "${CHROMIUM:-}" ]; then
    command -v "$CHROMIUM" || fail "CHROMIUM names $CHROMIUM, and there is no such program."
    return
  fi
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    if have "$name"; then
      command -v "$name"
      return
    fi
  done
  fail "there is no Chromium (apt install chromium, or set CHROMIUM)."
}

[ "$(uname -s)" = Linux ] || fail "they run on Linux only."
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) fail "there is no Node for $(uname -m)." ;;
esac
have node && have npm || fail "there is no Node with npm (apt install npm)."
chromium=$(find_chromium)

node=$cache/node_modules/node-linux-$arch
code_server=$cache/node_modules/code-server/out/node/entry.js

note_places() {
  printf '{\n  "node": "%s",\n  "code_server": "%s",\n  "chromium": "%s"\n}\n' \
    "$node/bin/node" "$code_server" "$chromium" >"$cache/ready.json"
}

stamp=$(cat "$here/setup.sh" "$here/package-lock.json" <(echo "$cache") | sha256sum)
if [ "$(cat "$cache/stamp" 2>/dev/null)" = "$stamp" ]; then
  note_places
  exit 0
fi

for tool in c++ make python3; do
  have "$tool" || fail "there is no $tool to compile code-server with (apt install build-essential python3)."
done
echo '#include <gssapi/gssapi.h>' | c++ -E -x c++ - >/dev/null 2>&1 ||
  fail "the Kerberos headers that code-server is compiled with are missing (apt install libkrb5-dev)."

echo "Setting up the end-to-end tests (once, some minutes): code-server and Playwright into .cache/e2e"
mkdir -p "$cache"
rm -f "$cache/ready.json" "$cache/stamp"
cp "$here/package.json" "$here/package-lock.json" "$cache/"
cd "$cache"
npm ci --ignore-scripts --no-audit --no-fund >"$log" 2>&1 || fail "npm could not get the packages; see $log."

# code-server insists on the Node that it was made for, and compiles its native modules against that Node's headers.
PATH=$node/bin:$PATH npm_config_nodedir=$node JOBS=${JOBS:-$(nproc)} nice \
  npm rebuild --ignore-scripts=false --foreground-scripts code-server argon2 >>"$log" 2>&1 ||
  fail "code-server could not be compiled; see $log."
"$node/bin/node" "$code_server" --version >>"$log" 2>&1 || fail "code-server does not start; see $log."

note_places
echo "$stamp" >"$cache/stamp"
echo "Set up the end-to-end tests."
