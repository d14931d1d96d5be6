# Hadoop's HDFS: one name node and two data nodes, each a process of its own (so that one can be killed or frozen as a
# machine would be), of the jars of Hadoop's mini cluster from Maven Central. Replication 2, ports chosen freely, data
# under the services folder; the first start formats. Sourced by scripts/services.
#
#   scripts/services hdfs kill N        kill -9 data node N (1 or 2), or the name node (N = name)
#   scripts/services hdfs freeze N      stop it without closing its connections, as a partition would; `thaw` ends that
#   scripts/services hdfs revive N      start what was killed, and wait until it listens
#   scripts/services hdfs live          wait until the name node sees both data nodes, and every block is on both
#   scripts/services hdfs dfs ARGS..    Hadoop's file system shell: -put, -ls, -chmod, ...
#   scripts/services hdfs admin ARGS..  Hadoop's dfsadmin: -safemode enter, -setSpaceQuota 1m /there, ...
#
# Clients find it by C360_TEST_HDFS_URL, or as hdfs://c360ns by the configuration in HADOOP_CONF_DIR, a name service of
# which the first name node does not answer.

hdfs_dir=$base/hdfs
hdfs_nodes=(name data1 data2)

hdfs_java() {
    local java=${JAVA_HOME:-}/bin/java
    if [[ -n ${JAVA_HOME:-} && -x $java ]]; then echo "$java"; else command -v java; fi
}

hdfs_port() { sed -n "s/^$1=//p" "$hdfs_dir/ports"; }

hdfs_install() {
    local why="" missing=()
    hdfs_java >/dev/null || missing+=(default-jre-headless)
    [[ -e $hdfs_dir/classpath ]] || command -v mvn >/dev/null || missing+=(maven)
    ((${#missing[@]})) || return 0
    [[ -z ${C360_NO_INSTALL:-} ]] || why="C360_NO_INSTALL is set"
    command -v apt-get >/dev/null || why="there is no apt-get"
    [[ $(id -u) = 0 ]] || why="only root may install"
    [[ -z $why ]] || die "hdfs: ${missing[*]} missing, and not installing: $why. Install Java (11 or later) and Maven."
    say "hdfs: installing ${missing[*]} (apt)"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$hdfs_dir/install.log" 2>&1; then
        tail -5 "$hdfs_dir/install.log" >&2
        die "hdfs: ${missing[*]} could not be installed; the whole log is $hdfs_dir/install.log"
    fi
}

# Downloads the jars into ~/.m2 and writes where they are.
hdfs_jars() {
    local pom=$root/scripts/services.d/hdfs/pom.xml classpath=$hdfs_dir/classpath jar
    if [[ $classpath -nt $pom ]]; then
        local whole=1
        while read -r -d: jar || [[ -n $jar ]]; do [[ -e $jar ]] || whole=0; done <"$classpath"
        ((whole == 0)) || return 0
    fi
    say "hdfs: fetching Hadoop from Maven Central, about 90 MB unless they are in ~/.m2"
    mvn -B -f "$pom" dependency:build-classpath -Dmdep.outputFile="$classpath.new" >"$hdfs_dir/maven.log" 2>&1 ||
        { grep -m5 ERROR "$hdfs_dir/maven.log" >&2 || true; die "hdfs: Maven failed; the whole log is $hdfs_dir/maven.log"; }
    mv "$classpath.new" "$classpath"
}

hdfs_ports() {
    local name port used=" "
    for name in name_rpc name_http data1_data data1_ipc data1_http data2_data data2_ipc data2_http dead; do
        port=$(free_port)
        while [[ $used = *" $port "* ]]; do port=$(free_port); done
        used+="$port "
        echo "$name=$port"
    done >"$hdfs_dir/ports"
}

# A configuration file of the pairs NAME VALUE.
hdfs_xml() {
    echo '<?xml version="1.0"?>'
    echo '<configuration>'
    while (($#)); do
        printf '  <property><name>%s</name><value>%s</value></property>\n' "$1" "$2"
        shift 2
    done
    echo '</configuration>'
}

# The configuration of each process, and in conf/ that of the clients.
hdfs_configure() {
    local node folder
    for node in "${hdfs_nodes[@]}"; do
        folder=$hdfs_dir/$node/conf
        mkdir -p "$folder"
        hdfs_xml fs.defaultFS "hdfs://127.0.0.1:$(hdfs_port name_rpc)" hadoop.tmp.dir "$hdfs_dir/$node/tmp" >"$folder/core-site.xml"
        if [[ $node = name ]]; then
            # A node that is gone counts as dead after 14 seconds, not after Hadoop's ten minutes.
            hdfs_xml dfs.replication 2 \
                dfs.namenode.name.dir "$hdfs_dir/name/data" \
                dfs.namenode.http-address "127.0.0.1:$(hdfs_port name_http)" \
                dfs.namenode.datanode.registration.ip-hostname-check false \
                dfs.namenode.safemode.extension 0 \
                dfs.namenode.heartbeat.recheck-interval 2000 \
                dfs.namenode.redundancy.interval.seconds 1 \
                dfs.namenode.reconstruction.pending.timeout-sec 10 \
                dfs.heartbeat.interval 1
        else
            hdfs_xml dfs.replication 2 \
                dfs.heartbeat.interval 1 \
                dfs.datanode.data.dir "$hdfs_dir/$node/data" \
                dfs.datanode.address "127.0.0.1:$(hdfs_port "${node}_data")" \
                dfs.datanode.ipc.address "127.0.0.1:$(hdfs_port "${node}_ipc")" \
                dfs.datanode.http.address "127.0.0.1:$(hdfs_port "${node}_http")"
        fi >"$folder/hdfs-site.xml"
    done
    mkdir -p "$hdfs_dir/conf"
    hdfs_xml fs.defaultFS hdfs://c360ns >"$hdfs_dir/conf/core-site.xml"
    hdfs_xml dfs.nameservices c360ns \
        dfs.ha.namenodes.c360ns nn1,nn2 \
        dfs.namenode.rpc-address.c360ns.nn1 "127.0.0.1:$(hdfs_port dead)" \
        dfs.namenode.rpc-address.c360ns.nn2 "127.0.0.1:$(hdfs_port name_rpc)" \
        dfs.client.failover.proxy.provider.c360ns \
        org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider >"$hdfs_dir/conf/hdfs-site.xml"
}

# The process of a node, if it is there and ours.
hdfs_pid() {
    local pid
    pid=$(cat "$hdfs_dir/$1/pid" 2>/dev/null) || return 1
    [[ -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "-Dc360.services=$hdfs_dir/$1 " || return 1
    echo "$pid"
}

# A command of Hadoop's, as the user who owns the file system.
hdfs_run() {
    env -u HADOOP_USER_NAME "$(hdfs_java)" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$hdfs_dir/name/conf:$(cat "$hdfs_dir/classpath")" "$@"
}

hdfs_launch() {
    local node=$1 class=org.apache.hadoop.hdfs.server.datanode.DataNode
    [[ $node != name ]] || class=org.apache.hadoop.hdfs.server.namenode.NameNode
    mkdir -p "$hdfs_dir/$node/data"
    # A data node refuses a folder that others may read.
    chmod 700 "$hdfs_dir/$node/data"
    launch "$hdfs_dir/$node" env -u HADOOP_USER_NAME "$(hdfs_java)" -Xmx256m -XX:+UseSerialGC "-Dc360.services=$hdfs_dir/$node" \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=info -Dorg.slf4j.simpleLogger.showDateTime=true \
        -cp "$hdfs_dir/$node/conf:$(cat "$hdfs_dir/classpath")" "$class"
}

# What the name node says of itself, as JSON over HTTP; bash speaks it, so curl needn't be there.
hdfs_state() {
    local http
    exec {http}<>"/dev/tcp/127.0.0.1/$(hdfs_port name_http)" || return 1
    printf 'GET /jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState HTTP/1.0\r\n\r\n' >&"$http"
    timeout 5 cat <&"$http"
    exec {http}>&-
}

hdfs_listens() {
    local port
    port=$(if [[ $1 = name ]]; then hdfs_port name_rpc; else hdfs_port "$1_data"; fi)
    (exec 3<>"/dev/tcp/127.0.0.1/$port")
}

hdfs_is_live() {
    local state
    state=$(hdfs_state) || return 1
    grep -q '"FSState" : "Operational"' <<<"$state" && grep -q '"NumLiveDataNodes" : 2' <<<"$state" &&
        grep -q '"NumDeadDataNodes" : 0' <<<"$state"
}

# With every block on both nodes.
hdfs_is_whole() {
    local state
    hdfs_is_live && state=$(hdfs_state) && grep -q '"UnderReplicatedBlocks" : 0' <<<"$state" &&
        grep -q '"PendingReplicationBlocks" : 0' <<<"$state"
}

hdfs_format() {
    [[ ! -e $hdfs_dir/ready ]] || return 0
    rm -rf "$hdfs_dir"/{name,data1,data2}/data
    hdfs_run org.apache.hadoop.hdfs.server.namenode.NameNode -format -nonInteractive >"$hdfs_dir/format.log" 2>&1 ||
        { tail -5 "$hdfs_dir/format.log" >&2; die "hdfs: could not be formatted; the whole log is $hdfs_dir/format.log"; }
    touch "$hdfs_dir/ready"
}

hdfs_up() {
    local node
    hdfs_configure
    hdfs_format
    for node in "${hdfs_nodes[@]}"; do hdfs_pid "$node" >/dev/null || hdfs_launch "$node"; done
    wait_for 60 hdfs_is_live
}

hdfs_start() {
    mkdir -p "$hdfs_dir"
    chmod 700 "$hdfs_dir"
    if hdfs_pid name >/dev/null && hdfs_pid data1 >/dev/null && hdfs_pid data2 >/dev/null; then
        wait_for 60 hdfs_is_live || die "hdfs: runs but does not answer; see $hdfs_dir/*/server.log"
        return
    fi
    hdfs_stop
    hdfs_install
    hdfs_jars
    [[ -e $hdfs_dir/ports ]] || hdfs_ports
    if ! hdfs_up; then
        # Somebody may have taken a port meanwhile; new ones cost nothing.
        hdfs_stop
        hdfs_ports
        hdfs_up || { tail -n 3 "$hdfs_dir"/{name,data1,data2}/server.log >&2; die "hdfs: does not answer; see $hdfs_dir/*/server.log"; }
    fi
    say "hdfs: listens on 127.0.0.1:$(hdfs_port name_rpc)"
}

hdfs_end() {
    local pid
    pid=$(hdfs_pid "$2") || { rm -f "$hdfs_dir/$2/pid"; return 0; }
    kill -CONT "$pid"
    kill "-$1" "$pid"
    wait_for 30 gone "$pid" || { kill -9 "$pid"; say "hdfs: $2 did not stop within half a minute and was killed"; }
    rm -f "$hdfs_dir/$2/pid"
}

hdfs_stop() {
    local node was=""
    for node in data1 data2 name; do
        ! hdfs_pid "$node" >/dev/null || was=1
        hdfs_end TERM "$node"
    done
    [[ -z $was ]] || say "hdfs: stopped"
}

hdfs_env() {
    hdfs_pid name >/dev/null || return 0
    printf 'export C360_TEST_HDFS_URL=hdfs://127.0.0.1:%s\n' "$(hdfs_port name_rpc)"
    printf 'export C360_TEST_HADOOP_CONF_DIR=%q\n' "$hdfs_dir/conf"
    printf 'export C360_TEST_HDFS_CONTROL=%q\n' "$root/scripts/services"
    printf 'export C360_TEST_HDFS_SERVICES_DIR=%q\n' "$base"
}

hdfs_status() {
    local node state=()
    for node in "${hdfs_nodes[@]}"; do
        if hdfs_pid "$node" >/dev/null; then state+=("$node node runs"); else state+=("$node node stopped"); fi
    done
    [[ ! -e $hdfs_dir/ports ]] || state+=("name node's port $(hdfs_port name_rpc)")
    (IFS=,; echo "hdfs: ${state[*]}" | sed 's/,/, /g')
}

hdfs_command() {
    local verb=${1:-} node=${2:-}
    shift || die "hdfs: say what to do; see scripts/services.d/hdfs.sh"
    case $verb in
        kill | freeze | thaw | revive)
            case $node in
                1 | 2) node=data$node ;;
                name) ;;
                *) die "hdfs: no node is called \`$node\`; there are: 1, 2, name" ;;
            esac
            ;;
    esac
    case $verb in
        kill) hdfs_end KILL "$node" ;;
        freeze) kill -STOP "$(hdfs_pid "$node")" ;;
        thaw) kill -CONT "$(hdfs_pid "$node")" ;;
        revive)
            hdfs_pid "$node" >/dev/null || hdfs_launch "$node"
            wait_for 60 hdfs_listens "$node" || die "hdfs: $node does not listen; see $hdfs_dir/$node/server.log"
            ;;
        live) wait_for 60 hdfs_is_whole || die "hdfs: the name node does not see two data nodes that have all blocks; see $hdfs_dir/*/server.log" ;;
        dfs) hdfs_run org.apache.hadoop.fs.FsShell "$@" ;;
        admin) hdfs_run org.apache.hadoop.hdfs.tools.DFSAdmin "$@" ;;
        *) die "hdfs: cannot $verb; see scripts/services.d/hdfs.sh" ;;
    esac
}
