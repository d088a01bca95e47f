import { decodeEdits, RecordsWriter, readRecords } from '@firn/manifest'
import type { TableIdentity } from '../view/table-identity.js'

/** Joins the edits of several payloads: each begins with the format's byte, which is kept once. */
export function joinPayloads(
  payloads: readonly Uint8Array[],
  take: (bytes: number) => Uint8Array,
): Uint8Array {
  const parts = payloads.filter((payload) => payload.length > 0)
  const [first] = parts
  if (first === undefined) return new Uint8Array(0)
  const length = parts.reduce((sum, part) => sum + part.length - 1, 1)
  const joined = take(length)
  joined[0] = first[0] as number
  let at = 1
  for (const part of parts) {
    joined.set(part.subarray(1), at)
    at += part.length - 1
  }
  return joined.subarray(0, length)
}

/** Returns a payload's records as another payload, with the ids in `ids` replaced. */
export function renumberRecords(payload: Uint8Array, ids: ReadonlyMap<number, number>): Uint8Array {
  const records = new RecordsWriter([], payload.length)
  for (const edit of decodeEdits(payload)) {
    if (edit.type !== 'records') continue
    readRecords(edit.bytes, (id, kind, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      records.put(ids.get(id) ?? id, kind, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd)
    })
  }
  return records.take()
}

/** An encoded batch. `ids[i]` stands for `tables[i]` in its records. */
export interface EncodedBatch {
  tables: readonly TableIdentity[]
  ids: readonly number[]
  payload: Uint8Array
}

/**
 * Returns a batch's payload with these ids of its tables, which may have been created or dropped
 * since it was encoded.
 */
export function batchPayload(
  { ids, payload }: EncodedBatch,
  actual: readonly number[],
): Uint8Array {
  if (actual.every((id, i) => id === ids[i])) return payload
  return renumberRecords(payload, new Map(ids.map((id, i) => [id, actual[i] as number])))
}
