import { type Env, InvalidArgumentError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { expect, test } from 'vitest'
import { LeaseLostError } from '../../errors.js'
import type { Lease, Leases } from '../../leases.js'

/** Leases under test: empty storage, shared by everything opened on it. */
export interface LeasesSubject {
  open(env: Env): Promise<Leases>
  /** Removes the test's leftovers. */
  dispose(): Promise<void>
}

const DURATION_MS = 10_000
const YEAR_MICROS = 365 * 86_400_000_000

/** A process: leases, with their own clocks. */
interface Process {
  env: TestEnv
  leases: Leases
  acquire(name?: string, durationMs?: number): Promise<Lease | undefined>
}

export function leasesTests(open: (env: Env) => Promise<Leases>): void {
  let seed = 0
  const start = async (): Promise<Process> => {
    const env = new TestEnv({ seed: ++seed })
    const leases = await open(env)
    return {
      env,
      leases,
      acquire: (name = 'flush', durationMs = DURATION_MS) => leases.acquire(name, { durationMs }),
    }
  }

  test('gives a lease to one of many who ask at once', async () => {
    const processes = await Promise.all(Array.from({ length: 8 }, start))
    const asked = await Promise.all(processes.map(({ acquire }) => acquire()))
    const held = asked.filter((lease) => lease !== undefined)
    expect(held.map(({ name, epoch }) => ({ name, epoch }))).toEqual([{ name: 'flush', epoch: 1 }])
    for (const { acquire } of processes) expect(await acquire()).toBeUndefined()
  })

  test('gives a released lease to the next at once, with a greater epoch', async () => {
    const [a, b] = [await start(), await start()]
    const epochs: number[] = []
    for (const process of [a, b, b, a, a]) {
      const lease = held(await process.acquire())
      epochs.push(lease.epoch)
      await lease.release()
      await lease.release()
      expect(lease.remainingMs()).toBe(0)
      await expect(lease.renew()).rejects.toThrow(LeaseLostError)
    }
    expect(epochs).toEqual([1, 2, 3, 4, 5])
  })

  test('knows leases by their names', async () => {
    const [a, b] = [await start(), await start()]
    const first = held(await a.acquire('flush'))
    const second = held(await b.acquire('compact.1-2_x'))
    expect(await a.acquire('compact.1-2_x')).toBeUndefined()
    await first.release()
    expect(await a.acquire('compact.1-2_x')).toBeUndefined()
    await second.renew()
    held(await b.acquire('flush'))
  })

  test('takes a lease over from a holder who was seen idle for its whole duration', async () => {
    const [a, b] = [await start(), await start()]
    const lost = held(await a.acquire())
    expect(await b.acquire('flush', 1)).toBeUndefined()
    b.env.advance(DURATION_MS - 1)
    expect(await b.acquire('flush', 1)).toBeUndefined()
    b.env.advance(1)
    const taken = held(await b.acquire())
    expect(taken.epoch).toBe(lost.epoch + 1)
    // The earlier holder finds out, and does no harm.
    await lost.release()
    expect(await (await start()).acquire()).toBeUndefined()
    await taken.renew()
  })

  test('21: tells a holder who was away that another one has the lease', async () => {
    const [a, b] = [await start(), await start()]
    const lost = held(await a.acquire())
    expect(await b.acquire()).toBeUndefined()
    b.env.advance(DURATION_MS)
    held(await b.acquire())
    await expect(lost.renew()).rejects.toThrow(LeaseLostError)
    expect(lost.remainingMs()).toBe(0)
    await expect(lost.renew()).rejects.toThrow(LeaseLostError)
  })

  test('leaves a lease to a holder who renews it', async () => {
    const [a, b] = [await start(), await start()]
    const lease = held(await a.acquire())
    for (let i = 0; i < 5; i++) {
      expect(await b.acquire()).toBeUndefined()
      b.env.advance(DURATION_MS)
      a.env.advance(DURATION_MS / 2)
      expect(lease.remainingMs()).toBe(DURATION_MS / 2)
      await lease.renew()
      expect(lease.remainingMs()).toBe(DURATION_MS)
    }
    expect(await b.acquire()).toBeUndefined()
    b.env.advance(DURATION_MS)
    held(await b.acquire())
  })

  test('lets a late holder renew a lease that no other holder has taken', async () => {
    const [a, b] = [await start(), await start()]
    const lease = held(await a.acquire())
    a.env.advance(3 * DURATION_MS)
    expect(lease.remainingMs()).toBe(0)
    await lease.renew()
    expect(lease.remainingMs()).toBe(DURATION_MS)
    expect(await b.acquire()).toBeUndefined()
  })

  test('23: never compares two clocks', async () => {
    const [a, b] = [await start(), await start()]
    held(await a.acquire())
    // However long the lease has been over for others, this process hasn't watched it and can't
    // know.
    a.env.advance(1000 * DURATION_MS)
    for (const years of [100, -40, 0]) {
      b.env.setWallClock(1_700_000_000_000_000 + years * YEAR_MICROS)
      expect(await b.acquire()).toBeUndefined()
    }
    // A clock that stands still sees nothing expire.
    expect(await b.acquire()).toBeUndefined()
    const late = await start()
    late.env.advance(1000 * DURATION_MS)
    expect(await late.acquire()).toBeUndefined()
    late.env.advance(DURATION_MS)
    held(await late.acquire())
  })

  test('23: works with a clock that stands at or before 1970', async () => {
    for (const [i, micros] of [0, -YEAR_MICROS, -Number.MAX_SAFE_INTEGER].entries()) {
      const [a, b] = [await start(), await start()]
      a.env.setWallClock(micros)
      b.env.setWallClock(micros)
      const name = `clock-${i}`
      const lease = held(await a.acquire(name))
      await lease.renew()
      expect(await b.acquire(name)).toBeUndefined()
      b.env.advance(DURATION_MS)
      expect(held(await b.acquire(name)).epoch).toBe(2)
      await expect(lease.renew()).rejects.toThrow(LeaseLostError)
    }
  })

  test('has one who takes over, of many who waited', async () => {
    const holder = await start()
    const lost = held(await holder.acquire())
    const waiting = await Promise.all(Array.from({ length: 6 }, start))
    for (const { env, acquire } of waiting) {
      expect(await acquire()).toBeUndefined()
      env.advance(DURATION_MS)
    }
    const renewal = lost.renew().then(
      () => true,
      (error: unknown) => {
        expect(error).toBeInstanceOf(LeaseLostError)
        return false
      },
    )
    const taken = await Promise.all(waiting.map(({ acquire }) => acquire()))
    const holders = taken.filter((lease) => lease !== undefined)
    expect(holders.length + ((await renewal) ? 1 : 0)).toBe(1)
    for (const lease of holders) expect(lease.epoch).toBe(2)
  })

  test('renews and releases one after the other', async () => {
    const [a, b] = [await start(), await start()]
    const lease = held(await a.acquire())
    await Promise.all([lease.renew(), lease.renew(), lease.release()])
    expect(held(await b.acquire()).epoch).toBe(2)
  })

  test('refuses names and durations that are none', async () => {
    const { acquire } = await start()
    for (const name of ['', '.', '..', 'a/b', '-a', 'a b', 'é', 'a\0', 'x'.repeat(129)]) {
      await expect(acquire(name)).rejects.toThrow(InvalidArgumentError)
    }
    for (const durationMs of [0, -1, 0.5, Number.NaN, Infinity]) {
      await expect(acquire('flush', durationMs)).rejects.toThrow(InvalidArgumentError)
    }
    held(await acquire('x'.repeat(128)))
  })

  test('does nothing for a caller who gave up before, and says why', async () => {
    const { leases, acquire } = await start()
    const reason = new Error('changed my mind')
    const signal = AbortSignal.abort(reason)
    const acquired = leases.acquire('flush', { durationMs: DURATION_MS, signal })
    await expect(acquired).rejects.toBe(reason)
    const lease = held(await acquire())
    await expect(lease.renew({ signal })).rejects.toBe(reason)
    await expect(lease.release({ signal })).rejects.toBe(reason)
    expect(lease.remainingMs()).toBe(DURATION_MS)
    await lease.renew()
  })
}

function held(lease: Lease | undefined): Lease {
  if (lease === undefined) throw new Error('the lease is free, but acquire returned none')
  return lease
}
