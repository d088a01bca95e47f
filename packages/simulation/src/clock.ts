/** 2026, in microseconds since the epoch. */
const BASE_MICROS = 1_770_000_000_000_000
const YEAR_MICROS = 365 * 86_400_000_000

/**
 * The clocks of one machine: a wall clock that is off, runs too fast or too slow, jumps by years
 * and stops, and a monotonic one that shares its rate alone.
 */
export class Clock {
  /** What it shows for each millisecond of the world. */
  readonly rate: number
  #offsetMicros: number
  #stoppedAt: number | undefined

  constructor(options: { rate: number; offsetMicros: number }) {
    this.rate = options.rate
    this.#offsetMicros = options.offsetMicros
  }

  wallMicros(worldMs: number): number {
    return BASE_MICROS + this.#offsetMicros + this.#run(this.#stoppedAt ?? worldMs)
  }

  monotonicMs(worldMs: number): number {
    return worldMs * this.rate
  }

  /** Sets the wall clock to a number of years, which may be negative, away from the right time. */
  jump(years: number): void {
    this.#offsetMicros = Math.round(years * YEAR_MICROS)
  }

  /** The wall clock stands still until `start`. */
  stop(worldMs: number): void {
    this.#stoppedAt ??= worldMs
  }

  start(): void {
    this.#stoppedAt = undefined
  }

  #run(worldMs: number): number {
    return Math.floor(worldMs * 1000 * this.rate)
  }
}
