import { LONG } from '@firn/test-support'
import { expect, test } from 'vitest'
import { changesDisk, type DiskCall } from '../../src/disk/disk-call.js'
import type { DiskWeather } from '../../src/disk/disk-user.js'
import { Machine } from '../../src/disk/machine.js'
import {
  EVERYTHING,
  NOTHING,
  type Order,
  type Survival,
  someOf,
  upTo,
} from '../../src/disk/survival.js'
import { Random } from '../../src/random.js'
import { Bench, told } from './bench.js'
import { stateOf } from './disk-state.js'
import { Ledger } from './ledger.js'
import { assertRecovers, type Image, type Knowledge, machineWith, recover } from './recovery.js'
import { CHAPTERS, OPERATION_NAMES, Script } from './script.js'

// A script of 200 operations, whose machine crashes at calls to its disk: those that change it.
// Copies of the disk, with all or some or nothing of what wasn't synced, are what is left; then the
// script goes on. Copies that hold the same are looked at once.

/** Of so many calls that change the disk, one is the last before a crash. */
const EVERY = LONG ? 1 : 40
/** Of so many crashes, one is followed by others while the database opens. */
const EVERY_SECOND = LONG ? 100 : 40

/** Crashes the machine at calls of a process, again and again, on copies of its disk. */
class CrashingWeather implements DiskWeather {
  readonly images: Image[] = []
  calls = 0
  crashes = 0
  readonly #machine: Machine
  readonly #known: Knowledge
  readonly #every: number
  readonly #random = new Random(1, 'survival')
  readonly #seen: Set<string> = new Set()

  constructor(machine: Machine, known: Knowledge, every: number) {
    this.#machine = machine
    this.#known = known
    this.#every = every
  }

  meet(): undefined {}

  latencyMs(): number {
    return 0.1
  }

  begun(call: DiskCall): void {
    if (!changesDisk(call) || ++this.calls % this.#every !== 0) return
    const { disk } = this.#machine
    const { ledger, mark } = this.#known
    for (const [left, survival] of survivals(disk.order, this.#random)) {
      this.crashes++
      const copy = disk.afterCrash(survival)
      const state = `${stateOf(copy)} ${mark.begun} ${mark.durable}`
      if (this.#seen.has(state)) continue
      this.#seen.add(state)
      const what = `crash at change ${this.calls} (${call.kind} ${call.path}), of what wasn't synced ${left}`
      this.images.push({ what, disk: copy, ledger, mark })
    }
  }
}

function survivals(order: Order, random: Random): [left: string, Survival][] {
  return [
    ['nothing is left', NOTHING],
    ['all is left', EVERYTHING],
    random.below(2) === 0
      ? ['the first is left, and the last is torn', upTo(order - random.below(3), random)]
      : ['anything may be left', someOf(random)],
  ]
}

async function assertRecoversTwice(image: Image): Promise<number> {
  let own: Ledger | undefined
  const known: Knowledge = {
    get ledger() {
      return own ?? image.ledger
    },
    get mark() {
      return own?.mark ?? image.mark
    },
  }
  const learn = (ledger: Ledger): void => {
    own = ledger
  }
  const machine = machineWith(image.disk.clone())
  const weather = new CrashingWeather(machine, known, 1)
  const bench = new Bench(machine, weather, machine.boot)
  let recovered = 0
  const recoverAll = async (): Promise<void> => {
    for (const second of weather.images.splice(0)) {
      await assertRecovers(second)
      recovered++
    }
  }
  try {
    await bench.run(
      'recovery',
      () => recover(bench, image, learn),
      () => (weather.images.length === 0 ? undefined : recoverAll()),
    )
  } catch (error) {
    throw told(`${image.what}; then`, error)
  }
  return recovered
}

test('30, 31: a crash of the machine loses nothing that was acknowledged, and the database opens', {
  timeout: 1_200_000,
}, async () => {
  const machine = new Machine()
  const ledger = new Ledger()
  const operations = new Map<string, number>()
  const known: Knowledge = {
    ledger,
    get mark() {
      return ledger.mark
    },
  }
  const weather = new CrashingWeather(machine, known, EVERY)
  let recovered = 0
  let second = 0
  const recoverAll = async (): Promise<void> => {
    for (const image of weather.images.splice(0)) {
      if (++recovered % EVERY_SECOND === 0) second += await assertRecoversTwice(image)
      await assertRecovers(image)
    }
  }
  for (let chapter = 0; chapter < CHAPTERS; chapter++) {
    const bench = new Bench(machine, weather, chapter)
    const failed = (what: string, error: unknown): never => {
      throw told(`${what}, with a disk that works`, error)
    }
    const script = new Script(ledger, bench.life.env, bench.files, { failed })
    await bench.run(
      `chapter ${chapter}`,
      () => script.chapter(chapter),
      () => (weather.images.length === 0 ? undefined : recoverAll()),
    )
    for (const [name, count] of script.counts) {
      operations.set(name, (operations.get(name) ?? 0) + count)
    }
    bench.kill()
  }
  const { calls, crashes } = weather
  console.info({ changes: calls, crashes, recovered, second })
  expect([...operations.keys()].sort()).toEqual([...OPERATION_NAMES].sort())
  expect(second).toBeGreaterThan(0)
})
