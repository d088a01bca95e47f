/** Every workload, in the order of the report. */
export const WORKLOAD_IDS = [
  'fill-sequential',
  'fill-random',
  'disk-bytes',
  'put-64',
  'durable-1',
  'durable-64',
  'open',
  'get',
  'get-64',
  'get-sync',
  'get-missing',
  'has',
  'get-many',
  'get-uncached',
  'scan-forward',
  'scan-reverse',
  'scan-for-await',
  'seek-50',
  'ycsb-a',
  'ycsb-b',
  'ycsb-c',
  'ycsb-d',
  'ycsb-e',
  'ycsb-f',
] as const

export type WorkloadId = (typeof WORKLOAD_IDS)[number]

export function isWorkloadId(text: string): text is WorkloadId {
  return (WORKLOAD_IDS as readonly string[]).includes(text)
}
