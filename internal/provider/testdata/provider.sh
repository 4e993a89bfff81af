# A provider whose members are files in the directory that is its first argument. What is in there besides says how it behaves.
set -eu
dir=$1
verb=$2
member=$dir/members/${BERTH_MEMBER_ID:-}
mkdir -p "$dir/members"
if [ -e "$dir/hold" ]; then
	sleep 60 &
	echo $! >>"$dir/pids"
	echo $$ >>"$dir/pids"
	wait
fi
if [ -e "$dir/reason" ]; then
	echo "something else first" >&2
	cat "$dir/reason" >&2
	exit 1
fi
case $verb in
launch)
	[ ! -e "$member" ] || exit 0
	[ ! -e "$dir/full" ] || exit 75
	env | grep '^BERTH_' >"$member.new.$$"
	mv "$member.new.$$" "$member"
	;;
terminate) rm -f "$member" ;;
list) ls "$dir/members" ;;
*) exit 64 ;;
esac
