#!/bin/sh
# The demonstration of `make demo`: each query of demo.sql with its result, on the invented sample, without a key and
# without a network.
set -eu
cd "$(dirname "$0")/../.."
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
run() {
	printf '%s\n' "$1" | sed 's/^/> /'
	SHODANREP_CACHE_DIR=$cache SHODAN_API_KEY='' bin/shodanrep query --config config/sample/sample.spc \
		--attach aws_vpc_security_group_rule=config/sample/security_group_rules.csv "$1"
	echo
}
statement=
while IFS= read -r line; do
	case $line in
	--*) printf '%s\n' "$line" ;;
	'') ;;
	*\;) run "$statement$line"; statement= ;;
	*) statement="$statement$line
" ;;
	esac
done <config/sample/demo.sql
