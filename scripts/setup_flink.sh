#!/bin/sh
# Puts Apache Flink into a directory of the user's cache, for `make conformance`. Prints that directory; does nothing when it is there.
#
#   scripts/setup_flink.sh           the release the conformance corpus is compared with
#   scripts/setup_flink.sh 2.3.0     another one
#   scripts/setup_flink.sh --where   only says where it would be
#
# The Python package brings the distribution, Maven brings the SQL gateway, which the package leaves out.
set -eu
cd "$(dirname "$0")/.."

where=no
if [ "${1:-}" = --where ]; then
    where=yes
    shift
fi
version=${1:-${WEIR_FLINK_VERSION:-1.20.3}}
home=${WEIR_CACHE:-$HOME/.cache/weir}/flink-$version
echo "$home"
[ "$where" = no ] || exit 0

# Compiles what the corpus adds (dimension tables, a cluster in one process) into the installation, when it is not what is there.
build_additions() {
    jar=$home/lib/weir-conformance.jar
    sources=$(cat scripts/conformance/flink_java/*.java | cksum)
    if [ -f "$jar" ] && [ "$(cat "$home/additions" 2>/dev/null)" = "$sources" ]; then
        return 0
    fi
    command -v javac >/dev/null || sh scripts/setup_packages.sh openjdk-17-jdk-headless >&2
    classes=$(mktemp -d)
    javac -nowarn --release 17 -cp "$home/lib/*:$home/opt/*" -d "$classes" scripts/conformance/flink_java/*.java >&2
    mkdir -p "$classes/META-INF/services"
    echo weir.conformance.FileLookup >"$classes/META-INF/services/org.apache.flink.table.factories.Factory"
    # Another run may be reading the old one.
    jar --create --file "$jar.new" -C "$classes" .
    mv "$jar.new" "$jar"
    echo "$sources" >"$home/additions"
    rm -rf "$classes"
}

if [ -f "$home/complete" ]; then
    build_additions
    exit 0
fi

missing=""
command -v javac >/dev/null || missing="$missing openjdk-17-jdk-headless"
command -v mvn >/dev/null || missing="$missing maven"
[ -z "$missing" ] || sh scripts/setup_packages.sh $missing >&2
java_version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
if [ "${java_version:-0}" -lt 17 ]; then
    echo "setup: Flink $version is run here with Java 17 or later, this machine has ${java_version:-none}" >&2
    exit 1
fi

echo "setup: installing Apache Flink $version into $home (about 500 MB, a minute or two)" >&2
rm -rf "$home.part"
mkdir -p "$home.part"
python3 -m venv "$home.part/venv"
# Without their dependencies: only the jars and the scripts are used, no Python program runs in this Flink.
"$home.part/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    "apache-flink==$version" "apache-flink-libraries==$version" >&2
package=$(find "$home.part/venv" -type d -name pyflink | head -n 1)
for part in bin conf lib opt plugins; do
    mv "$package/$part" "$home.part/$part"
done
rm -rf "$home.part/venv"
chmod +x "$home.part"/bin/*.sh
mvn --batch-mode --quiet dependency:copy "-Dartifact=org.apache.flink:flink-sql-gateway:$version" \
    "-DoutputDirectory=$home.part/opt" >&2
rm -rf "$home"
mv "$home.part" "$home"
touch "$home/complete"
build_additions
