import type { ByteReader, ByteWriter } from '@firn/bytes'
import { FormatVersionError, InvalidArgumentError } from '@firn/env'
import type { HistoryRetention } from '@firn/mvcc'
import type { TableOptionsState } from '../state.js'
import { MAX_OPTIONS_BYTES } from './limits.js'

// Options are JSON with a fixed order of fields, so that equal options have equal bytes. A field
// that this release doesn't know may change what the table means, so it is refused, never dropped.

type Json = Readonly<Record<string, unknown>>

const FIELDS: ReadonlySet<string> = new Set([
  'keys',
  'values',
  'history',
  'ttlMs',
  'mergeOperator',
  'compaction',
  'compression',
  'statistics',
])

export function writeTableOptions(out: ByteWriter, options: TableOptionsState): void {
  const problem = problemOf(options as unknown as Json)
  if (problem !== undefined) throw new InvalidArgumentError(`table options: ${problem}`)
  const text = JSON.stringify({
    keys: options.keys,
    values: options.values,
    history: options.history,
    ttlMs: options.ttlMs,
    mergeOperator: options.mergeOperator,
    compaction: options.compaction,
    compression: options.compression,
    statistics: options.statistics,
  })
  if (isTooLong(text)) {
    throw new InvalidArgumentError(
      `table options take ${text.length} characters of JSON, more than ${MAX_OPTIONS_BYTES / 3}`,
    )
  }
  out.text(text)
}

export function readTableOptions(reader: ByteReader): TableOptionsState {
  const at = reader.offset
  const text = reader.text(MAX_OPTIONS_BYTES)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw reader.corrupt('table options that are not JSON', at)
  }
  if (!isRecord(parsed)) throw reader.corrupt('table options that are not an object', at)
  if (isTooLong(text)) throw reader.corrupt('table options that are too long', at)
  for (const field of Object.keys(parsed)) {
    if (!FIELDS.has(field)) {
      throw new FormatVersionError(
        `${reader.what}: table option ${JSON.stringify(field)} is unknown to this release; open the database with a newer release`,
      )
    }
  }
  const problem = problemOf(parsed)
  if (problem !== undefined) throw reader.corrupt(`table options: ${problem}`, at)
  return parsed as unknown as TableOptionsState
}

/** One bound for reading and writing, because options that are read go into the next checkpoint. */
function isTooLong(text: string): boolean {
  return text.length * 3 > MAX_OPTIONS_BYTES
}

/** Returns what is wrong with the shape of these options, or `undefined`. */
function problemOf(options: Json): string | undefined {
  for (const field of ['keys', 'values', 'compaction'] as const) {
    if (typeof options[field] !== 'string') return `${field} must be text`
  }
  if (!isRetention(options['history'])) return 'history must be a retention'
  if (options['ttlMs'] !== undefined && !isCount(options['ttlMs'])) {
    return 'ttlMs must be a positive integer'
  }
  if (options['mergeOperator'] !== undefined && typeof options['mergeOperator'] !== 'string') {
    return 'mergeOperator must be text'
  }
  if (!['none', 'lz4', 'deflate'].includes(options['compression'] as string)) {
    return 'compression must be none, lz4 or deflate'
  }
  const statistics = options['statistics']
  if (!Array.isArray(statistics) || !statistics.every((name) => typeof name === 'string')) {
    return 'statistics must be a list of names'
  }
  return undefined
}

function isRetention(value: unknown): value is HistoryRetention {
  if (value === 'none' || value === 'all') return true
  if (!isRecord(value)) return false
  const fields = Object.keys(value)
  if (fields.length !== 1) return false
  const amount = value[fields[0] as string]
  return fields[0] === 'durationMs' || fields[0] === 'versions' ? isCount(amount) : false
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
