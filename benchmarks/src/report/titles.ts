import type { WorkloadId } from '../workloads/ids.js'

/** What the rows of the table are called. */
export const TITLES: Record<WorkloadId, string> = {
  'fill-sequential': 'fill, key order, batches of 1000',
  'fill-random': 'fill, random order, batches of 1000',
  'disk-bytes': 'on disk after the random fill',
  'put-64': 'single writes, 64 in flight, not synced',
  'durable-1': 'durable writes, one at a time',
  'durable-64': 'durable writes, 64 in flight',
  open: 'open and read one key',
  get: '`get`, cached',
  'get-64': '`get`, cached, 64 in flight',
  'get-sync': '`getSync`, cached',
  'get-missing': '`get` of a missing key',
  has: '`has`, half of them missing',
  'get-many': '`getMany` of 100, keys',
  'get-uncached': '`get`, 8 MiB cache, fresh process',
  'scan-forward': 'scan, rows',
  'scan-reverse': 'scan in reverse, rows',
  'scan-for-await': 'scan by `for await`, rows',
  'seek-50': 'seek and read 50 rows',
  'ycsb-a': 'YCSB A: half reads, half updates',
  'ycsb-b': 'YCSB B: 95 % reads, 5 % updates',
  'ycsb-c': 'YCSB C: reads',
  'ycsb-d': 'YCSB D: reads of the latest, 5 % inserts',
  'ycsb-e': 'YCSB E: short scans, 5 % inserts',
  'ycsb-f': 'YCSB F: half reads, half read-modify-writes',
}
