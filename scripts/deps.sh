#!/usr/bin/env bash
# Installs what Berth needs on this machine and starts Docker Engine. Safe to run again; quick when all is there.
set -euo pipefail
cd "$(dirname "$0")"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
command -v dockerd >/dev/null || missing+=(docker.io)
command -v iptables >/dev/null || missing+=(iptables)
[ -x /usr/bin/etcd ] || missing+=(etcd-server)
[ -x /bin/busybox ] || missing+=(busybox-static)
command -v curl >/dev/null || missing+=(curl)
command -v ip >/dev/null || missing+=(iproute2)
command -v nsenter >/dev/null || missing+=(util-linux)
command -v aws >/dev/null || missing+=(awscli)
[ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import boto3' 2>/dev/null || missing+=(python3-boto3)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v gcc >/dev/null || missing+=(gcc libc6-dev) # go test -race
command -v mkfs.xfs >/dev/null || missing+=(xfsprogs)
command -v nft >/dev/null || missing+=(nftables) # what tests of VPCs print
# Debian has gVisor for some architectures, other systems have none: tests of a stronger runtime are left out there.
command -v runsc >/dev/null || ! apt-cache show runsc >/dev/null 2>&1 || missing+=(runsc)
if [ ${#missing[@]} -gt 0 ]; then
	echo "installing ${missing[*]}"
	as_root apt-get update -q
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
	# Debian starts the etcd that it installs where there is an init system; Berth's tests run their own.
	if [ -d /run/systemd/system ]; then as_root systemctl disable --now etcd 2>/dev/null || true; fi
fi

command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or later (https://go.dev/dl)" >&2; exit 1; }

# The SDK for JavaScript, in the versions that its lock file names, outside of the tree. e2e/clients looks for it there.
javascript=${XDG_CACHE_HOME:-$HOME/.cache}/berth/javascript/$(sha256sum ../e2e/clients/js/package-lock.json | cut -c1-16)
if [ ! -d "$javascript" ]; then
	echo "installing the AWS SDK for JavaScript in $javascript"
	rm -rf "$javascript.part"
	mkdir -p "$javascript.part"
	cp ../e2e/clients/js/package.json ../e2e/clients/js/package-lock.json "$javascript.part"
	(cd "$javascript.part" && npm ci --ignore-scripts --no-audit --no-fund --loglevel error)
	mv "$javascript.part" "$javascript"
fi

engine() { [ -S /var/run/docker.sock ] && curl -fs --max-time 5 --unix-socket /var/run/docker.sock http://docker/_ping >/dev/null 2>&1; }
engine && exit 0

if [ ! -e /etc/docker/daemon.json ]; then
	as_root mkdir -p /etc/docker
	echo '{ "live-restore": true }' | as_root tee /etc/docker/daemon.json >/dev/null
fi
if [ -d /run/systemd/system ]; then
	as_root systemctl enable --now docker
else
	echo "starting dockerd (log: /var/log/berth-dockerd.log)"
	as_root setsid ./dockerd-loop.sh </dev/null >/dev/null 2>&1 &
fi
for _ in $(seq 300); do
	engine && exit 0
	sleep 0.2
done
echo "Docker Engine did not start; see /var/log/berth-dockerd.log" >&2
exit 1
