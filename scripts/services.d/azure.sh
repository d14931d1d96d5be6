# An Azure storage account: Azurite, Microsoft's own emulator, from npm, with a container `c360-test`, the account's key,
# and a signature that may only read. Objects are in memory: a restart begins with an empty container. Sourced by
# scripts/services.
#
# Google's storage has no such server: fake-gcs-server knows no writes by the XML API, which our client uses.

azure_dir=$base/azure
azure_container=c360-test
azure_azurite=3.37.0
azure_sdk=12.34.0

azure_install() {
    local why=""
    [[ ! -e $azure_dir/azurite-$azure_azurite ]] || return 0
    [[ -z ${C360_NO_INSTALL:-} ]] || why="C360_NO_INSTALL is set"
    if ! command -v npm >/dev/null; then
        command -v apt-get >/dev/null || why="there is no apt-get"
        [[ $(id -u) = 0 ]] || why="only root may install"
        [[ -z $why ]] || die "azure: npm is missing, and not installing it: $why. Install nodejs and npm."
        say "azure: installing nodejs and npm (apt)"
        export DEBIAN_FRONTEND=noninteractive
        if ! { apt-get update && apt-get install -y --no-install-recommends nodejs npm; } >"$azure_dir/install.log" 2>&1; then
            tail -5 "$azure_dir/install.log" >&2
            die "azure: nodejs could not be installed; the whole log is $azure_dir/install.log"
        fi
    fi
    [[ -z $why ]] || die "azure: Azurite is missing, and not installing it: $why."
    say "azure: fetching Azurite from npm, about 200 MB"
    if ! npm install --no-audit --no-fund --prefix "$azure_dir" "azurite@$azure_azurite" "@azure/storage-blob@$azure_sdk" \
        >"$azure_dir/install.log" 2>&1; then
        tail -5 "$azure_dir/install.log" >&2
        die "azure: Azurite could not be installed; the whole log is $azure_dir/install.log"
    fi
    touch "$azure_dir/azurite-$azure_azurite"
}

# The process, if it is there and ours.
azure_pid() {
    local pid
    pid=$(cat "$azure_dir/pid" 2>/dev/null) || return 1
    [[ -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$azure_dir/node_modules/" || return 1
    echo "$pid"
}

# The container is there; with it a signature for reading is made.
azure_answers() {
    NODE_PATH=$azure_dir/node_modules timeout 20 node "$root/scripts/services.d/azure/container.js" \
        "$(cat "$azure_dir/port")" "$(cat "$azure_dir/key")" "$azure_container" >"$azure_dir/reader"
}

azure_launch() {
    launch "$azure_dir" env -u http_proxy -u https_proxy AZURITE_ACCOUNTS="c360:$(cat "$azure_dir/key")" \
        node "$azure_dir/node_modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 \
        --blobPort "$(cat "$azure_dir/port")" --inMemoryPersistence --silent --skipApiVersionCheck --disableTelemetry
}

azure_start() {
    mkdir -p "$azure_dir"
    chmod 700 "$azure_dir"
    if azure_pid >/dev/null; then
        wait_for 60 azure_answers || die "azure: runs but does not answer; see $azure_dir/server.log"
        return
    fi
    azure_install
    [[ -e $azure_dir/key ]] || head -c 48 /dev/urandom | base64 -w0 >"$azure_dir/key"
    [[ -e $azure_dir/port ]] || free_port >"$azure_dir/port"
    azure_launch
    if ! wait_for 30 azure_answers; then
        # Somebody may have taken the port meanwhile; a new one costs nothing.
        azure_stop
        free_port >"$azure_dir/port"
        azure_launch
        wait_for 30 azure_answers || { tail -5 "$azure_dir/server.log" >&2; die "azure: does not answer; see $azure_dir/server.log"; }
    fi
    say "azure: listens on 127.0.0.1:$(cat "$azure_dir/port")"
}

azure_stop() { stop_process azure TERM 10 KILL; }

azure_env() {
    azure_pid >/dev/null || return 0
    printf 'export C360_TEST_AZURE_ENDPOINT=http://127.0.0.1:%s/c360\n' "$(cat "$azure_dir/port")"
    printf 'export C360_TEST_AZURE_CONTAINER=%s\nexport C360_TEST_AZURE_ACCOUNT=c360\n' "$azure_container"
    printf "export C360_TEST_AZURE_KEY='%s'\n" "$(cat "$azure_dir/key")"
    printf "export C360_TEST_AZURE_READER='%s'\n" "$(cat "$azure_dir/reader")"
}

azure_status() { process_status azure; }
