#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls of the real binary without daemons: exit codes, where words go, and that
# calls at the same time lose nothing. Usage: cli_calls.sh PATH_OF_WINNOW
set -u
winnow=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export WINNOW_CONFIG_DIR="$dir/config" WINNOW_STATE_DIR="$dir/state"
bad=0

# expect CODE WORDS COMMAND…: the exit code, and words on either stream.
expect() {
    want=$1 words=$2
    shift 2
    said=$("$@" 2>&1 </dev/null)
    code=$?
    case $said in *Sanitizer* | *"runtime error"*) echo "FAIL: $*: $said"; bad=1 ;; esac
    if [ "$code" -ne "$want" ]; then
        echo "FAIL: $*: exit code $code, not $want: $said"
        bad=1
    fi
    case $said in *"$words"*) ;; *) echo "FAIL: $*: does not say \"$words\": $said"; bad=1 ;; esac
}

expect 2 'Usage: winnow' "$winnow"
expect 2 'did you mean site?' "$winnow" sit
expect 2 'missing: add|list|key|sign' "$winnow" site
expect 2 'missing: FILE...|-' "$winnow" import --site x
expect 2 'missing: NAME' "$winnow" keys new
expect 2 '"z" is a word too many' "$winnow" status z
expect 2 'allowed are add' "$winnow" site remove x
expect 2 'did you mean --from?' "$winnow" report --form csv
expect 2 'holds one table' "$winnow" report --site x --format csv
expect 2 'say which with --table' "$winnow" report --site x --meta "$dir/facts"
expect 0 'Everybody in the window' "$winnow" report --list
expect 2 'allowed are combined' "$winnow" import --format apache x
expect 2 'whole number' "$winnow" send --site x --timeout 0 -
expect 2 'yes or no' "$winnow" up --check-config=maybe
expect 2 'give one of' "$winnow" explain
expect 1 'does not run' "$winnow" status
expect 0 'does not run' "$winnow" down
expect 1 'no site yet' "$winnow" report
expect 1 'no site yet' "$winnow" seal
expect 0 'winnow 0' "$winnow" --version
expect 0 '.TH winnow 1' "$winnow" --man
expect 0 '/etc/winnow/policy.yaml' "$winnow" --man
expect 0 'plan.yaml and policy.yaml' "$winnow" --help
expect 0 'Usage: winnow seal' "$winnow" seal --help
expect 0 'larger epoch counts' "$winnow" down --help
expect 0 'larger epoch counts' "$winnow" up --help
expect 0 'The plan is right: version' "$winnow" plan check
expect 0 'noise_people ' "$winnow" plan print
cat >"$dir/out.yaml" <<'EOF'
version: 5
noise: {rho: strict, people: signed}
tables:
  - {id: traffic, doc: All, purpose: basic, dimensions: [], of: [view], measures: [people, number1], number_clamp: 70}
  - {id: out, doc: Out, purpose: basic, dimensions: [hour], of: [view], measures: [people], profile: noise, cells: 2, receivers: [partner]}
  - {id: more, doc: More, purpose: basic, dimensions: [device], of: [view], measures: [people], receivers: [partner], contract: C-1}
EOF
expect 0 'The plan is right: version 5, 3 tables.' "$winnow" plan check "$dir/out.yaml"
expect 0 'warning: receiver partner gets table more (crowd) beside table out (noise)' "$winnow" plan check "$dir/out.yaml"
expect 0 'warning: table more goes out as a crowd under the contract "C-1"' "$winnow" plan print "$dir/out.yaml"
expect 0 'receiver partner: out more' "$winnow" plan print "$dir/out.yaml"
expect 0 'noise: rho 0.015000 a window, people signed, at most 2 cells' "$winnow" plan print "$dir/out.yaml"
expect 0 'people,number1<=70' "$winnow" plan print "$dir/out.yaml"
sed -n '/^    version: 3 /,/^$/s/^    //p' "$(dirname "$0")/../../../README.md" >"$dir/readme.yaml"
expect 0 'The plan is right: version 3, 4 tables.' "$winnow" plan check "$dir/readme.yaml"
sed 's/contract: C-1/clamp: 30/' "$dir/out.yaml" >"$dir/bad.yaml"
expect 1 'bad.yaml line 6: table more: receivers get profile noise' "$winnow" plan check "$dir/bad.yaml"
expect 1 'cannot be read' "$winnow" plan check "$dir/none.yaml"
expect 1 'nothing was published' "$winnow" ledger list
expect 0 'version 1' "$winnow" policy check
expect 0 'gpc: limit' "$winnow" policy print
mkdir -p "$dir/begin"
"$winnow" policy print >"$dir/begin/policy.yaml"
expect 0 'version 1' "$winnow" policy check "$dir/begin/policy.yaml"
expect 0 'Nobody outside' "$winnow" policy describe
expect 1 'cannot be read' "$winnow" policy check "$dir/none.yaml"
expect 2 'allowed are print, check, describe and reload' "$winnow" policy show
expect 2 '--site goes with describe' "$winnow" policy print --site x
expect 1 'there is no site nobody' "$winnow" policy describe --site nobody
expect 0 'takes effect when Winnow starts' "$winnow" policy reload
mkdir -p "$dir/config"
printf 'version: 2\ndate: 2026-11-20\nsites:\n  - site: shop\n    consent: {gpc: maybe}\n' >"$dir/config/policy.yaml"
expect 1 'policy.yaml line 5: gpc "maybe": allowed are ignore, limit and drop' "$winnow" policy check
expect 1 'line 5' "$winnow" policy reload
expect 1 'line 5' "$winnow" --check-config
printf 'destinations:\n  - {name: partner, kind: file, path: out, basis: "a contract"}\n' >"$dir/config/destinations.yaml"
expect 1 'destinations.yaml, line 2: destination partner: a file needs path' "$winnow" --check-config
expect 2 'line 2: destination partner' "$winnow-forward" --check-config
sed -i 's/out,/\/nowhere\/out,/' "$dir/config/destinations.yaml"
expect 2 'line 2: destination partner: path /nowhere/out is no folder: make it' "$winnow-forward" --check-config
sed -i "s|/nowhere/out|$dir/config|" "$dir/config/destinations.yaml"
expect 2 "path $dir/config would open Winnow's own configuration" "$winnow-forward" --check-config
mkdir -p "$dir/config/out"
sed -i "s|$dir/config,|$dir/config/out,|" "$dir/config/destinations.yaml"
expect 0 'destinations 1' "$winnow-forward" --check-config
for daemon in collector aggregator; do
    expect 2 'policy.yaml, line 5: gpc "maybe"' "$winnow-$daemon" --check-config
done
sed -i 's/maybe/drop/' "$dir/config/policy.yaml"
expect 0 'not among the sites yet' "$winnow" policy check
expect 0 '# What shop collects' "$winnow" policy describe --site shop
for daemon in collector aggregator; do
    expect 0 'policy version 2' "$winnow-$daemon" --check-config
done
# What the collector last had in force, as it lies in its state.
mkdir -p "$dir/state/collector/policy"
id=$("$winnow" policy check | sed -n 's/.*digest \([0-9a-f]*\),.*/\1/p')
cp "$dir/config/policy.yaml" "$dir/state/collector/policy/$id.yaml"
expect 0 'It is the one in force' "$winnow" policy check
printf 'version: 2\ndate: 2026-11-19\n' >"$dir/config/policy.yaml"
expect 1 'a reload would refuse it: the text changed' "$winnow" policy check
printf 'version: 3\ndate: 2026-11-19\n' >"$dir/config/policy.yaml"
expect 0 'In force is version 2 of 2026-11-20' "$winnow" policy check
expect 0 'lies before 2026-11-20' "$winnow" policy check
rm "$dir/config/policy.yaml"
expect 1 'policy.yaml is gone; version 2 of 2026-11-20 was in force' "$winnow" policy check
rm -r "$dir/state/collector"

for i in 1 2 3 4 5 6 7 8 9 10; do "$winnow" site add "s$i" --zone UTC >/dev/null & done
wait
count=$("$winnow" site list | grep -c ' web  UTC')
[ "$count" -eq 10 ] || { echo "FAIL: 10 sites added at once, $count listed"; bad=1; }
expect 1 'is a site s1 already' "$winnow" site add s1
expect 2 'example: --zone' "$winnow" site add s11 --zone Mars/Base
expect 1 'say which site' "$winnow" report
expect 1 'there is no site s99' "$winnow" seal --site s99
expect 1 'the collector does not run' "$winnow" import --site s1 /dev/null
expect 1 'no such file' "$winnow" import --site s1 "$dir/none.log"
expect 1 'is a directory' "$winnow" import --site s1 "$dir"
expect 1 'still runs' "$winnow" seal --site s1 --date today
expect 1 'the aggregator does not run' "$winnow" seal --site s1
expect 0 '10 sites' "$winnow" --check-config
expect 0 'destination partner gets nothing' "$winnow" --check-config
expect 0 '' "$winnow" keys new a --dir "$dir/k"
expect 1 'is there already' "$winnow" keys new a --dir "$dir/k"
expect 2 'allowed are new, api, list and revoke' "$winnow" keys nothing a
expect 2 's name is 1 to 63' "$winnow" keys api 'a b'
expect 0 'programs of the user who runs winnow-web' "$winnow" keys list
expect 1 'there is no site s99' "$winnow" keys api r1 --site s99
expect 1 'the plan has no table' "$winnow" keys api r1 --table nothing
expect 1 'the plan has no receiver' "$winnow" keys api r1 --receiver nobody
expect 0 'wn_' "$winnow" keys api r1 --site s1 --table pages
expect 1 'there is a key r1 already' "$winnow" keys api r1
for i in 1 2 3 4 5 6 7 8; do "$winnow" keys api "many$i" >/dev/null 2>&1 & done
wait
count=$("$winnow" keys list | grep -c '^many')
[ "$count" -eq 8 ] || { echo "FAIL: 8 keys made at once, $count listed"; bad=1; }
expect 0 's1  pages' "$winnow" keys list
for i in r1 many1 many2 many3 many4 many5 many6 many7; do expect 0 'opens nothing' "$winnow" keys revoke $i; done
expect 0 'nobody reads over HTTP' "$winnow" keys revoke many8
expect 1 'there is no key many8' "$winnow" keys revoke many8
expect 0 'nobody reads over HTTP' "$winnow" keys list
expect 0 'may write' "$winnow" site key s1 --public "$(cat "$dir/k/a.pub")"
expect 0 '' "$winnow" site sign s1
expect 1 'has a signing key' "$winnow" site sign s1

expect 0 'nothing that identifies stays' "$winnow" explain --event '{"name":"pageview","url":"/a?mail=ann@b.example"}'
expect 3 'a part of `user_id`' "$winnow" explain --purposes basic,measure \
    --event '{"name":"pageview","url":"/pricing","user_id":"pricing"}'
expect 3 'a part of `user_id`' "$winnow" explain --purposes basic,measure \
    --event '{"name":"ann_meyer","url":"/a","user_id":"ann_meyer"}'
expect 3 'a part of `device_id`' "$winnow" explain --purposes basic,measure \
    --event '{"name":"pageview","url":"/team/annmeyer","device_id":"annmeyer"}'
printf '%s\n' '{"name":"pageview","url":"/a"}' '{"name":"annmeyer","url":"/a","user_id":"annmeyer"}' >"$dir/events.ndjson"
expect 3 '2 events: keep 2' "$winnow" explain --purposes basic,measure "$dir/events.ndjson"
printf '%s\n' '{"name":"pageview","url":"/u/ann@b.example"}' '{"name":"purchase","url":"/a","user_id":"annmeyer"}' >"$dir/events.ndjson"
expect 0 '2 events: keep 2' "$winnow" explain --purposes basic,measure "$dir/events.ndjson"
expect 0 'decided by    purposes' "$winnow" explain --purposes basic,share --event '{"name":"pageview","url":"/a"}'
expect 0 'may be forwarded: yes' "$winnow" explain --purposes basic,share --event '{"name":"pageview","url":"/a"}'
expect 0 'may be forwarded: no' "$winnow" explain --purposes basic,share --us-privacy-cookie 1YYN \
    --event '{"name":"pageview","url":"/a"}'
expect 0 'verdict       refused' "$winnow" explain --tcf-cookie nonsense --event '{"name":"pageview","url":"/a"}'
expect 0 'plan=pro, b=3' "$winnow" explain --event '{"name":"pageview","url":"/a","props":{"plan":"pro","b":3}}'
mkdir -p "$dir/numbers"
cat >"$dir/numbers/policy.yaml" <<'EOF'
version: 2
date: 2026-11-20
defaults:
  props: [{name: plan, values: [free, pro]}, {name: amount, number: {max: 500}}]
EOF
cp "$dir/out.yaml" "$dir/numbers/plan.yaml"
for amount in '49.9:number1 amount=49' '6601234567:number1 amount=500' '-3:not a number from 0 on (amount)' '"7":not a number from 0 on (amount)'; do
    expect 0 "${amount#*:}" env WINNOW_CONFIG_DIR="$dir/numbers" "$winnow" explain \
        --event '{"name":"pageview","url":"/a","props":{"plan":"pro","amount":'"${amount%%:*}"'}}'
done
expect 0 'Property `amount`: a whole number, of which an event adds at most 500' env WINNOW_CONFIG_DIR="$dir/numbers" "$winnow" policy describe
expect 0 'warning: receiver partner gets' env WINNOW_CONFIG_DIR="$dir/numbers" "$winnow" --check-config
expect 2 'allowed are basic, measure, locate, share, profile and sensitive' "$winnow" explain --purposes basic,mesure \
    --event '{"name":"pageview","url":"/a"}'
expect 2 'stands alone' "$winnow" explain --matrix --gpc
expect 0 'referrer example.org' "$winnow" explain --matrix
expect 0 "No site's policy is applied" "$winnow" explain --matrix
expect 0 'No country database is here' "$winnow" explain --country-db "$dir/none.mmdb" --ip 192.0.2.7 \
    --event '{"name":"pageview","url":"/a"}'
expect 0 'nothing that identifies stays' "$winnow" explain --event '{"name":"pageview","url":"/a","referrer":"//john.de"}'
expect 0 'Büro                                     -> dropped' "$winnow" explain --event '{"name":"pageview","url":"/a","maker":"x","search_term":"Büro"}'
expect 0 'a�b' "$winnow" explain --event '{"name":"pageview","url":"/a","search_term":"a\u009bb"}'
mkdir -p "$dir/listed"
cat >"$dir/listed/policy.yaml" <<'EOF'
version: 2
date: 2026-11-20
defaults:
  sensitive: [/health/**]
  props: [{name: card, values: ["4111111111111111"]}]
EOF
expect 0 'card "4111111111111111" has the shape of an identifier (card)' "$winnow" policy check "$dir/listed/policy.yaml"
expect 0 'nothing that identifies stays' env WINNOW_CONFIG_DIR="$dir/listed" "$winnow" explain \
    --event '{"name":"pageview","url":"/a","props":{"card":"4111111111111111"}}'
expect 0 'nothing that identifies stays' "$winnow" explain --event '{"name":"pageview","url":"/a","exit_link":"//a.b@c.co.uk"}'
for path in //health/hiv '/\\health/hiv' '/\x5Chealth/hiv' '///\x5Chealth/hiv'; do
    expect 0 'verdict       sensitive' env WINNOW_CONFIG_DIR="$dir/listed" "$winnow" explain --log-line \
        "192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] \"GET $path HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0\""
done
expect 1 'cannot be read: Is a directory' "$winnow" policy check "$dir"
expect 1 'not one JSON object' "$winnow" explain --event nonsense

printf 'sites:\n  - name: UPPER\n    zone: UTC\n' >"$dir/config/sites.yaml"
expect 1 'sites.yaml line 2' "$winnow" --check-config
exit $bad
