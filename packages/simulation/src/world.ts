import { systemEnv } from '@firn/env'
import type { Decisions } from './decisions.js'
import { type Event, EventQueue, type Owner } from './event-queue.js'
import { Trace } from './trace.js'
import { Turns } from './turns.js'
import { EndlessRun, Violation } from './violation.js'

/**
 * Virtual time, and what happens in it, one event at a time:
 *
 * 1. The soonest event runs. It is synchronous: at most, it settles promises.
 * 2. The world waits until everything is done that follows from it (`Turns`). Nothing in a
 *    simulation does I/O or sets a timer, so nothing else is ever ready. Only then does the next
 *    event run.
 *
 * So what happens depends on the decisions alone.
 */
export class World {
  readonly decisions: Decisions
  readonly trace: Trace = new Trace()
  /** Milliseconds since the world began. */
  nowMs = 0
  readonly #queue: EventQueue = new EventQueue()
  readonly #turns: Turns = new Turns()
  #scheduled = 0
  #failure: Violation | undefined
  events = 0
  /** A run with more events makes no progress. */
  mostEvents = 1_000_000

  constructor(decisions: Decisions) {
    this.decisions = decisions
  }

  /** Schedules an event. Returns a function that cancels it. */
  after(delayMs: number, owner: Owner | undefined, what: string, run: () => void): () => void {
    const at = this.nowMs + Math.max(0, delayMs)
    const event: Event = { at, sequence: this.#scheduled++, owner, what, run }
    this.#queue.push(event)
    return () => {
      event.run = undefined
    }
  }

  /** Records what happened at this moment. */
  note(what: string): void {
    this.trace.add(this.nowMs, what)
  }

  /** Ends the run with something that must not happen. The first violation counts. */
  fail(violation: Violation): void {
    this.#failure ??= violation
  }

  /** Runs events until `done`. Throws the first `Violation`. */
  async runUntil(done: () => boolean, options: { withinMs: number; what: string }): Promise<void> {
    const deadline = this.nowMs + options.withinMs
    await this.#settle()
    while (!done()) {
      const event = this.#queue.pop()
      if (event === undefined) {
        throw new Violation(
          `${options.what}: nothing is going to happen any more; a promise will never settle, or waits for the real world`,
        )
      }
      if (!this.#isDue(event)) continue
      if (event.at > deadline) {
        throw new Violation(`${options.what}: not done after ${options.withinMs} ms`)
      }
      await this.#run(event)
    }
  }

  /** Runs all remaining events, however late. Returns descriptions of the events of processes. */
  async runOut(): Promise<string[]> {
    const ofProcesses: string[] = []
    await this.#settle()
    for (let event = this.#queue.pop(); event !== undefined; event = this.#queue.pop()) {
      if (!this.#isDue(event)) continue
      if (event.owner !== undefined) ofProcesses.push(event.what)
      await this.#run(event)
    }
    return ofProcesses
  }

  /** Runs events as they come, for code outside a simulation, until it is stopped. */
  live(): () => void {
    let stopped = false
    const go = async (): Promise<void> => {
      while (!stopped) {
        const event = this.#queue.pop()
        if (event === undefined) await systemEnv.yield()
        else if (this.#isDue(event)) await this.#run(event)
      }
    }
    void go()
    return () => {
      stopped = true
    }
  }

  #isDue(event: Event): boolean {
    const { owner } = event
    if (event.run === undefined || owner?.alive === false) return false
    if (owner === undefined || owner.pausedUntil <= event.at) return true
    event.at = owner.pausedUntil
    this.#queue.push(event)
    return false
  }

  async #run(event: Event): Promise<void> {
    if (++this.events > this.mostEvents) {
      throw new EndlessRun(this.mostEvents)
    }
    this.nowMs = event.at
    this.trace.add(this.nowMs, event.what)
    event.run?.()
    await this.#settle()
  }

  async #settle(): Promise<void> {
    await this.#turns.next()
    if (this.#failure !== undefined) throw this.#failure
  }
}
