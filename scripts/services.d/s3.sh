# An S3 server: moto from PyPI, in a Python environment of its own, with a bucket `c360-test`, a pair of keys that may
# write and one that may only read. See s3/server.py for what was added to moto. Objects are in memory: a restart begins
# with an empty bucket. Sourced by scripts/services.
#
#   scripts/services s3 freeze          stop the server without closing its connections; `thaw` ends that
#
# Other servers that were considered: MinIO, versitygw and SeaweedFS need a Go newer than Debian's; s3rver (npm) and
# Debian's packages have no conditional put, on which the commits of Delta tables rest.

s3_dir=$base/s3
s3_bucket=c360-test
s3_moto=5.2.5

s3_install() {
    local venv=$s3_dir/venv why=""
    [[ ! -e $venv/moto-$s3_moto ]] || return 0
    [[ -z ${C360_NO_INSTALL:-} ]] || why="C360_NO_INSTALL is set"
    if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
        command -v apt-get >/dev/null || why="there is no apt-get"
        [[ $(id -u) = 0 ]] || why="only root may install"
        [[ -z $why ]] || die "s3: Python's venv is missing, and not installing it: $why. Install python3 and python3-venv."
        say "s3: installing python3-venv (apt)"
        export DEBIAN_FRONTEND=noninteractive
        if ! { apt-get update && apt-get install -y --no-install-recommends python3 python3-venv; } >"$s3_dir/install.log" 2>&1; then
            tail -5 "$s3_dir/install.log" >&2
            die "s3: python3-venv could not be installed; the whole log is $s3_dir/install.log"
        fi
    fi
    [[ -z $why ]] || die "s3: moto is missing, and not installing it: $why."
    say "s3: fetching moto from PyPI, about 140 MB"
    rm -rf "$venv"
    if ! { python3 -m venv "$venv" && "$venv/bin/python" -m pip install "moto[s3]==$s3_moto" flask flask-cors; } >"$s3_dir/install.log" 2>&1; then
        tail -5 "$s3_dir/install.log" >&2
        die "s3: moto could not be installed; the whole log is $s3_dir/install.log"
    fi
    touch "$venv/moto-$s3_moto"
}

s3_keys() {
    [[ ! -e $s3_dir/keys.json ]] || return 0
    (
        umask 077
        printf '{"writer": ["WRITER%s", "%s"], "reader": ["READER%s", "%s"]}\n' \
            "$(random_word)" "$(random_word)" "$(random_word)" "$(random_word)" >"$s3_dir/keys.json"
    )
}

# The key (2) or its secret (3) of `writer` or `reader`.
s3_key() { sed -n "s/.*\"$1\": \[\"\([^\"]*\)\", \"\([^\"]*\)\"\].*/\\$(($2 - 1))/p" "$s3_dir/keys.json"; }

# The process, if it is there and ours.
s3_pid() {
    local pid
    pid=$(cat "$s3_dir/pid" 2>/dev/null) || return 1
    [[ -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- " $s3_dir/keys.json " || return 1
    echo "$pid"
}

s3_answers() {
    local http
    exec {http}<>"/dev/tcp/127.0.0.1/$(cat "$s3_dir/port")" || return 1
    printf 'GET /_faults HTTP/1.0\r\n\r\n' >&"$http"
    timeout 5 grep -q '200 OK' <&"$http"
}

s3_launch() {
    # What the surroundings say about proxies and credentials is nothing to this server.
    launch "$s3_dir" env -u http_proxy -u https_proxy -u AWS_PROFILE "$s3_dir/venv/bin/python" "$root/scripts/services.d/s3/server.py" \
        "$(cat "$s3_dir/port")" "$s3_dir/keys.json" "$s3_bucket"
}

s3_start() {
    mkdir -p "$s3_dir"
    chmod 700 "$s3_dir"
    if s3_pid >/dev/null; then
        wait_for 60 s3_answers || die "s3: runs but does not answer; see $s3_dir/server.log"
        return
    fi
    s3_install
    s3_keys
    [[ -e $s3_dir/port ]] || free_port >"$s3_dir/port"
    s3_launch
    if ! wait_for 30 s3_answers; then
        # Somebody may have taken the port meanwhile; a new one costs nothing.
        s3_stop
        free_port >"$s3_dir/port"
        s3_launch
        wait_for 30 s3_answers || { tail -5 "$s3_dir/server.log" >&2; die "s3: does not answer; see $s3_dir/server.log"; }
    fi
    say "s3: listens on 127.0.0.1:$(cat "$s3_dir/port")"
}

s3_stop() { stop_process s3 TERM 10 KILL; }

s3_env() {
    s3_pid >/dev/null || return 0
    printf 'export C360_TEST_S3_ENDPOINT=http://127.0.0.1:%s\n' "$(cat "$s3_dir/port")"
    printf 'export C360_TEST_S3_BUCKET=%s\n' "$s3_bucket"
    printf 'export C360_TEST_S3_REGION=us-east-1\n'
    printf 'export C360_TEST_S3_KEY=%s\nexport C360_TEST_S3_SECRET=%s\n' "$(s3_key writer 2)" "$(s3_key writer 3)"
    printf 'export C360_TEST_S3_READER_KEY=%s\nexport C360_TEST_S3_READER_SECRET=%s\n' "$(s3_key reader 2)" "$(s3_key reader 3)"
}

s3_status() { process_status s3; }

s3_command() {
    case ${1:-} in
        freeze) kill -STOP "$(s3_pid)" ;;
        thaw) kill -CONT "$(s3_pid)" ;;
        *) die "s3: cannot ${1:-}; see scripts/services.d/s3.sh" ;;
    esac
}
