import fs from 'node:fs'
import path from 'node:path'
import { freePort } from '../free-port.js'
import { cephConfig } from './ceph-config.js'
import { type S3Credentials, type S3Server, startServer } from './s3-server.js'

/** The programs that the script runs. */
export const CEPH_COMMANDS: readonly string[] = [
  'ceph',
  'ceph-mon',
  'ceph-osd',
  'radosgw',
  'radosgw-admin',
]

// $1: the folder, with ceph.conf in it. $2: the monitor's address. $3: the OSD's id. $4 and $5: the
// user's keys. From outside, the whole cluster is one program: however it ends, its parts end with
// it. Every step runs in the background and is waited for, because a shell notices a signal only
// while it waits.
const CLUSTER = `
conf="-c $1/ceph.conf"
folder=$1
services=
end() {
  trap '' TERM INT HUP
  kill -KILL $services
  wait
  rm -rf "$folder"
  exit "$1"
} 2>/dev/null
trap 'end 0' TERM INT HUP
start() { "$@" & services="$services $!"; }
step() { start "$@"; wait $! || end 1; }

mkdir "$1/mon" "$1/osd" "$1/rgw" || end 1
step ceph-mon $conf -i a --mkfs --public-addr "$2"
start ceph-mon $conf -i a -f --public-addr "$2"
step ceph $conf --connect-timeout 20 osd new "$3"
step ceph-osd $conf -i 0 --mkfs --osd-uuid "$3"
start ceph-osd $conf -i 0 -f
step radosgw-admin $conf user create --uid firn --display-name Firn \
  --access-key "$4" --secret-key "$5"
start radosgw $conf -n client.rgw -f
wait $!
end 1
`

/** Starts a cluster and its gateway on free ports, with a user of these credentials. */
export async function startCeph(
  { accessKeyId, secretAccessKey }: S3Credentials,
  newId: () => string,
): Promise<S3Server> {
  const [monitorPort, gatewayPort] = [await freePort(), await freePort()]
  const monitor = `v2:127.0.0.1:${monitorPort}`
  const endpoint = `http://127.0.0.1:${gatewayPort}`
  return startServer({
    name: 'Ceph',
    endpoint,
    script: CLUSTER,
    parameters: [monitor, newId(), accessKeyId, secretAccessKey],
    prepare: (folder) => {
      const config = cephConfig({ folder, clusterId: newId(), monitor, gatewayPort })
      fs.writeFileSync(path.join(folder, 'ceph.conf'), config)
    },
    isReady: () => answers(endpoint),
  })
}

async function answers(endpoint: string): Promise<boolean> {
  const response = await fetch(endpoint)
  await response.arrayBuffer()
  return response.ok
}
