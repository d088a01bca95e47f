import { isFirnError } from '@firn/env'
import { LONG } from '@firn/test-support'
import { expect, test } from 'vitest'
import { Disk } from '../../src/disk/disk.js'
import { changesDisk, type DiskCall, type DiskFault, takesSpace } from '../../src/disk/disk-call.js'
import type { DiskWeather } from '../../src/disk/disk-user.js'
import type { Machine } from '../../src/disk/machine.js'
import { NOTHING, type Survival, someOf } from '../../src/disk/survival.js'
import { Random } from '../../src/random.js'
import { Violation } from '../../src/violation.js'
import { Bench, told } from './bench.js'
import { Ledger } from './ledger.js'
import { assertRecovers, machineWith, recover } from './recovery.js'
import { CHAPTERS, Script } from './script.js'

// The same script on a disk that fails, at any of its calls. A chapter is run as often as it makes
// calls, each time on a copy of the disk as it was before.

/** Of so many calls that change the disk, one fails; and of so many others. */
const EVERY_CHANGE = LONG ? 1 : 20
const EVERY_OTHER = LONG ? 6 : 60

/** How a call goes wrong, and maybe those after it. */
interface Trouble {
  name: string
  /** What the call meets. */
  first: DiskFault
  /** Whether a later call fails, too. */
  lasts(call: DiskCall): boolean
}

const passes = (): boolean => false
const ERROR: Trouble = { name: 'EIO', first: { code: 'EIO' }, lasts: passes }
const BROKEN: Trouble = { name: 'EIO from here on', first: { code: 'EIO' }, lasts: changesDisk }
const NO_SPACE: Trouble = { name: 'ENOSPC', first: { code: 'ENOSPC' }, lasts: passes }
const FULL: Trouble = {
  name: 'a full disk',
  first: { code: 'ENOSPC', share: 0.5 },
  lasts: takesSpace,
}
const TORN: Trouble = { name: 'a torn write', first: { code: 'EIO', share: 0.7 }, lasts: passes }
const SHORT: Trouble = { name: 'half a write or read', first: { share: 0.5 }, lasts: passes }

/** What can meet a call. */
function troublesOf(call: DiskCall): Trouble[] {
  const troubles = [ERROR]
  if (changesDisk(call)) troubles.push(BROKEN)
  if (takesSpace(call)) troubles.push(NO_SPACE, FULL)
  if (call.kind === 'write') troubles.push(TORN)
  if (call.bytes > 1) troubles.push(SHORT)
  return troubles
}

/** A disk on which one call meets a trouble. */
class TroubledWeather implements DiskWeather {
  readonly calls: DiskCall[] = []
  readonly #trouble: Trouble | undefined
  readonly #at: number
  #isOver = false

  constructor(trouble?: Trouble, at = -1) {
    this.#trouble = trouble
    this.#at = at
  }

  /** The disk works again. */
  end(): void {
    this.#isOver = true
  }

  meet(call: DiskCall): DiskFault | undefined {
    const at = this.calls.push(call) - 1
    if (this.#trouble === undefined || this.#isOver || at < this.#at) return undefined
    const { first, lasts } = this.#trouble
    if (at === this.#at) return first
    return lasts(call) && first.code !== undefined ? { code: first.code } : undefined
  }

  latencyMs(): number {
    return 0.1
  }

  failSync(): Survival {
    return someOf(new Random(this.calls.length, 'sync'))
  }
}

/** The disk before a chapter, what was written by then, and the calls that the chapter makes. */
interface Page {
  chapter: number
  disk: Disk
  ledger: Ledger
  calls: readonly DiskCall[]
}

/** A chapter on a disk of its own. */
class Attempt {
  readonly machine: Machine
  readonly bench: Bench
  readonly errors: { what: string; error: Error }[] = []
  readonly ledger: Ledger
  readonly #chapter: number

  constructor(chapter: number, disk: Disk, ledger: Ledger, weather: DiskWeather) {
    this.#chapter = chapter
    this.ledger = ledger
    this.machine = machineWith(disk)
    this.bench = new Bench(this.machine, weather, chapter)
  }

  async run(): Promise<void> {
    const { files, life } = this.bench
    const failed = (what: string, error: unknown): void => {
      if (!isFirnError(error)) throw told(`${what} failed with an error that isn't Firn's`, error)
      this.errors.push({ what, error })
    }
    const script = new Script(this.ledger, life.env, files, { failed })
    await this.bench.run(`chapter ${this.#chapter}`, () => script.chapter(this.#chapter))
  }
}

/** Runs the script on a disk that works. */
async function readScript(): Promise<Page[]> {
  const pages: Page[] = []
  const ledger = new Ledger()
  let disk = new Disk()
  for (let chapter = 0; chapter < CHAPTERS; chapter++) {
    const before = { chapter, disk: disk.clone(), ledger: ledger.copy() }
    const weather = new TroubledWeather()
    const attempt = new Attempt(chapter, disk, ledger, weather)
    await attempt.run()
    expect(attempt.errors).toEqual([])
    attempt.bench.kill()
    disk = attempt.machine.disk
    pages.push({ ...before, calls: weather.calls })
  }
  return pages
}

/**
 * Runs a chapter whose disk fails at one call; then the same process opens the database, and the
 * machine crashes when it has closed it, or crashes at once: another process opens it.
 */
async function assertSurvives(page: Page, trouble: Trouble, at: number): Promise<void> {
  const { kind, path } = page.calls[at] as DiskCall
  const weather = new TroubledWeather(trouble, at)
  const attempt = new Attempt(page.chapter, page.disk.clone(), page.ledger.copy(), weather)
  const { bench, machine, ledger, errors } = attempt
  try {
    await attempt.run()
    const isRead = trouble.first.code === 'EIO' && !takesSpace(page.calls[at] as DiskCall)
    const lost = errors.find(({ what }) => what === 'read' && !isRead)
    if (lost !== undefined)
      throw new Violation('a read failed, which only writes may', { cause: lost })
    weather.end()
    const image = { what: 'then, a crash', disk: machine.disk, ledger, mark: ledger.mark }
    if (at % 3 === 0) {
      let own = ledger
      const learn = (known: Ledger): void => {
        own = known
      }
      await bench.run('reopening', () => recover(bench, image, learn))
      // What the same process wrote then is durable as ever, though a sync before it failed.
      const disk = machine.disk.afterCrash(NOTHING)
      await assertRecovers({ what: 'reopened, a crash', disk, ledger: own, mark: own.mark })
    } else {
      const survival = at % 3 === 1 ? NOTHING : someOf(new Random(at, 'survival'))
      await assertRecovers({ ...image, disk: machine.disk.afterCrash(survival) })
    }
  } catch (error) {
    const failures = errors.map(({ what, error: { message } }) => `${what}: ${message}`)
    const where = `chapter ${page.chapter}, ${trouble.name} at call ${at} (${kind} ${path})`
    throw told(`${where}; ${failures.join('; ')}`, error)
  }
}

test('31, 32: any call to the disk fails: no more than typed errors, nothing acknowledged is lost', {
  timeout: 1_200_000,
}, async () => {
  const met = new Map<string, number>()
  let changes = 0
  let others = 0
  for (const page of await readScript()) {
    for (const [at, call] of page.calls.entries()) {
      const isDue = changesDisk(call)
        ? changes++ % EVERY_CHANGE === 0
        : others++ % EVERY_OTHER === 0
      if (!isDue) continue
      // The one that was met least often so far.
      const timesMet = ({ name }: Trouble): number => met.get(name) ?? 0
      const [trouble] = troublesOf(call).toSorted((a, b) => timesMet(a) - timesMet(b))
      if (trouble === undefined) continue
      await assertSurvives(page, trouble, at)
      met.set(trouble.name, timesMet(trouble) + 1)
    }
  }
  expect([...met.keys()]).toHaveLength(6)
})
