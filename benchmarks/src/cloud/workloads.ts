export type CloudWorkloadId =
  | 'put-1'
  | 'put-64'
  | 'load'
  | 'settle'
  | 'open'
  | 'reopen'
  | 'cold-get'
  | 'scan'
  | 'warm-get'
  | 'idle'

interface CloudWorkload {
  title: string
  /** What one operation is, where it isn't what the title says. */
  per?: string
  /**
   * Which time says most: that of an operation in the middle, operations a second, or of the whole.
   */
  time?: 'median' | 'rate' | 'total'
}

/** What is measured, in the order of the tables. */
export const CLOUD_WORKLOADS: Readonly<Record<CloudWorkloadId, CloudWorkload>> = {
  'put-1': { title: 'durable writes, one at a time', time: 'median' },
  'put-64': { title: 'durable writes, 64 in flight', time: 'rate' },
  load: {
    title: 'load in batches of 1000, 16 in flight, until durable',
    per: 'record',
    time: 'rate',
  },
  settle: { title: 'what the load leaves to do: flush, compaction, close', per: 'record' },
  open: { title: 'open and read one key, fresh process', time: 'total' },
  reopen: { title: 'the same again in that process', time: 'total' },
  'cold-get': { title: '`get` of a key whose block is not in memory', time: 'median' },
  scan: { title: 'full scan with nothing in memory', per: 'row', time: 'rate' },
  'warm-get': { title: '`get` after the scan', time: 'rate' },
  idle: { title: 'open and idle', per: 'hour' },
}

export const CLOUD_WORKLOAD_IDS: readonly CloudWorkloadId[] = Object.keys(
  CLOUD_WORKLOADS,
) as CloudWorkloadId[]
