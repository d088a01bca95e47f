import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { type Database, open } from '@firn/engine'
import { MemoryObjectStore } from '@firn/object-store'
import { LONG } from '@firn/test-support'
import { expect, test } from 'vitest'
import { Disk, filesIn } from '../../src/disk/disk.js'
import { changesDisk, type DiskCall, type DiskFault } from '../../src/disk/disk-call.js'
import type { DiskWeather } from '../../src/disk/disk-user.js'
import { FILE_DAMAGE_KINDS, FILE_DAMAGES } from '../../src/disk/file-damage.js'
import { Machine } from '../../src/disk/machine.js'
import type { SimFile } from '../../src/disk/sim-file.js'
import { EVERYTHING, NOTHING, someOf } from '../../src/disk/survival.js'
import { Random } from '../../src/random.js'
import { Violation } from '../../src/violation.js'
import { Bench, CALM, told } from './bench.js'

// A database whose files are somewhere else, and pieces of them on a simulated disk. Whatever
// happens to the disk, reads give what they should, and none fails.

const EVERY = LONG ? 1 : 2

const ROWS = 240
const VALUE_BYTES = 1500
/** Less than there is to be kept: pieces make room for others. */
const CACHE_BYTES = 200_000
const DIRECTORY = '/cache'
const TYPED = { keys: 'utf8', values: 'utf8', compression: 'none' } as const

/** What is stored elsewhere. */
interface Remote {
  store: MemoryObjectStore
  storage: MemoryLogStorage
  rows: ReadonlyMap<string, string>
}

function openRemote({ store, storage }: Omit<Remote, 'rows'>, bench?: Bench): Promise<Database> {
  const log = () => new MemoryCommitLog({ storage })
  if (bench === undefined) return open({ store, log }, { compaction: 'inline' })
  return open(
    { store, log, cacheFiles: bench.files.fileSystem },
    {
      env: bench.life.env,
      mode: 'read',
      cache: { memoryBytes: 0, disk: { directory: DIRECTORY, bytes: CACHE_BYTES } },
    },
  )
}

async function makeRemote(): Promise<Remote> {
  const remote = { store: new MemoryObjectStore(), storage: new MemoryLogStorage() }
  const random = new Random(1, 'rows')
  const rows = new Map<string, string>()
  const db = await openRemote(remote)
  const table = db.table('t', TYPED)
  for (let part = 0; part < 3; part++) {
    const batch = db.batch()
    for (let i = part; i < ROWS; i += 3) {
      const [key, value] = [`k${i}`, String.fromCharCode(...letters(random))]
      batch.put(table, key, value)
      rows.set(key, value)
    }
    await batch.write()
    await db.flush()
  }
  await db.compact()
  await db.close()
  return { ...remote, rows }
}

function letters(random: Random): number[] {
  return Array.from({ length: VALUE_BYTES }, () => 97 + random.below(26))
}

/**
 * Reads single rows and all rows, as a process that finds a disk as it is; gives what its cache
 * did.
 */
async function readAll(remote: Remote, machine: Machine, weather: DiskWeather, what: string) {
  const bench = new Bench(machine, weather, machine.boot)
  const read = async () => {
    const db = await openRemote(remote, bench)
    const table = db.table('t', TYPED)
    const random = new Random(2, 'reads')
    for (let i = 0; i < 12; i++) {
      const key = `k${random.below(ROWS)}`
      if ((await table.get(key)) !== remote.rows.get(key)) throw new Violation(`${key} is wrong`)
    }
    let count = 0
    for await (const [key, value] of table.scan()) {
      if (value !== remote.rows.get(key)) throw new Violation(`${key} is wrong in a scan`)
      count++
    }
    if (count !== ROWS) throw new Violation(`a scan gave ${count} rows`)
    const { cache } = await db.stats()
    await db.close()
    return cache.disk as NonNullable<typeof cache.disk>
  }
  try {
    return await bench.run('reading', read)
  } catch (error) {
    throw told(what, error)
  } finally {
    bench.kill()
  }
}

/** A disk that the cache was filled on. */
async function filledDisk(remote: Remote): Promise<Disk> {
  const machine = new Machine()
  await readAll(remote, machine, CALM, 'filling')
  const { hits, entries } = await readAll(remote, machine, CALM, 'reading again')
  expect(hits).toBeGreaterThan(0)
  expect(entries).toBeGreaterThan(2)
  return machine.disk
}

function filesOf(disk: Disk): SimFile[] {
  return [...filesIn(disk.directory(DIRECTORY, 'open'))].map(([, file]) => file)
}

test('29: a crash of the machine at calls to the cache’s disk is a miss at most', {
  timeout: 600_000,
}, async () => {
  const remote = await makeRemote()
  const machine = new Machine()
  const images: { what: string; disk: Disk }[] = []
  const random = new Random(1, 'survival')
  let changes = 0
  const begun = (call: DiskCall): void => {
    if (!changesDisk(call) || ++changes % EVERY !== 0) return
    for (const survival of [NOTHING, EVERYTHING, someOf(random), someOf(random)]) {
      const what = `crash at change ${changes} (${call.kind} ${call.path})`
      images.push({ what, disk: machine.disk.afterCrash(survival) })
    }
  }
  await readAll(remote, machine, { ...CALM, begun }, 'reading')
  expect(images.length).toBeGreaterThan(10)
  let damaged = 0
  for (const [i, { what, disk }] of images.entries()) {
    damaged += (await readAll(remote, new Machine(disk, i + 2), CALM, what)).damaged
  }
  // Names outlived what they were of.
  expect(damaged).toBeGreaterThan(0)
})

test('29: any call to the cache’s disk may fail', { timeout: 600_000 }, async () => {
  const remote = await makeRemote()
  const filled = await filledDisk(remote)
  const faults: DiskFault[] = [
    { code: 'EIO' },
    { code: 'ENOSPC' },
    { code: 'EIO', share: 0.5 },
    { share: 0.5 },
  ]
  for (const disk of [new Disk(), filled]) {
    const calls: DiskCall[] = []
    const count = { ...CALM, begun: (call: DiskCall) => void calls.push(call) }
    await readAll(remote, new Machine(disk.clone()), count, 'counting')
    for (const [i, fault] of faults.entries()) {
      for (let at = i % EVERY; at < calls.length; at += EVERY) {
        for (const lasts of [false, true]) {
          let made = 0
          const meet = (): DiskFault | undefined => {
            const now = made++
            return now === at || (lasts && now > at) ? fault : undefined
          }
          const what = `${JSON.stringify(fault)} at call ${at}${lasts ? ' and after' : ''}`
          await readAll(remote, new Machine(disk.clone()), { ...CALM, meet }, what)
        }
      }
    }
  }
})

test('29: whatever the cache’s files hold, reads are right', { timeout: 600_000 }, async () => {
  const remote = await makeRemote()
  const filled = await filledDisk(remote)
  const random = new Random(3, 'damage')
  const machine = new Machine(filled)
  let found = 0
  for (const kind of FILE_DAMAGE_KINDS) {
    for (let round = 0; round < 3 * (LONG ? 10 : 1); round++) {
      const { disk } = machine
      const files = filesOf(disk)
      const victims = files.filter((file) => file.length > 0 && random.below(2) === 0)
      for (const file of victims) {
        const other = files[random.below(files.length)] as SimFile
        FILE_DAMAGES[kind](disk, file, other, random)
      }
      found += (await readAll(remote, machine, CALM, kind)).damaged
    }
  }
  expect(found).toBeGreaterThan(0)
})
