/** What a write does to one key. */
export interface Put {
  table: string
  key: string
  /** `undefined`: it is deleted. */
  value: string | undefined
}

/** A write as whoever made it saw it. */
export interface LedgerWrite {
  readonly puts: readonly Put[]
  /** Of one that was acknowledged. */
  version: number | undefined
  /** One that `failed` may be there all the same; `refused` ones aren't. */
  outcome: 'begun' | 'acknowledged' | 'failed' | 'refused'
}

/** How far the writes of a ledger had come at some moment. */
export interface LedgerMark {
  /** Writes that had been begun. */
  begun: number
  /** The first so many of them can't be lost any more. */
  durable: number
}

/** Rows of all tables, by `table/key`. */
export type Rows = ReadonlyMap<string, string>

/**
 * The writes of a script, in the order in which they were begun, which is their order in the log.
 */
export class Ledger {
  readonly writes: LedgerWrite[]
  #durable: number

  constructor(writes: readonly LedgerWrite[] = [], durable = 0) {
    this.writes = writes.map((write) => ({ ...write }))
    this.#durable = durable
  }

  get mark(): LedgerMark {
    return { begun: this.writes.length, durable: this.#durable }
  }

  copy(): Ledger {
    return new Ledger(this.writes, this.#durable)
  }

  begin(puts: readonly Put[]): LedgerWrite {
    const write: LedgerWrite = { puts, version: undefined, outcome: 'begun' }
    this.writes.push(write)
    return write
  }

  acknowledge(write: LedgerWrite, version: number, durable: boolean): void {
    write.version = version
    write.outcome = 'acknowledged'
    const place = this.writes.indexOf(write)
    // What isn't in the log by now never will be.
    for (const before of this.writes.slice(0, place)) {
      if (before.outcome === 'failed') before.outcome = 'refused'
    }
    if (durable) this.settle(place + 1)
  }

  /** The first writes are durable, by default all there are. */
  settle(count: number = this.writes.length): void {
    this.#durable = Math.max(this.#durable, count)
  }

  /** What was acknowledged, as the process that wrote it sees it. */
  present(): Rows {
    const rows = new Map<string, string>()
    for (const write of this.writes) if (write.outcome === 'acknowledged') apply(rows, write)
    return rows
  }

  /** The rows as of a version. */
  rowsAt(version: number): Rows {
    const rows = new Map<string, string>()
    for (const write of this.writes) {
      if (write.version !== undefined && write.version <= version) apply(rows, write)
    }
    return rows
  }

  /**
   * The writes that left these rows: all the durable ones, and of those that had been begun then
   * the first few, each whole, failed ones as may be. `undefined` where no such writes leave these
   * rows.
   */
  explain(rows: Rows, { begun, durable }: LedgerMark): LedgerWrite[] | undefined {
    const known = this.writes.slice(0, begun).filter(({ outcome }) => outcome !== 'refused')
    const sure = this.writes.slice(0, durable).filter(({ outcome }) => outcome !== 'refused').length
    const firstFailed = known.findIndex(({ outcome }) => outcome === 'failed')
    const start = firstFailed < 0 ? sure : Math.min(sure, firstFailed)
    const state = new Map<string, string>()
    for (const write of known.slice(0, start)) apply(state, write)
    const isFound = (at: number, reached: Rows): boolean => at >= sure && equal(reached, rows)
    return search(known, start, known.slice(0, start), state, isFound)
  }
}

function search(
  writes: readonly LedgerWrite[],
  at: number,
  kept: LedgerWrite[],
  state: Rows,
  isFound: (at: number, state: Rows) => boolean,
): LedgerWrite[] | undefined {
  if (isFound(at, state)) return kept
  const write = writes[at]
  if (write === undefined) return undefined
  const next = new Map(state)
  apply(next, write)
  const found = search(writes, at + 1, [...kept, write], next, isFound)
  if (found !== undefined || write.outcome !== 'failed') return found
  return search(writes, at + 1, kept, state, isFound)
}

function apply(rows: Map<string, string>, { puts }: LedgerWrite): void {
  for (const { table, key, value } of puts) {
    if (value === undefined) rows.delete(`${table}/${key}`)
    else rows.set(`${table}/${key}`, value)
  }
}

function equal(a: Rows, b: Rows): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (b.get(key) !== value) return false
  return true
}
