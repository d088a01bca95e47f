import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError, Slots, slotsOf } from '../src/index.js'

/** Work that ends when it is told to. */
class Job {
  begun = false
  end: () => void = () => {}

  constructor(slots: Slots, options: { urgent?: boolean; signal?: AbortSignal } = {}) {
    this.done = slots.run(() => {
      this.begun = true
      return new Promise<void>((resolve) => {
        this.end = resolve
      })
    }, options)
    this.done.catch(() => {})
  }

  readonly done: Promise<void>
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('Slots', () => {
  test('lets no more work begin than there are slots, in the order of the calls', async () => {
    const slots = new Slots(2)
    const jobs = Array.from({ length: 5 }, () => new Job(slots))
    expect(jobs.map(({ begun }) => begun)).toEqual([true, true, false, false, false])
    expect(slots.waiting).toBe(3)
    for (let i = 0; i < 3; i++) {
      jobs[i]?.end()
      await settled()
      expect(jobs.filter(({ begun }) => begun)).toHaveLength(i + 3)
      expect(jobs[i + 2]?.begun).toBe(true)
    }
    expect(slots.waiting).toBe(0)
  })

  test('gives a slot back whatever came of the work', async () => {
    const slots = new Slots(1)
    const failed = slots.run(async () => {
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    await expect(slots.run(async () => 'yes')).resolves.toBe('yes')
  })

  test('lets urgent work go first, and keeps slots for it', async () => {
    const slots = new Slots(3, { reserved: 1 })
    const jobs = Array.from({ length: 4 }, () => new Job(slots))
    expect(jobs.map(({ begun }) => begun)).toEqual([true, true, false, false])
    const first = new Job(slots, { urgent: true })
    const second = new Job(slots, { urgent: true })
    expect([first.begun, second.begun]).toEqual([true, false])
    jobs[0]?.end()
    await settled()
    expect([second.begun, jobs[2]?.begun]).toEqual([true, false])
    first.end()
    await settled()
    // Two slots are taken, and the third is kept.
    expect(jobs[2]?.begun).toBe(false)
    second.end()
    await settled()
    expect([jobs[2]?.begun, jobs[3]?.begun]).toEqual([true, false])
  })

  test('keeps none of a single slot', async () => {
    await expect(new Slots(1, { reserved: 5 }).run(async () => 1)).resolves.toBe(1)
    for (const wrong of [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new Slots(wrong)).toThrow(InvalidArgumentError)
    }
  })

  test('are shared by all users of a client', () => {
    const client = {}
    expect(slotsOf(client, 5)).toBe(slotsOf(client, 7))
    expect(slotsOf(client, 5)).not.toBe(slotsOf({}, 5))
  })

  test('lets go of who gives up at once, and leaves no listener', async () => {
    const slots = new Slots(1)
    const controller = new AbortController()
    const { signal } = controller
    const running = new Job(slots)
    const gone = new Job(slots, { signal })
    const last = new Job(slots, { signal: new AbortController().signal })
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(gone.done).rejects.toBe(reason)
    expect(slots.waiting).toBe(1)
    await expect(slots.run(async () => 1, { signal })).rejects.toBe(reason)
    running.end()
    await settled()
    expect([gone.begun, last.begun]).toEqual([false, true])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    last.end()
    await last.done
  })
})
