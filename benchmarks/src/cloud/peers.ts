import type { RequestStats } from '../../../packages/engine/dist/index.js'
import type { Adapter, Found } from '../adapters/adapter.js'
import { FirnAdapter } from '../adapters/firn.js'
import { SlateDbAdapter } from '../adapters/slatedb.js'
import { TABLE } from './services.js'
import type { StepName } from './task.js'

/** An adapter over S3: `open` takes `s3://bucket/prefix` for a directory. */
export interface CloudAdapter extends Adapter {
  /** Brings what was written into the files that it is to stay in, where there is a call for it. */
  settle(): Promise<void>
  /** What the peer itself counts, where it does. */
  requests?(): Promise<RequestStats>
  get(key: Buffer): Promise<Found>
}

export interface CloudPeer {
  readonly settings: string
  /** Durable writes one at a time that are measured: fewer for one that takes 100 ms for each. */
  readonly aloneWrites: number
  readonly steps: readonly StepName[]
  make(): CloudAdapter
}

const ALL: readonly StepName[] = ['writes', 'load', 'open', 'cold-reads', 'scan', 'idle']

class FirnCloudAdapter extends FirnAdapter implements CloudAdapter {
  readonly #log: string

  constructor(log: string) {
    super()
    this.#log = log
  }

  protected override location(prefix: string): string {
    return `${prefix}?log=${this.#log}`
  }

  /** It flushes and compacts by itself. */
  async settle(): Promise<void> {}
}

class SlateDbCloudAdapter extends SlateDbAdapter implements CloudAdapter {
  readonly #settings: Record<string, string>

  constructor(settings: Record<string, string> = {}) {
    super()
    this.#settings = settings
  }

  /** Its object store has endpoint and credentials from the variables AWS_…. */
  protected override storeUrl(prefix: string): string {
    return prefix
  }

  protected override changedSettings(): Record<string, string> {
    return this.#settings
  }

  /** Its `put` is durable when it resolves. */
  override putDurable(key: Buffer, value: Buffer): Promise<unknown> {
    return this.db.put(key, value)
  }

  /** Without, what is in the memtable would be read from the write-ahead log at every opening. */
  settle(): Promise<void> {
    return this.db.flush_with_options({ flush_type: 'MemTable' })
  }
}

const PEERS: Record<string, CloudPeer> = {
  firn: {
    settings: `\`?log=dynamodb:…\`, defaults`,
    aloneWrites: 5000,
    steps: ALL,
    make: () => new FirnCloudAdapter(`dynamodb:${TABLE}`),
  },
  'firn-objects': {
    settings: '`?log=objects`, S3 alone, defaults',
    aloneWrites: 600,
    steps: ALL,
    make: () => new FirnCloudAdapter('objects'),
  },
  slatedb: {
    settings: 'default settings (`flush_interval` 100 ms)',
    aloneWrites: 200,
    steps: ALL,
    make: () => new SlateDbCloudAdapter(),
  },
  'slatedb-1ms': {
    settings: '`flush_interval` 1 ms, so that a write waits no longer than it must; else defaults',
    aloneWrites: 600,
    steps: ['writes', 'load'],
    make: () => new SlateDbCloudAdapter({ flush_interval: '1ms' }),
  },
}

export const CLOUD_PEERS: readonly string[] = Object.keys(PEERS)

export function cloudPeer(name: string): CloudPeer {
  const peer = PEERS[name]
  if (peer !== undefined) return peer
  throw new Error(`No peer is called ${name}; there are ${CLOUD_PEERS.join(', ')}`)
}
