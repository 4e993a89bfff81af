#!/usr/bin/env bash
# Keeps dockerd running where no init system does. With live-restore, containers outlive its restarts.
set -u
log=/var/log/berth-dockerd.log
exec 9>/run/berth-dockerd.lock
flock -n 9 || exit 0 # another loop runs
pause=1
while true; do
	# A pid file whose process is gone, or is no dockerd, keeps dockerd from starting.
	if [ -f /var/run/docker.pid ] && ! grep -qa dockerd "/proc/$(cat /var/run/docker.pid)/cmdline" 2>/dev/null; then rm -f /var/run/docker.pid; fi
	began=$(date +%s)
	dockerd >>"$log" 2>&1 9>&-
	echo "dockerd ended with $?" >>"$log"
	if [ $(($(date +%s) - began)) -gt 60 ]; then pause=1; fi
	sleep "$pause"
	pause=$((pause < 16 ? pause * 2 : 30))
done
