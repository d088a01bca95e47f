/**
 * The process that owns an event. A dead owner's events are dropped; a paused owner's events wait.
 */
export interface Owner {
  readonly alive: boolean
  /** In milliseconds of the world's time. */
  readonly pausedUntil: number
}

export interface Event {
  at: number
  /** The order of events of one time: the order in which they were scheduled. */
  sequence: number
  owner: Owner | undefined
  /** In words, for the trace. */
  what: string
  /** `undefined` if the event was cancelled. */
  run: (() => void) | undefined
}

/** Future events, soonest first: a binary heap. */
export class EventQueue {
  readonly #heap: Event[] = []

  get size(): number {
    return this.#heap.length
  }

  push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const above = (at - 1) >>> 1
      const parent = heap[above] as Event
      if (!isBefore(event, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = event
  }

  pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      const right = heap[below + 1]
      if (right !== undefined && isBefore(right, heap[below] as Event)) below++
      const child = heap[below] as Event
      if (!isBefore(child, last)) break
      heap[at] = child
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}
