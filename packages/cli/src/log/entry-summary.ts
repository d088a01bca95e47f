import type { LogEntry } from '@firn/commit-log'
import { decodeEdits, type Edit, type FileMeta, readRecords } from '@firn/manifest'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import { countOf, formatBytes } from '../text/quantities.js'

/** The effects of one entry of the commit log, in numbers. */
export interface EntrySummary {
  version: number
  /** Microseconds since the epoch. */
  timestamp: number
  token: string
  /** Bytes of the payload; absent if the log has truncated it away. */
  bytes?: number
  /** Absent if the log has truncated the payload away. */
  edits?: EditSummary[]
  /**
   * Says that nothing is lost though the log has truncated the payload away: its records are in
   * files, like those of all entries up to `flushedThrough`, and a checkpoint holds the rest.
   * Absent if the log still has the payload.
   */
  inFiles?: { flushedThrough: number }
}

/** An edit by its type, with a description. */
export interface EditSummary {
  type: Edit['type']
  /** In words. */
  text: string
  /** For records: how many of each kind, by table. */
  tables?: { table: string; puts: number; deletes: number; merges: number }[]
}

/** Summarizes entries one after another, and learns the names of tables from them. */
export class EntrySummarizer {
  readonly #names: Map<number, string>
  readonly #flushedThrough: number

  /**
   * `names` are the names of tables that existed before the first entry. `flushedThrough` comes
   * from the newest checkpoint: records of entries up to there are in files.
   */
  constructor(names: ReadonlyMap<number, string>, flushedThrough = 0) {
    this.#names = new Map(names)
    this.#flushedThrough = flushedThrough
  }

  summarize(entry: LogEntry): EntrySummary {
    const { version, timestamp, token, payload } = entry
    if (payload === undefined) {
      const flushedThrough = this.#flushedThrough
      // If no checkpoint covers it, nothing holds it any more: `firn verify` reports that.
      if (version > flushedThrough) return { version, timestamp, token }
      return { version, timestamp, token, inFiles: { flushedThrough } }
    }
    const edits = decodeEdits(payload, `commit log entry ${version}`)
    return {
      version,
      timestamp,
      token,
      bytes: payload.length,
      edits: edits.map((edit) => this.#edit(edit)),
    }
  }

  #edit(edit: Edit): EditSummary {
    if (edit.type === 'records') return this.#records(edit.bytes)
    if (edit.type === 'create-table') this.#names.set(edit.id, edit.name)
    return { type: edit.type, text: this.#textOf(edit) }
  }

  #records(bytes: Uint8Array): EditSummary {
    const byTable = new Map<number, { puts: number; deletes: number; merges: number }>()
    readRecords(bytes, (id, kind) => {
      const counts = byTable.get(id) ?? { puts: 0, deletes: 0, merges: 0 }
      byTable.set(id, counts)
      if (kind === KIND_PUT) counts.puts++
      else if (kind === KIND_DELETE) counts.deletes++
      else counts.merges++
    })
    const tables = [...byTable].map(([id, counts]) => ({ table: this.#name(id), ...counts }))
    const text = tables.map(({ table, puts, deletes, merges }) => {
      const parts = [
        ...(puts > 0 ? [countOf(puts, 'put')] : []),
        ...(deletes > 0 ? [countOf(deletes, 'delete')] : []),
        ...(merges > 0 ? [countOf(merges, 'merge')] : []),
      ]
      return `${parts.join(' and ')} in ${table}`
    })
    return { type: 'records', text: text.join(', '), tables }
  }

  #textOf(edit: Exclude<Edit, { type: 'records' }>): string {
    switch (edit.type) {
      case 'create-database':
        return 'creates the database'
      case 'create-table':
        return `creates table ${edit.name}`
      case 'alter-table':
        return `alters table ${this.#name(edit.id)}`
      case 'drop-table':
        return `drops table ${this.#name(edit.id)}`
      case 'add-files':
        return `adds ${filesText(edit.files)}`
      case 'flush':
        return `flushes versions ${edit.from + 1} to ${edit.through} to ${filesText(edit.files)}`
      case 'compact': {
        const files = edit.added.map(({ file }) => file)
        return `compacts ${countOf(edit.removed.length, 'file')} to ${filesText(files)}`
      }
      case 'gc-floor':
        return `sets the garbage floor to version ${edit.version}`
      case 'pin':
        return `pins version ${edit.pin.version} as ${edit.pin.name}`
      case 'unpin':
        return `releases the pin ${edit.name}`
      case 'checkpoint':
        return `announces the checkpoint of version ${edit.version}`
    }
  }

  #name(id: number): string {
    return this.#names.get(id) ?? `table ${id} (dropped)`
  }
}

function filesText(files: readonly FileMeta[]): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const records = files.reduce((sum, file) => sum + file.records, 0)
  return `${countOf(files.length, 'file')} (${countOf(records, 'record')}, ${formatBytes(bytes)})`
}
