/** 2026, in microseconds since the epoch. */
const BASE_MICROS = 1_770_000_000_000_000
const YEAR_MICROS = 365 * 86_400_000_000

/**
 * The clocks of one machine. The wall clock is off, runs too fast or too slow, jumps by years and
 * stops; the monotonic one shares only its rate.
 */
export class Clock {
  /** Milliseconds of this clock for each millisecond of the world. */
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

  /** Moves the wall clock a number of years, maybe negative, away from the right time. */
  jump(years: number): void {
    this.#offsetMicros = Math.round(years * YEAR_MICROS)
  }

  /** Stops the wall clock until `start`. */
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
