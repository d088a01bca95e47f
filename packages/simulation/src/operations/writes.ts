import type { Change } from '../history.js'
import type { Session } from '../session.js'
import type { Operation } from './operation.js'

export const put: Operation = {
  name: 'put',
  weight: 12,
  writes: true,
  async run(session) {
    const change = newPut(session)
    const { table, key, value } = change
    await session.write('put', [change], () => session.table(table).put(key, value))
  },
}

export const remove: Operation = {
  name: 'delete',
  weight: 5,
  writes: true,
  async run(session) {
    const change = newDelete(session)
    const { table, key } = change
    await session.write('delete', [change], () => session.table(table).delete(key))
  },
}

/** A few changes of any tables, together. */
export const batch: Operation = {
  name: 'batch',
  weight: 6,
  writes: true,
  run: (session) => writeBatch(session, 'batch', session.decisions.between('changes', 1, 8)),
}

/** More changes than an entry of the log holds, in most runs. */
export const largeBatch: Operation = {
  name: 'large batch',
  weight: 2,
  writes: true,
  run: (session) =>
    writeBatch(session, 'large batch', session.decisions.between('changes', 20, 80)),
}

async function writeBatch(session: Session, what: string, size: number): Promise<void> {
  const { decisions } = session
  const changes = new Map<string, Change>()
  while (size-- > 0) {
    const change = decisions.choose('deletes', 5) === 4 ? newDelete(session) : newPut(session)
    // Of each key one: the log may leave out what the same batch replaces.
    changes.set(`${change.table}/${change.key}`, change)
  }
  const drains = decisions.choose('drains', 2) === 1
  await session.write(what, [...changes.values()], async () => {
    const batch = session.db.batch()
    let added = 0
    for (const { table, key, value } of changes.values()) {
      if (value === undefined) batch.delete(session.table(table), key)
      else batch.put(session.table(table), key, value)
      if (drains && ++added % 10 === 0) await batch.drain()
    }
    return batch.write()
  })
}

function newPut(session: Session): Change & { value: string } {
  const { decisions } = session
  const long = decisions.choose('long', 12) === 11
  const padding = decisions.choose('padding', long ? 3000 : 40)
  return { table: session.pickTable(), key: session.pickKey(), value: session.newValue(padding) }
}

function newDelete(session: Session): Change {
  return { table: session.pickTable(), key: session.pickKey(), value: undefined }
}
