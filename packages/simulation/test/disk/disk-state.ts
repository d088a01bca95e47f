import { crc32 } from 'node:zlib'
import { type Disk, SimDirectory } from '../../src/disk/disk.js'

/** Names of files that hold nothing: claims on a lock, and what never became an object. */
const CLAIMS = /^,(lock|tmp)$/

/** Tells disks apart by what they hold; of claims and leftovers, only how many there are. */
export function stateOf(disk: Disk): string {
  let hash = 0
  const add = (directory: SimDirectory, path: string): void => {
    const entries = [...directory.entries].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [name, node] of entries) {
      hash = crc32(`${path}/${name}`, hash)
      if (!(node instanceof SimDirectory)) hash = crc32(node.read(0, node.length), hash)
      else if (CLAIMS.test(name)) hash = crc32(String(Math.min(2, node.entries.size)), hash)
      else add(node, `${path}/${name}`)
    }
  }
  add(disk.directory('/', 'open'), '')
  return String(hash)
}
