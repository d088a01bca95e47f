import { InvalidArgumentError } from './errors.js'

export interface SlotOptions {
  /** Goes ahead of work that isn't urgent, and may use the slots that are kept for urgent work. */
  urgent?: boolean | undefined
  /** Gives up waiting for a slot. It doesn't end work that has one. */
  signal?: AbortSignal | undefined
}

/**
 * Bounds how much work is under way at once. Work that finds no slot waits in the order of the
 * calls, for as long as it takes.
 */
export class Slots {
  readonly #reserved: number
  #free: number
  // A set keeps the order, and callers that give up can be removed from it.
  readonly #urgent: Set<() => void> = new Set()
  readonly #others: Set<() => void> = new Set()

  /** `reserved` of the slots are for urgent work only. */
  constructor(slots: number, { reserved = 0 }: { reserved?: number } = {}) {
    if (!(Number.isSafeInteger(slots) && slots >= 1)) {
      throw new InvalidArgumentError(`there must be 1 slot or more, got ${String(slots)}`)
    }
    this.#free = slots
    this.#reserved = Math.min(reserved, slots - 1)
  }

  /** Number of callers that wait for a slot. */
  get waiting(): number {
    return this.#urgent.size + this.#others.size
  }

  /**
   * Runs the work once a slot is free. Rejects with the signal's reason if the signal aborts first.
   */
  async run<T>(work: () => Promise<T>, options: SlotOptions = {}): Promise<T> {
    const { urgent = false, signal } = options
    signal?.throwIfAborted()
    if (this.#hasRoom(urgent)) this.#free--
    else await this.#wait(urgent ? this.#urgent : this.#others, signal)
    try {
      return await work()
    } finally {
      this.#free++
      this.#wakeNext()
    }
  }

  #hasRoom(urgent: boolean): boolean {
    if (urgent) return this.#free > 0
    return this.#free > this.#reserved && this.waiting === 0
  }

  #wait(queue: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = (): void => {
        queue.delete(begin)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      queue.add(begin)
    })
  }

  /** Passes the freed slot to the next caller. */
  #wakeNext(): void {
    const [urgent] = this.#urgent
    const [other] = this.#others
    if (urgent !== undefined) this.#urgent.delete(urgent)
    else if (other !== undefined && this.#free > this.#reserved) this.#others.delete(other)
    else return
    this.#free--
    const begin = urgent ?? other
    begin?.()
  }
}

/** Slots that `slotsOf` keeps for urgent work: one of eight, and no more than these. */
const MOST_RESERVED = 2
const SLOTS_PER_RESERVED = 8

const shared: WeakMap<object, Slots> = new WeakMap()

/**
 * The slots that all users of an object share, such as the connections of a client. Its first user
 * says how many. Of eight or more, one or two are kept for urgent work.
 */
export function slotsOf(owner: object, slots: number): Slots {
  let found = shared.get(owner)
  if (found === undefined) {
    const reserved = Math.min(MOST_RESERVED, Math.floor(slots / SLOTS_PER_RESERVED))
    found = new Slots(slots, { reserved })
    shared.set(owner, found)
  }
  return found
}
