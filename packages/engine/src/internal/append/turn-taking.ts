import type { Env } from '@firn/env'

/**
 * Commits in a row until others get a turn: at first, where turns are given in vain, and where they
 * aren't.
 */
const FIRST_STREAK = 64
const LONGEST_STREAK = 256
const SHORTEST_STREAK = 4
/**
 * How many appends long a turn is. A process that lost a race reads who won, reads that nothing
 * follows, and appends: that takes two and a half from the moment at which the winner is answered.
 * One that is further behind, as it must be after a long streak, takes longer.
 */
const SHORTEST_TURN = 2
const LONGEST_TURN = 3
const COMMITS_PER_APPEND = 128
const LONGEST_TURN_MS = 500
/** The latest append counts by this share. */
const NEWS = 1 / 8

/**
 * Fairness between the processes that append to one log. The one that committed last knows the
 * log's end, and the others have to read it first: if it went on at once, it would win for ever. So
 * it pauses after some commits, for as long as others need for an append. Where another process was
 * first meanwhile, it pauses after each commit from then on; where none was, twice as rarely each
 * time: a process that is alone loses one part in a hundred.
 */
export class TurnTaking {
  readonly #env: Env
  #streak = 0
  #longestStreak = FIRST_STREAK
  /** Whether others had a turn, and it isn't known yet if one took it. */
  #offered = false
  #appendMs: number | undefined
  #committedAtMs = 0

  constructor(env: Env) {
    this.#env = env
  }

  /**
   * For how many milliseconds the next commit is to wait; what is over of that since the last one
   * is left out.
   */
  pauseMs(): number {
    if (this.#streak < this.#longestStreak) return 0
    const turn = SHORTEST_TURN + this.#env.random() * (LONGEST_TURN - SHORTEST_TURN)
    const appends = turn + this.#streak / COMMITS_PER_APPEND
    const turnMs = Math.min(LONGEST_TURN_MS, appends * (this.#appendMs ?? 0))
    this.#streak = 0
    this.#offered = true
    return Math.max(0, this.#committedAtMs + turnMs - this.#env.monotonic())
  }

  /** This process committed, with an append that took so many milliseconds. */
  committed(appendMs: number): void {
    const before = this.#appendMs
    // One that is late says little of the others.
    this.#appendMs =
      before === undefined ? appendMs : before + (Math.min(appendMs, 4 * before) - before) * NEWS
    this.#committedAtMs = this.#env.monotonic()
    this.#streak++
    if (!this.#offered) return
    this.#offered = false
    this.#longestStreak = Math.min(LONGEST_STREAK, this.#longestStreak * 2)
  }

  /** Another process was first. */
  lost(): void {
    this.#streak = 0
    this.#offered = false
    this.#longestStreak = SHORTEST_STREAK
  }
}
