#!/bin/sh
# The main job of polecat on examples/three-tiers, and BGP on examples/rack7. Usage: examples/demo.sh FOLDER-OF-PROGRAMS
set -u
bin=$(cd "${1:-build/release/bin}" && pwd) || exit 2
cd "$(dirname "$0")/three-tiers" || exit 2
polecat="$bin/polecat"
failed=0

title() { printf '\n\033[1m%s\033[0m\n' "$1"; }
run() { # EXPECTED-EXIT-CODE COMMAND...
    want=$1; shift
    printf '$ polecat %s\n' "$*"
    "$polecat" "$@" 2>&1
    got=$?
    if [ "$got" -ne "$want" ]; then
        printf '!! exit code %s, expected %s\n' "$got" "$want"; failed=1
    fi
}

title "1. The policies as first written: refused, each mistake at its line"
run 1 lint broken
echo "What they would have cost: the shop could reach port 9000 of any address on earth, the orders"
echo "policy would not exist, and the ledger's policy would govern every pod of its namespace."

title "2. The same, mended: who reaches whom"
run 0 map --family 4 mended

title "3. Why is this flow denied, and that one allowed?"
run 0 reach web/shop data/ledger -p 5432/TCP -f mended
run 0 reach web/shop service:api/orders -p 80/TCP -f mended

title "4. Expectations kept beside the policies"
run 0 test .

title "5. Compiled for each node"
out=$(mktemp -d)
run 0 compile mended -o "$out"

title "6. On this machine's kernel: rules loaded in network namespaces, real packets sent"
printf '$ polecat try mended -p 9000/TCP -p 5432/TCP -p 8080/TCP -p 53/UDP\n'
"$polecat" try mended -p 9000/TCP -p 5432/TCP -p 8080/TCP -p 53/UDP
case $? in
0) ;;
2) echo "Skipped: this machine or user lacks what is needed for it (see above)." ;;
*) failed=1 ;;
esac
rm -rf "$out"

cd ../rack7 || exit 2
title "7. BGP: rack 7 was given the AS number of rack 6. Lint, and the sessions that will not establish"
run 1 lint broken
run 1 bgp sessions -f broken
echo "So nobody is told where the pods of node rack7-a are:"
run 1 bgp announce 10.42.7.0/26 -f broken
echo "And as it was meant:"
run 0 bgp sessions -f mended
echo "What the pull request would have shown:"
run 1 diff --fail-on bgp mended broken
exit $failed
