import type { WorkloadId } from './workloads/ids.js'

/**
 * What Firn sets out to reach, as its value divided by that of the best native peer of the same
 * run. For rates at least this; for milliseconds and bytes at most this.
 */
export const TARGETS: Partial<Record<WorkloadId, number>> = {
  'fill-sequential': 0.8,
  'fill-random': 0.8,
  'disk-bytes': 1.3,
  'put-64': 0.8,
  'durable-1': 0.9,
  'durable-64': 1,
  open: 2,
  get: 1.2,
  'get-sync': 1.2,
  'scan-forward': 2.5,
  'seek-50': 1.2,
}
