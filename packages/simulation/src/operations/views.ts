import type { Row } from '../history.js'
import { pickTimeToCome } from '../moments.js'
import type { Session } from '../session.js'
import type { Operation } from './operation.js'
import { readTaken } from './snapshots.js'
import { fillTable, newChange, pickDurability, writeOne } from './writes.js'

/**
 * Reads the present, or a future time, while the same client writes: a snapshot, a scan and a read
 * of several keys show what was there when they began, and nothing that joins it later.
 */
export const viewAmidWrites: Operation = {
  name: 'view amid writes',
  weight: 3,
  writes: true,
  async run(session) {
    const { decisions } = session
    const table = session.pickTable()
    if (decisions.choose('fills', 2) === 1) await fillTable(session, table)
    const durability = decisions.choose('all buffered', 2) === 1 ? 'buffered' : undefined
    const writer: Writer = { session, table, durability }
    // Buffered writes made at once gather, and a later one may join them.
    const before = Array.from({ length: decisions.choose('before', 4) }, (_, i) => write(writer, i))
    await Promise.all(before)
    switch (decisions.pick('how', ['snapshot', 'scan', 'reads'])) {
      case 'snapshot':
        return viewBySnapshot(writer)
      case 'scan':
        return viewByScan(writer)
      case 'reads':
        return viewByReads(writer)
    }
  },
}

/** A client that writes to one table. */
interface Writer {
  session: Session
  table: string
  /** The durability of all writes. Default: drawn for each. */
  durability: 'buffered' | undefined
}

function write({ session, table, durability }: Writer, dullKey = 0, key?: string): Promise<void> {
  const change = newChange(session, dullKey, table)
  const own = key === undefined ? change : { ...change, key }
  const drawn = durability ?? pickDurability(session)
  return writeOne(session, 'write amid a view', own, { durability: drawn })
}

function pickView(session: Session): { at?: ReturnType<typeof pickTimeToCome> } {
  const at = session.decisions.choose('when', 3) === 0 ? undefined : pickTimeToCome(session)
  return at === undefined ? {} : { at }
}

/** Reads a key, writes it, and reads it again, several times. */
async function viewBySnapshot(writer: Writer): Promise<void> {
  const { session, table } = writer
  const { decisions } = session
  const moment = pickView(session)
  const key = session.pickKey()
  const taking = session.beginRead({ what: 'snapshot amid writes', table, ...moment })
  try {
    await using taken = await session.snapshot(moment)
    taking.end({ kind: 'version', version: taken.version })
    const present = { from: taking.from, to: taking.to }
    const read = { present, held: moment.at === undefined, table, key }
    await readTaken(session, taken, read)
    for (let rounds = decisions.between('rounds', 1, 3); rounds > 0; rounds--) {
      await write(writer, 0, key)
      if (decisions.choose('waits', 3) === 2) await session.pause()
      await readTaken(session, taken, read)
    }
  } catch (error) {
    taking.fail(error)
  }
}

/** Writes after some of the rows. */
async function viewByScan(writer: Writer): Promise<void> {
  const { session, table } = writer
  const { decisions } = session
  const moment = pickView(session)
  const range = decisions.choose('reverse', 2) === 1 ? { reverse: true } : {}
  const held = moment.at === undefined
  const read = session.beginRead({ what: 'scan amid writes', table, held, ...moment })
  const rows: Row[] = []
  const step = decisions.between('step', 1, 30)
  try {
    for await (const row of session.table(table).scan({ ...range, ...moment })) {
      read.hold()
      rows.push(row)
      if (rows.length % step === 0 && rows.length <= 5 * step) await write(writer)
    }
    read.end({ kind: 'rows', table, range, rows, whole: true })
  } catch (error) {
    read.fail(error)
    if (rows.length > 0) read.end({ kind: 'rows', table, range, rows, whole: false })
  }
}

/** Reads several keys together that mostly aren't in memory, and writes them meanwhile. */
async function viewByReads(writer: Writer): Promise<void> {
  const { session, table } = writer
  const { decisions } = session
  const moment = pickView(session)
  const keys = Array.from({ length: decisions.between('keys', 2, 6) }, (_, i) => session.pickKey(i))
  if (decisions.choose('evicts', 3) !== 0) {
    await session.attempt('evict amid a view', () => session.db.evict())
  }
  const what = 'get many amid writes'
  const reading = session.read(
    { what, table, single: moment.at === undefined, ...moment },
    async () => ({
      kind: 'values',
      table,
      keys,
      values: await session.table(table).getMany(keys, moment),
    }),
  )
  const writing = keys.slice(0, 3).map((key) => write(writer, 0, key))
  await Promise.all([reading, ...writing])
}
