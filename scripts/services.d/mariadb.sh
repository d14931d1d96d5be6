# MariaDB (or MySQL): one server with a database `c360_test`, a user of its own and, with openssl, TLS.
# Sourced by scripts/services.
#
# C360_MARIADB_ARGS   more arguments for the server, with spaces between
# C360_MARIADB_NAMES  names in the server's certificate, as openssl spells them (default: IP:127.0.0.1,DNS:localhost)

mariadb_dir=$base/mariadb

mariadb_server() { command -v mariadbd || command -v mysqld; }
mariadb_admin() { command -v mariadb-admin || command -v mysqladmin; }

# The process, if it is there and ours.
mariadb_pid() {
    local pid
    pid=$(cat "$mariadb_dir/pid" 2>/dev/null) || return 1
    [[ -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--datadir=$mariadb_dir/data" || return 1
    echo "$pid"
}

mariadb_install() {
    [[ -z $(mariadb_server) || -z $(mariadb_admin) ]] || return 0
    local why=""
    [[ -z ${C360_NO_INSTALL:-} ]] || why="C360_NO_INSTALL is set"
    command -v apt-get >/dev/null || why="there is no apt-get"
    [[ $(id -u) = 0 ]] || why="only root may install"
    [[ -z $why ]] || die "mariadb: not installed, and not installing it: $why. Install MariaDB or MySQL (mariadbd, mariadb-admin)."
    say "mariadb: installing the server's core (apt)"
    local log=$mariadb_dir/install.log
    export DEBIAN_FRONTEND=noninteractive
    # The core packages have the programs alone and start no server of the system.
    if ! { apt-get update && {
        apt-get install -y --no-install-recommends mariadb-server-core mariadb-client ||
            apt-get install -y --no-install-recommends mariadb-server
    }; } >"$log" 2>&1; then
        tail -5 "$log" >&2
        die "mariadb: could not be installed; the whole log is $log"
    fi
}

mariadb_init() {
    local data=$mariadb_dir/data as_root=()
    [[ ! -e $mariadb_dir/ready ]] || return 0
    rm -rf "$data"
    [[ $(id -u) != 0 ]] || as_root=(--user=root)
    local install
    install=$(command -v mariadb-install-db || command -v mysql_install_db) || die "mariadb: mariadb-install-db is missing"
    "$install" --no-defaults "${as_root[@]}" --datadir="$data" --auth-root-authentication-method=normal \
        --skip-test-db >"$mariadb_dir/init.log" 2>&1 || { tail -5 "$mariadb_dir/init.log" >&2; die "mariadb: data could not be made"; }
    local password port
    password=$(random_word)
    port=$(free_port)
    cat >"$mariadb_dir/init.sql" <<SQL
CREATE DATABASE IF NOT EXISTS c360_test;
CREATE USER IF NOT EXISTS 'c360'@'127.0.0.1' IDENTIFIED BY '$password';
CREATE USER IF NOT EXISTS 'c360'@'localhost' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO 'c360'@'127.0.0.1' WITH GRANT OPTION;
GRANT ALL ON *.* TO 'c360'@'localhost' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$password';
SQL
    printf '%s\n' "$port" >"$mariadb_dir/port"
    printf '%s\n' "$password" >"$mariadb_dir/password"
    touch "$mariadb_dir/ready"
}

# A certificate authority of our own, and the server's certificate for 127.0.0.1; without openssl the server has no TLS.
mariadb_certify() {
    local tls=$mariadb_dir/tls
    [[ ! -e $tls/server.pem ]] || return 0
    if ! command -v openssl >/dev/null; then
        say "mariadb: there is no openssl, so the server has no TLS and its tests are skipped"
        return
    fi
    mkdir -p "$tls"
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=c360 test authority" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
            -keyout "$tls/ca.key" -out "$tls/ca.pem"
        openssl req -new -newkey rsa:2048 -nodes -subj "/CN=127.0.0.1" -keyout "$tls/server.key" -out "$tls/server.csr"
        printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${C360_MARIADB_NAMES:-IP:127.0.0.1,DNS:localhost}" >"$tls/server.ext"
        openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 3650 \
            -extfile "$tls/server.ext" -out "$tls/server.pem"
    } >"$tls/openssl.log" 2>&1 || die "mariadb: certificates could not be made; see $tls/openssl.log"
}

# A socket's path may have 107 bytes at most.
mariadb_socket() {
    local socket=$mariadb_dir/socket
    ((${#socket} < 100)) || socket=/tmp/c360-mariadb-$(cksum <<<"$mariadb_dir" | cut -d' ' -f1).sock
    echo "$socket"
}

mariadb_answers() {
    MYSQL_PWD=$(cat "$mariadb_dir/password") "$(mariadb_admin)" --no-defaults --socket="$(mariadb_socket)" -u c360 --connect-timeout=2 status
}

mariadb_launch() {
    local as_root=() tls=() more=() port
    read -ra more <<<"${C360_MARIADB_ARGS:-}"
    port=$(cat "$mariadb_dir/port")
    if [[ -e $mariadb_dir/tls/server.pem ]]; then
        tls=(--ssl-ca="$mariadb_dir/tls/ca.pem" --ssl-cert="$mariadb_dir/tls/server.pem" --ssl-key="$mariadb_dir/tls/server.key")
    fi
    [[ $(id -u) != 0 ]] || as_root=(--user=root)
    launch "$mariadb_dir" "$(mariadb_server)" --no-defaults "${as_root[@]}" "${tls[@]}" --datadir="$mariadb_dir/data" --socket="$(mariadb_socket)" \
        --pid-file="$mariadb_dir/server.pid" --bind-address=127.0.0.1 --port="$port" --skip-name-resolve \
        --skip-log-bin --character-set-server=utf8mb4 --init-file="$mariadb_dir/init.sql" "${more[@]}"
}

mariadb_start() {
    mkdir -p "$mariadb_dir"
    chmod 700 "$mariadb_dir"
    if mariadb_pid >/dev/null; then
        wait_for 60 mariadb_answers || die "mariadb: runs but does not answer; see $mariadb_dir/server.log"
        return
    fi
    mariadb_install
    mariadb_init
    mariadb_certify
    mariadb_launch
    if ! wait_for 60 mariadb_answers; then
        # Somebody may have taken the port meanwhile; a new one costs nothing.
        mariadb_stop
        free_port >"$mariadb_dir/port"
        mariadb_launch
        wait_for 60 mariadb_answers || { tail -5 "$mariadb_dir/server.log" >&2; die "mariadb: does not answer; see $mariadb_dir/server.log"; }
    fi
    say "mariadb: listens on 127.0.0.1:$(cat "$mariadb_dir/port")"
}

mariadb_stop() { stop_process mariadb TERM 60 KILL; }

mariadb_env() {
    mariadb_pid >/dev/null || return 0
    printf 'export C360_TEST_MYSQL_URL=mysql://c360:%s@127.0.0.1:%s/c360_test\n' \
        "$(cat "$mariadb_dir/password")" "$(cat "$mariadb_dir/port")"
    if [[ -e $mariadb_dir/tls/ca.pem ]]; then
        printf 'export C360_TEST_MYSQL_CA=%q\n' "$mariadb_dir/tls/ca.pem"
    fi
}

mariadb_status() { process_status mariadb; }
