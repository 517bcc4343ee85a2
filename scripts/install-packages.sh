#!/usr/bin/env bash
# Installs what is missing of Debian's packages: `build` to build the server, `test` for the rest.
# Says nothing and asks nobody when everything is there.
set -euo pipefail

build_packages=(
    gcc cmake make ninja-build pkg-config libc6-dev
    libevent-dev libssl-dev libsqlite3-dev libcurl4-openssl-dev libjansson-dev libcmocka-dev
    libsodium-dev libzstd-dev libinih-dev
)
test_packages=(
    clang libclang-rt-14-dev clang-format clang-tidy python3 python3-venv curl mosquitto iproute2 openssl
)

node_is_recent() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        [ "$(node -p 'parseInt(process.versions.node)')" -ge 18 ]
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

case "${1:-}" in
build) wanted=("${build_packages[@]}") ;;
test)
    wanted=("${build_packages[@]}" "${test_packages[@]}")
    node_is_recent || wanted+=(nodejs npm)
    ;;
*)
    echo "usage: $0 build|test" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
if ! command -v apt-get >/dev/null; then
    echo "these packages are needed, and there is no apt-get to install them: ${missing[*]}" >&2
    exit 1
fi

echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"

# The tests start their own broker on a port of their own; Debian's must not run beside it.
if [[ " ${missing[*]} " == *" mosquitto "* ]]; then
    if [ -d /run/systemd/system ]; then
        "${as_root[@]}" systemctl disable --now mosquitto.service
    else
        "${as_root[@]}" service mosquitto stop || true
    fi
fi
