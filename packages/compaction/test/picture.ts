import type { DatabaseState, FileMeta, TableState } from '@firn/manifest'
import { emptyState } from '@firn/manifest'
import { type HistoryRetention, prefixedKey } from '@firn/mvcc'
import type { CompactionPlan } from '../src/index.js'

const utf8 = new TextEncoder()

/** `2:abc` is the key `abc` of table 2. */
export function key(text: string): Uint8Array {
  const [table = '', ...rest] = text.split(':')
  return prefixedKey(Number(table), utf8.encode(rest.join(':')))
}

export interface PictureOptions {
  history?: HistoryRetention
  version?: number
  flushedThrough?: number
}

/**
 * A state from lines like
 *
 *     tables 1 2
 *     L0   c 1:a-2:m 40 @30-39   b 1:a-1:c 10 @20-29
 *     1.L1 x 1:a-1:f 100 @1-9 deletes=5/10
 *
 * with, for each file, its name, key range, bytes and timestamps (newest first in L0).
 */
export function stateOf(picture: string, options: PictureOptions = {}): DatabaseState {
  const tables = new Map<number, TableState>()
  const level0: FileMeta[] = []
  const { history = 'none', version = 100, flushedThrough = version } = options
  for (const line of picture.split('\n').map((text) => text.trim())) {
    const [head = '', ...words] = line.split(/\s+/)
    if (head === 'tables') {
      for (const word of words) tables.set(Number(word), tableOf(Number(word), history))
    } else if (head === 'L0') {
      level0.push(...filesOf(words, 0))
    } else if (head !== '') {
      const [id, level] = head.split('.L').map(Number) as [number, number]
      const table = tables.get(id) as TableState
      const levels = [...table.levels]
      while (levels.length < level) levels.push([])
      levels[level - 1] = filesOf(words, level)
      tables.set(id, { ...table, levels })
    }
  }
  const nextTableId = Math.max(0, ...tables.keys()) + 1
  const timestamp = version
  return { ...emptyState(), version, timestamp, tables, level0, flushedThrough, nextTableId }
}

export function tableOf(id: number, history: HistoryRetention): TableState {
  const options = {
    keys: 'bytes',
    values: 'bytes',
    history,
    compaction: 'leveled',
    compression: 'none' as const,
    statistics: [],
  }
  return { id, name: `table${id}`, options, createdAt: 1, historyFloor: 0, levels: [] }
}

function filesOf(words: readonly string[], level: number): FileMeta[] {
  const files: FileMeta[] = []
  for (let i = 0; i < words.length; i += 4) {
    const [id = '', range = '', bytes = '', times = ''] = words.slice(i, i + 4)
    const [smallest = '', largest = smallest] = range.split('-')
    const [min = 0, max = min] = times.slice(1).split('-').map(Number)
    let deletes = 0
    let records = 10
    const counts = words[i + 4]
    if (counts?.startsWith('deletes=') === true) {
      ;[deletes = 0, records = 10] = counts.slice(8).split('/').map(Number)
      i++
    }
    files.push({
      id,
      bytes: Number(bytes),
      level,
      smallest: key(smallest),
      largest: key(largest),
      minTimestamp: min,
      maxTimestamp: max,
      commitFile: false,
      records,
      deletes,
      rawKeyBytes: 0,
      rawValueBytes: 0,
      tailBytes: 0,
      statistics: {},
    })
  }
  return files
}

/** A plan in a line: what goes where, in which runs. */
export function planPicture(plan: CompactionPlan | undefined): string {
  if (plan === undefined) return 'nothing'
  const names = (files: readonly FileMeta[]) => files.map(({ id }) => id).join(' ')
  if (plan.type === 'drop') return `drop ${names(plan.files)}`
  if (plan.type === 'move') {
    return `move ${plan.files.map(({ table, file, toLevel }) => `${file.id} → ${table}.L${toLevel}`).join(', ')}`
  }
  const tables = plan.tables.map(({ id }) => id).join(',')
  return `merge ${plan.runs.map((run) => `[${names(run)}]`).join(' ')} → L${plan.outputLevel} tables ${tables}`
}
