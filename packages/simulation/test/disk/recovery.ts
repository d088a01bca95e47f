import type { Disk } from '../../src/disk/disk.js'
import { Machine } from '../../src/disk/machine.js'
import { Random } from '../../src/random.js'
import { Violation } from '../../src/violation.js'
import { Bench, CALM, told } from './bench.js'
import { Ledger, type LedgerMark, type LedgerWrite } from './ledger.js'
import { assertSame, ETERNAL, openOn, rowsOf, table } from './script.js'

/** What is known of the writes to a disk. */
export interface Knowledge {
  readonly ledger: Ledger
  readonly mark: LedgerMark
}

/** What a disk holds after a crash, and what was known of it before. */
export interface Image extends Knowledge {
  /** What happened, in words. */
  what: string
  disk: Disk
}

let boots = 1

/** A machine that finds a disk as it is. */
export function machineWith(disk: Disk): Machine {
  return new Machine(disk, ++boots)
}

/**
 * Opens a database on what a crash left, and checks it: it opens, nothing is lost that was durable,
 * each commit is there whole or not at all, they are the first ones of the log, and versions of the
 * past are what they were. Then it is written to, and closed.
 */
export async function assertRecovers(image: Image): Promise<void> {
  const machine = machineWith(image.disk)
  const bench = new Bench(machine, CALM, machine.boot)
  try {
    await bench.run('recovery', () => recover(bench, image))
  } catch (error) {
    throw told(image.what, error)
  }
}

/**
 * The same, in a process that there is already. Gives what is known from some moment on to `learn`.
 */
export async function recover(
  bench: Bench,
  known: Knowledge,
  learn: (own: Ledger) => void = () => {},
): Promise<void> {
  const { files, life } = bench
  const { ledger, mark } = known
  const { boot } = files.user.id
  const random = new Random(boot, 'recovery')
  const db = await openOn(files, life.env)
  const found = db.version
  const rows = await rowsOf(db)
  const kept = ledger.explain(rows, mark)
  if (kept === undefined) throw new Violation(lossIn(ledger, mark, rows))
  const acknowledged = kept.filter(({ version }) => version !== undefined)
  const past = acknowledged[random.below(acknowledged.length)]
  if (past?.version !== undefined) await assertPast(db, ledger, past.version)
  // What has been read can't be lost any more, and its version is known: also of what had failed.
  const own = new Ledger(kept, kept.length)
  for (const write of own.writes) {
    write.version ??= found
    write.outcome = 'acknowledged'
  }
  learn(own)
  const put = { table: ETERNAL, key: 'after', value: `the crash of ${boot}` }
  const write = own.begin([put])
  const { version } = await table(db, put.table).put(put.key, put.value)
  own.acknowledge(write, version, true)
  if ((await table(db, put.table).get(put.key)) !== put.value) {
    throw new Violation('what was put is not what is read')
  }
  const isThorough = random.below(16) === 0
  if (isThorough) await db.compact()
  await db.close()
  if (!isThorough) return
  const again = await openOn(files, life.env)
  assertSame(await rowsOf(again), new Map(rows).set(`${put.table}/${put.key}`, put.value))
  await again.close()
}

async function assertPast(
  db: Awaited<ReturnType<typeof openOn>>,
  ledger: Ledger,
  version: number,
): Promise<void> {
  const rows = new Map<string, string>()
  for await (const [key, value] of table(db, ETERNAL).scan({ at: { version } })) {
    rows.set(`${ETERNAL}/${key}`, value)
  }
  const expected = [...ledger.rowsAt(version)].filter(([key]) => key.startsWith(`${ETERNAL}/`))
  assertSame(rows, new Map(expected))
}

function lossIn(
  ledger: Ledger,
  { begun, durable }: LedgerMark,
  rows: ReadonlyMap<string, string>,
): string {
  const known = ledger.writes.slice(0, begun)
  const wanted = (write: LedgerWrite): string => `${write.outcome} ${write.version ?? '-'}`
  const tail = known.slice(Math.max(0, durable - 3)).map(wanted)
  return `${rows.size} rows that no writes leave: ${durable} of ${begun} were durable, the last of them: ${tail.join(', ')}`
}
