import type { Adapter } from './adapter.js'
import { ClassicLevelAdapter } from './classic-level.js'
import { FirnAdapter } from './firn.js'
import { LmdbAdapter } from './lmdb.js'
import { MemoryLevelAdapter } from './memory-level.js'
import { RocksDbAdapter } from './rocksdb.js'
import { SlateDbAdapter } from './slatedb.js'

const MAKERS: Record<string, () => Adapter> = {
  firn: () => new FirnAdapter(),
  'classic-level': () => new ClassicLevelAdapter(),
  lmdb: () => new LmdbAdapter(),
  rocksdb: () => new RocksDbAdapter(),
  slatedb: () => new SlateDbAdapter(),
  'memory-level': () => new MemoryLevelAdapter(),
}

/** The names that `--peers` takes, Firn first. */
export const PEERS: readonly string[] = Object.keys(MAKERS)

export function makeAdapter(name: string): Adapter {
  const make = MAKERS[name]
  if (make === undefined)
    throw new Error(`No peer is called ${name}; there are ${PEERS.join(', ')}`)
  return make()
}
