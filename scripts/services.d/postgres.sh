# PostgreSQL, with TLS and passwords (scram-sha-256).
#
# The server refuses to run as root; root runs it as the user `postgres`, or as `nobody`.
# shellcheck shell=bash

postgres_dir=$base/postgres

# The folder of the server's programs.
postgres_bin() {
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
    if [[ -n $found && -x $found/initdb ]]; then
        echo "$found"
    elif found=$(command -v initdb); then
        dirname "$(readlink -f "$found")"
    fi
}

# Who runs the server.
postgres_user() {
    if [[ $(id -u) != 0 ]]; then
        id -un
    elif id -u postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

# A command as that user; it takes the place of the shell that calls it.
postgres_as_user() {
    local user
    user=$(postgres_user)
    if [[ $(id -u) = 0 ]]; then
        exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
    fi
    exec "$@"
}

# Data are where that user may go: below the folder of the services if its parents let strangers through.
postgres_home() {
    if (postgres_as_user test -x "$postgres_dir") 2>/dev/null; then
        echo "$postgres_dir/home"
    else
        echo "/tmp/c360-postgres-$(cksum <<<"$postgres_dir" | cut -d' ' -f1)"
    fi
}

# The process, if it is there and ours.
postgres_pid() {
    local pid
    pid=$(cat "$postgres_dir/pid" 2>/dev/null) || return 1
    [[ -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "-D $(postgres_home)/data" || return 1
    echo "$pid"
}

postgres_install() {
    [[ -z $(postgres_bin) ]] || return 0
    local why=""
    [[ -z ${C360_NO_INSTALL:-} ]] || why="C360_NO_INSTALL is set"
    command -v apt-get >/dev/null || why="there is no apt-get"
    [[ $(id -u) = 0 ]] || why="only root may install"
    [[ -z $why ]] || die "postgres: not installed, and not installing it: $why. Install PostgreSQL (postgres, initdb)."
    say "postgres: installing the server (apt)"
    local log=$postgres_dir/install.log
    export DEBIAN_FRONTEND=noninteractive
    # Without that setting the package would make and start a server of the system.
    if ! {
        apt-get update &&
            apt-get install -y --no-install-recommends postgresql-common &&
            sed -ri 's/^#?create_main_cluster .*$/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf &&
            apt-get install -y --no-install-recommends postgresql
    } >"$log" 2>&1; then
        tail -5 "$log" >&2
        die "postgres: could not be installed; the whole log is $log"
    fi
}

# A certificate authority of our own, and the server's certificate for 127.0.0.1; without openssl the server has no TLS.
postgres_certify() {
    local tls=$postgres_dir/tls home
    home=$(postgres_home)
    [[ ! -e $home/server.pem ]] || return 0
    if ! command -v openssl >/dev/null; then
        say "postgres: there is no openssl, so the server has no TLS and its tests are skipped"
        return
    fi
    mkdir -p "$tls"
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=c360 test authority" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
            -keyout "$tls/ca.key" -out "$tls/ca.pem"
        openssl req -new -newkey rsa:2048 -nodes -subj "/CN=127.0.0.1" -keyout "$tls/server.key" -out "$tls/server.csr"
        printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >"$tls/server.ext"
        openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 3650 \
            -extfile "$tls/server.ext" -out "$tls/server.pem"
    } >"$tls/openssl.log" 2>&1 || die "postgres: certificates could not be made; see $tls/openssl.log"
    # The server takes a key only if nobody else can read it.
    install -m 600 -o "$(postgres_user)" "$tls/server.key" "$home/server.key"
    install -m 644 -o "$(postgres_user)" "$tls/server.pem" "$home/server.pem"
}

postgres_init() {
    local home user bin password
    [[ ! -e $postgres_dir/ready ]] || return 0
    home=$(postgres_home)
    user=$(postgres_user)
    bin=$(postgres_bin)
    rm -rf "$home"
    mkdir -p "$home"
    chown "$user" "$home"
    chmod 700 "$home"
    password=$(random_word)
    install -m 600 -o "$user" /dev/null "$home/password"
    printf '%s\n' "$password" >"$home/password"
    (cd / && postgres_as_user "$bin/initdb" -D "$home/data" --username=c360 --pwfile="$home/password" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8) >"$postgres_dir/init.log" 2>&1 ||
        { tail -5 "$postgres_dir/init.log" >&2; die "postgres: data could not be made"; }
    (cd / && echo 'create database c360_test' | postgres_as_user "$bin/postgres" --single -D "$home/data" postgres) \
        >>"$postgres_dir/init.log" 2>&1 || die "postgres: the database could not be made; see $postgres_dir/init.log"
    postgres_certify
    free_port >"$postgres_dir/port"
    printf '%s\n' "$password" >"$postgres_dir/password"
    chmod 600 "$postgres_dir/password"
    touch "$postgres_dir/ready"
}

# A socket's path may have 107 bytes at most.
postgres_socket_dir() {
    local home
    home=$(postgres_home)
    ((${#home} < 80)) && echo "$home" || echo /tmp
}

postgres_answers() {
    "$(postgres_bin)/pg_isready" -q -h 127.0.0.1 -p "$(cat "$postgres_dir/port")" -t 2
}

postgres_launch() {
    local home tls=() as_user=() user
    home=$(postgres_home)
    user=$(postgres_user)
    if [[ -e $home/server.pem ]]; then
        tls=(-c ssl=on -c "ssl_cert_file=$home/server.pem" -c "ssl_key_file=$home/server.key")
    fi
    if [[ $(id -u) = 0 ]]; then
        as_user=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --)
    fi
    # The server goes to its data; the folder that we are in may be closed to its user.
    cd / && launch "$postgres_dir" "${as_user[@]}" "$(postgres_bin)/postgres" -D "$home/data" -p "$(cat "$postgres_dir/port")" \
        -c listen_addresses=127.0.0.1 -c "unix_socket_directories=$(postgres_socket_dir)" "${tls[@]}"
}

postgres_start() {
    mkdir -p "$postgres_dir"
    chmod 711 "$postgres_dir"
    if postgres_pid >/dev/null; then
        wait_for 60 postgres_answers || die "postgres: runs but does not answer; see $postgres_dir/server.log"
        return
    fi
    postgres_install
    postgres_init
    postgres_launch
    if ! wait_for 60 postgres_answers; then
        # Somebody may have taken the port meanwhile; a new one costs nothing.
        postgres_stop
        free_port >"$postgres_dir/port"
        postgres_launch
        wait_for 60 postgres_answers || { tail -5 "$postgres_dir/server.log" >&2; die "postgres: does not answer; see $postgres_dir/server.log"; }
    fi
    say "postgres: listens on 127.0.0.1:$(cat "$postgres_dir/port")"
}

# INT ends sessions; TERM would wait for them.
postgres_stop() { stop_process postgres INT 60 QUIT; }

postgres_env() {
    postgres_pid >/dev/null || return 0
    printf 'export C360_TEST_POSTGRES_URL=postgres://c360:%s@127.0.0.1:%s/c360_test\n' \
        "$(cat "$postgres_dir/password")" "$(cat "$postgres_dir/port")"
    if [[ -e $postgres_dir/tls/ca.pem ]]; then
        printf 'export C360_TEST_POSTGRES_CA=%q\n' "$postgres_dir/tls/ca.pem"
    fi
}

postgres_status() { process_status postgres; }
