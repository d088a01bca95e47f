/** The parameters of a Ceph cluster on loopback. */
export interface CephCluster {
  folder: string
  clusterId: string
  /** The monitor's address, as 'v2:127.0.0.1:3300'. */
  monitor: string
  gatewayPort: number
}

/**
 * Makes the configuration of a cluster with one monitor and one OSD, which keeps its objects in
 * memory, behind a RADOS gateway. The cluster is thrown away after use, so it keeps no copies, and
 * its parts don't authenticate each other.
 */
export function cephConfig({ folder, clusterId, monitor, gatewayPort }: CephCluster): string {
  const settings = {
    fsid: clusterId,
    'mon host': monitor,
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    // By default the gateway asks for encryption, which needs keys.
    'ms mon client mode': 'crc',

    // Nothing outside the folder.
    'run dir': folder,
    'crash dir': folder,
    'admin socket': '',
    'log file': `${folder}/$name.log`,
    'mon data': `${folder}/mon`,
    'osd data': `${folder}/osd`,
    'rgw data': `${folder}/rgw`,

    'osd objectstore': 'memstore',
    'memstore device bytes': 16 * 2 ** 30,
    'osd pool default size': 1,
    'osd pool default min size': 1,
    'osd pool default pg num': 1,
    'osd pool default pgp num': 1,
    'osd pool default pg autoscale mode': 'off',
    'osd crush chooseleaf type': 0,
    'mon allow pool size one': true,
    // A developer's disk is often nearly full, and the monitor's few files don't matter there.
    'mon data avail warn': 0,
    'mon data avail crit': 0,
    // By default the monitor waits a second before each change, and a start makes a dozen.
    'paxos propose interval': 0.02,
    'paxos min wait': 0.01,

    'rgw frontends': `beast endpoint=127.0.0.1:${gatewayPort} tcp_nodelay=1`,
    'rgw enable lc threads': false,
    'rgw enable quota threads': false,
    // Frees the memory of deleted objects within minutes instead of hours.
    'rgw gc obj min wait': 60,
    'rgw gc processor period': 60,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  return `[global]\n${lines.join('\n')}\n`
}
