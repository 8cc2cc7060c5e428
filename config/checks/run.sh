#!/bin/sh
# Runs every check of this folder on two lists: run.sh ADDRESSES.csv RULES.csv. The addresses have the columns resource,
# title and ip, of which the first two may be empty. The rules have the columns of Steampipe's
# aws_vpc_security_group_rule. The exit status is 3 if a check has a row with an alarm or an error, and 1 if a check could
# not run.
set -u
if [ $# != 2 ]; then
	echo "usage: $0 ADDRESSES.csv RULES.csv" >&2
	exit 2
fi
folder=$(dirname "$0")
worst=0
for check in "$folder"/*.sql; do
	head -n 1 "$check"
	"${SHODANREP:-$folder/../../bin/shodanrep}" query --fail-on alarm,error \
		--attach "public_address=$1" --attach "aws_vpc_security_group_rule=$2" <"$check"
	case $? in
	0) ;;
	3) [ $worst = 1 ] || worst=3 ;;
	*) worst=1 ;;
	esac
done
exit $worst
