#!/bin/sh
# The demonstration of `make demo`: a check of a text, and then each query in demo.sql with its result. It uses the
# invented sample, without a key and without a network.
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
cat <<'TEXT'
-- Which addresses in a message are bad, and why? You can use any text.
> shodanrep check config/sample/incident.txt
TEXT
COLUMNS=100 SHODANREP_CACHE_DIR=$cache SHODAN_API_KEY='' bin/shodanrep check --no-color --no-pager \
	--config config/sample/sample.spc config/sample/incident.txt
echo
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
