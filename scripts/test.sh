#!/bin/sh
# Runs all tests: Rust (golden jobs and the short crash test included), the published Python and Go clients, the conformance corpus,
# the corpus under stress, random jobs of a fixed seed, and random calls of the API for a minute.
#
# Everything is run even when something fails, and the closing lines of all runners are repeated at the end. Most tests wait for
# something most of the time, so that the Rust tests run beside all others, whose output is shown when both are through.
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
started=$(date +%s)

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# Runs a command with its output both shown and kept; its exit code goes to a file, as a pipe has only its last one.
record() {
    name=$1
    shift
    {
        code=0
        "$@" || code=$?
        echo "$code" >"$place/$name.code"
    } 2>&1 | tee "$place/$name.output"
}

record build "$cargo" test --workspace --locked --no-run
[ "$(cat "$place/build.code")" -eq 0 ] || exit 1
built=$(date +%s)
target=$("$cargo" metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
weir=$target/debug/weir

beside_rust() {
    record python sh scripts/test_python.sh
    record go sh scripts/test_go.sh
    # Flink's column is run where it is installed (scripts/setup_flink.sh) and said to be missing where it is not.
    record conformance .venv/bin/python scripts/conformance --if-installed
    record stress "$weir" test --stress=1 tests/conformance
    record random .venv/bin/python scripts/random_jobs --weir "$weir" --stress --seed 1 --count 150
    record fuzz .venv/bin/python scripts/fuzz_api --weir "$weir" --seconds 60 --seed 1
}

beside_rust >"$place/beside.output" 2>&1 &
record rust "$cargo" test --workspace --locked --no-fail-fast
echo "== Rust tests are through after $(($(date +%s) - built)) s; what runs beside them is awaited =="
wait
cat "$place/beside.output"
ended=$(date +%s)

echo
echo "== test programs that failed, and closing lines =="
grep -E '^(error: test failed|error: [0-9]+ targets failed|test .* FAILED$|FAILED |ERROR |--- FAIL)' "$place/rust.output" "$place/python.output" "$place/go.output" |
    sed "s|^$place/||" || true
awk '/^test result:/ { programs++; passed += $4; failed += $6; ignored += $8 }
    END { printf "cargo test: %d passed, %d failed, %d ignored in %d test programs\n", passed, failed, ignored, programs }' \
    "$place/rust.output"
printf 'pytest: '
tail -n 1 "$place/python.output"
printf 'go test: '
tail -n 1 "$place/go.output"
printf 'conformance: '
grep -E ' jobs are as |WITHOUT FLINK' "$place/conformance.output" | tr '\n' ' ' || true
echo
# What is not as the tests say: the job, the engine and the rows.
grep -E -A 6 '^tests/conformance/.*(, [a-z]+:)$' "$place/conformance.output" || true
printf 'corpus under stress: '
tail -n 1 "$place/stress.output"
printf 'random jobs: '
tail -n 1 "$place/random.output"
printf 'random calls: '
tail -n 1 "$place/fuzz.output"
echo
echo "time: $((built - started)) s to build, $((ended - built)) s for the rest"
for name in rust python go conformance stress random fuzz; do
    [ "$(cat "$place/$name.code")" -eq 0 ] || exit 1
done
