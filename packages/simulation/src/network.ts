import type { Decisions } from './decisions.js'
import { type FaultKind, type Faults, isDamage } from './faults.js'
import type { Life } from './sim-process.js'
import type { World } from './world.js'

/** A request to a service. */
export interface Exchange<T> {
  /** Description for the trace. */
  what: string
  /** Faults that the request can meet. */
  faults: readonly FaultKind[]
  /** Applies the request at one instant, and returns or throws the answer. */
  apply(): T
  /** Returns the client's error if a fault keeps the answer from it. */
  failure(kind: FaultKind): unknown
  /** Returns the answer as a fault garbles it. Default: unchanged. */
  garble?(answer: T, kind: FaultKind): T
  /** Returns a refusal as a fault garbles it: a refusal may contain data, too. */
  garbleRefusal?(error: unknown, kind: FaultKind): unknown
  signal?: AbortSignal | undefined
  /** How much longer the request takes, at most, each way, in milliseconds. */
  slowness?: { thereMs: number; backMs: number } | undefined
}

const SLOW = 100
/** Factor: a client that waits for a lost answer learns of it this much later. */
const LOST = 20
/** The latest arrival of a late request, in milliseconds. */
const LATE_MS = 120_000
/** The latest arrival of a request that nothing waits for any more. */
const VERY_LATE_MS = 24 * 3_600_000
const LATENCY_STEPS = 16

type Answer<T> = { value: T } | { error: unknown }

/**
 * The way to a service and back. A request arrives some time after it was sent, is applied at one
 * instant, and its answer arrives some time later. Others act between the three, and the process
 * that asks may crash, which prevents neither the request nor its effect.
 */
export class Network {
  readonly faults: Faults
  readonly #world: World
  readonly #latencyMs: number

  constructor(world: World, faults: Faults, latencyMs: number) {
    this.#world = world
    this.faults = faults
    this.#latencyMs = latencyMs
  }

  get world(): World {
    return this.#world
  }

  send<T>(life: Life, exchange: Exchange<T>): Promise<T> {
    const { what, signal } = exchange
    const [verb = what] = what.split(' ', 1)
    const decisions = life.decisions.scope(this.faults.service).scope(verb)
    const fault = this.faults.draw(decisions, exchange.faults, this.#world.nowMs)
    if (fault !== undefined) this.#world.note(`${life.name}: ${what} will meet ${fault}`)
    return new Promise<T>((resolve, reject) => {
      let waits = true
      let forget = (): void => {}
      const onAbort = (): void => {
        waits = false
        forget()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const answer = (delayMs: number, given: Answer<T>): void => {
        const outcome = 'error' in given ? `failed (${wordsOf(given.error)})` : 'answered'
        // A client that gave up doesn't wait for an answer.
        if (!waits) return
        forget = life.after(delayMs, `${what} ${outcome}`, () => {
          signal?.removeEventListener('abort', onAbort)
          if (fault !== undefined && isDamage(fault)) life.garbled++
          if ('error' in given) reject(given.error)
          else resolve(given.value)
        })
      }
      this.#deliver(exchange, fault, decisions, answer)
    })
  }

  #deliver<T>(
    exchange: Exchange<T>,
    fault: FaultKind | undefined,
    decisions: Decisions,
    answer: (delayMs: number, given: Answer<T>) => void,
  ): void {
    const { what } = exchange
    const { thereMs = 0, backMs = 0 } = exchange.slowness ?? {}
    const there = this.#latency(decisions, fault) + this.#longer(decisions, thereMs)
    const back = this.#latency(decisions, fault) + this.#longer(decisions, backMs)
    const apply = (how = 'applied'): Answer<T> => {
      const given = attempt(() => exchange.apply())
      this.#world.note(`${what} ${'error' in given ? `refused (${wordsOf(given.error)})` : how}`)
      return given
    }
    const at = (delayMs: number, run: () => void): void => {
      this.#world.after(delayMs, undefined, `${what} arrives`, run)
    }
    switch (fault) {
      case 'fail-before':
      case 'throttled':
      case 'conflict':
        answer(there + back, { error: exchange.failure(fault) })
        return
      case 'late-apply':
        answer(there + back, { error: exchange.failure(fault) })
        at(this.#late(decisions), () => apply('applied late'))
        return
      case 'very-late':
        answer(there + back, { error: exchange.failure(fault) })
        at(decisions.choose('very late', VERY_LATE_MS), () => apply('applied very late'))
        return
      case 'lost-reply':
        at(there, () => {
          apply()
          answer(back * LOST, { error: exchange.failure(fault) })
        })
        return
      case 'applied-twice':
        at(there, () => {
          answer(back, apply())
          at(this.#late(decisions), () => apply('applied again'))
        })
        return
      case 'own-refusal':
        at(there, () => {
          apply()
          at(this.#latency(decisions, undefined), () => answer(back, apply('applied again')))
        })
        return
      default:
        at(there, () => {
          const given = apply()
          const garbled = fault === undefined ? given : garble(exchange, given, fault)
          answer(back, garbled)
        })
    }
  }

  #latency(decisions: Decisions, fault: FaultKind | undefined): number {
    const steps = decisions.choose('latency', LATENCY_STEPS)
    const ms = this.#latencyMs * (0.5 + steps / LATENCY_STEPS)
    return fault === 'slow' ? ms * SLOW : ms
  }

  /**
   * The extra time of a slow service, while faults last: later, nothing waits for slow services.
   */
  #longer(decisions: Decisions, mostMs: number): number {
    if (mostMs === 0 || !this.faults.areOn) return 0
    return (mostMs * decisions.choose('longer', LATENCY_STEPS + 1)) / LATENCY_STEPS
  }

  #late(decisions: Decisions): number {
    // Mostly soon, while its operation is still under way: a seventh within 50 ms.
    const share = decisions.choose('late', 1000) / 1000
    return this.#latencyMs + share ** 4 * LATE_MS
  }
}

function garble<T>(exchange: Exchange<T>, given: Answer<T>, fault: FaultKind): Answer<T> {
  if ('error' in given) {
    return { error: exchange.garbleRefusal?.(given.error, fault) ?? given.error }
  }
  return exchange.garble === undefined ? given : { value: exchange.garble(given.value, fault) }
}

function attempt<T>(run: () => T): Answer<T> {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}

function wordsOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown }
  return String(code ?? name)
}
