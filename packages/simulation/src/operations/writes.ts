import type { Durability, WriteOptions } from '@firn/engine'
import type { ClientBatch } from '../client/client-batch.js'
import type { Change } from '../history.js'
import type { Session } from '../session.js'
import type { Operation } from './operation.js'

export const put: Operation = {
  name: 'put',
  weight: 12,
  writes: true,
  run: (session) => writeOne(session, 'put', newPut(session), pickOptions(session)),
}

export const remove: Operation = {
  name: 'delete',
  weight: 5,
  writes: true,
  run: (session) => writeOne(session, 'delete', newDelete(session), pickOptions(session)),
}

/** Several writes that a client makes at once and waits for together: they meet in groups. */
export const burst: Operation = {
  name: 'burst',
  weight: 4,
  writes: true,
  async run(session) {
    const { decisions } = session
    const writes = Array.from({ length: decisions.between('writes', 2, 6) }, (_, i) => ({
      change: newChange(session, i),
      durability: pickDurability(session),
    }))
    await Promise.all(
      writes.map(({ change, durability }) =>
        writeOne(session, 'one of a burst', change, { durability }),
      ),
    )
  },
}

/** A few changes of any tables in one batch. */
export const batch: Operation = {
  name: 'batch',
  weight: 6,
  writes: true,
  run: (session) =>
    writeBatch(session, 'batch', { size: session.decisions.between('changes', 1, 8) }),
}

/** More changes than an entry of the log holds in most runs. */
export const largeBatch: Operation = {
  name: 'large batch',
  weight: 2,
  writes: true,
  run: (session) => {
    const { decisions } = session
    const size = decisions.between('changes', 20, 80)
    const isOfOne = decisions.choose('of one table', 2) === 1
    return writeBatch(session, 'large batch', {
      size,
      ...(isOfOne ? { table: session.pickTable() } : {}),
    })
  },
}

/** Gives a table more rows than a page of a scan holds, in runs that have that many keys. */
export const fill: Operation = {
  name: 'fill',
  weight: 1,
  writes: true,
  run: (session) => fillTable(session, session.pickTable()),
}

/** Fills a table; see `fill`. */
export function fillTable(session: Session, table: string): Promise<void> {
  const { decisions } = session
  const size = Math.min(session.host.simulation.keys, decisions.between('rows', 70, 140))
  const keys = new Set(Array.from({ length: size }, (_, i) => session.keyAt(i)))
  const changes = [...keys].map((key) => ({ table, key, value: session.newValue() }))
  return session.write({ what: 'fill', changes }, () => {
    const batch = session.batch()
    for (const change of changes) add(session, batch, change)
    return batch.write({ durability: 'durable' })
  })
}

/**
 * Writes changes together. Some keys are written more than once, some batches are cleared and
 * filled again, and large ones are sometimes drained.
 */
export async function writeBatch(
  session: Session,
  what: string,
  { size, table, isPatient = false }: { size: number; table?: string; isPatient?: boolean },
): Promise<void> {
  const { decisions } = session
  const changes = Array.from({ length: size }, (_, i) => newChange(session, i, table))
  const last = new Map(changes.map((change) => [`${change.table}/${change.key}`, change]))
  const replaced = changes.filter((change) => last.get(`${change.table}/${change.key}`) !== change)
  const drains = decisions.choose('drains', 2) === 1
  const clearsAfter = decisions.choose('clears', 8) === 7 ? decisions.choose('clears after', 30) : 0
  const durability = pickDurability(session)
  const request = { what, changes: [...last.values()], replaced, durability }
  await session.write(request, async () => {
    const batch = session.batch()
    if (clearsAfter > 0) {
      // None of this may ever be seen: it has no writer on record.
      for (let i = 0; i < clearsAfter; i++) add(session, batch, newPut(session, i, table))
      if (drains) await batch.drain()
      batch.clear()
    }
    for (const [i, change] of changes.entries()) {
      add(session, batch, change)
      if (drains && i % 10 === 9) await batch.drain()
    }
    return batch.write({ durability, ...(isPatient ? {} : maySignal(session)) })
  })
}

/** Makes one change in its own call. */
export function writeOne(
  session: Session,
  what: string,
  change: Change,
  options: WriteOptions & { durability: Durability },
): Promise<void> {
  const { table, key, value } = change
  const { durability } = options
  return session.write({ what, changes: [change], durability }, () => {
    const written = session.table(table)
    return value === undefined ? written.delete(key, options) : written.put(key, value, options)
  })
}

function add(session: Session, batch: ClientBatch, { table, key, value }: Change): void {
  if (value === undefined) batch.delete(session.table(table), key)
  else batch.put(session.table(table), key, value)
}

export function pickDurability({ decisions }: Session): Durability {
  return decisions.choose('buffered', 4) === 3 ? 'buffered' : 'durable'
}

function pickOptions(session: Session): WriteOptions & { durability: Durability } {
  return { durability: pickDurability(session), ...maySignal(session) }
}

function maySignal(session: Session): Pick<WriteOptions, 'signal'> {
  const signal = session.mayAbandon()
  return signal === undefined ? {} : { signal }
}

/**
 * Makes a put, or sometimes a delete. `dullKey`: see `Session.pickKey`; `table`: any by default.
 */
export function newChange(session: Session, dullKey: number, table?: string): Change {
  const deletes = session.decisions.choose('deletes', 5) === 4
  return deletes ? newDelete(session, dullKey, table) : newPut(session, dullKey, table)
}

export function newPut(
  session: Session,
  dullKey = 0,
  table: string = session.pickTable(),
): Change & { value: string } {
  const { decisions } = session
  const long = decisions.choose('long', 12) === 11
  const padding = decisions.choose('padding', long ? 3000 : 40)
  return { table, key: session.pickKey(dullKey), value: session.newValue(padding) }
}

function newDelete(session: Session, dullKey = 0, table: string = session.pickTable()): Change {
  return { table, key: session.pickKey(dullKey), value: undefined }
}
