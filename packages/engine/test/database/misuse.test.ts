import { describe, expect, test } from 'vitest'
import { type Database, open, type Snapshot, type Transaction } from '../../src/index.js'

const TYPED = { keys: 'utf8', values: 'utf8' } as const

async function database(): Promise<Database> {
  const db = await open('memory:')
  await db.table('t', TYPED).put('k', 'v')
  return db
}

/** What a call fails with, and how it is put. */
async function refusal(call: () => unknown): Promise<string> {
  try {
    await call()
  } catch (error) {
    expect(error).toMatchObject({ code: 'FIRN_CLOSED', maybeDone: false })
    return (error as Error).message
  }
  throw new Error('it was not refused')
}

/** What snapshots and transactions have in common. */
type Reads = Pick<Snapshot, 'table'>

const USES: Readonly<Record<string, (reads: Reads) => unknown>> = {
  get: (reads) => reads.table('t', TYPED).get('k'),
  getMany: (reads) => reads.table('t', TYPED).getMany(['k']),
  scan: (reads) => reads.table('t', TYPED).scan().toArray(),
  count: (reads) => reads.table('t', TYPED).count(),
}

describe('a database that is closed inside a transaction', () => {
  for (const [name, use] of Object.entries(USES)) {
    test(`says that it was closed too early, and not to take a snapshot: ${name}`, async () => {
      const db = await database()
      const message = await refusal(() =>
        db.transaction(async (tx) => {
          await db.close()
          await use(tx as unknown as Reads)
        }),
      )
      expect(message).toMatch(/database was closed.*transaction.*close it when/)
      expect(message).not.toContain('db.snapshot()')
    })
  }

  test('says the same of what was to be written', async () => {
    for (const late of [false, true]) {
      const db = await database()
      const message = await refusal(() =>
        db.transaction(async (tx) => {
          const table = tx.table('t', TYPED)
          if (!late) await table.put('k', 'w')
          await db.close()
          if (late) await table.put('k', 'w')
        }),
      )
      expect(message).toMatch(/database (is|was) clos.*open it again/)
      expect(message).not.toContain('db.snapshot()')
    }
  })
})

describe('what has ended', () => {
  test('a snapshot says how to take another one, while there is a database', async () => {
    const db = await database()
    const snapshot = await db.snapshot()
    await snapshot.close()
    for (const use of Object.values(USES)) {
      expect(await refusal(() => use(snapshot))).toMatch(/snapshot is closed.*db\.snapshot\(\)/)
    }
    await db.close()
    for (const use of Object.values(USES)) {
      expect(await refusal(() => use(snapshot))).toMatch(/database was closed/)
    }
  })

  test('a transaction says that its function must wait for what it does', async () => {
    const db = await database()
    let kept: Transaction | undefined
    await db.transaction((tx) => {
      kept = tx
    })
    for (const use of Object.values(USES)) {
      const message = await refusal(() => use(kept as unknown as Reads))
      expect(message).toMatch(/transaction has ended.*awaited before its function returns/)
    }
    // A write beside a transaction is no misuse.
    await db.transaction(async (tx) => {
      await tx.table('t', TYPED).get('other')
      await db.table('t', TYPED).put('beside', 'x')
      await tx.table('t', TYPED).put('k', 'w')
    })
    expect(await db.table('t', TYPED).get('beside')).toBe('x')
    await db.close()
  })
})
