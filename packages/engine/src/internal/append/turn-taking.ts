import type { Env } from '@firn/env'

/**
 * Number of commits in a row before others get a turn: at first, while other processes don't use
 * their turns, and when they do.
 */
const FIRST_STREAK = 64
const LONGEST_STREAK = 256
const SHORTEST_STREAK = 4
/**
 * Length of a turn, in appends. A process that lost a race reads the winning entry, reads that none
 * follows, and appends: two and a half appends from when the winner gets its reply. A process
 * further behind, as after a long streak, takes longer.
 */
const SHORTEST_TURN = 2
const LONGEST_TURN = 3
const COMMITS_PER_APPEND = 128
const LONGEST_TURN_MS = 500
/** Weight of the latest append in the average. */
const NEWS = 1 / 8

/**
 * Keeps processes that append to one log fair to each other. The process that committed last knows
 * the log's end, while others have to read it first: if it went on at once, it would win forever.
 * So it pauses after some commits, for as long as others need for an append. After it has lost a
 * race, it pauses every few commits; each time no other process uses the pause, half as often. A
 * process that is alone loses one part in a hundred.
 */
export class TurnTaking {
  readonly #env: Env
  #streak = 0
  #longestStreak = FIRST_STREAK
  /** Whether others had a turn, and it isn't known yet if one of them used it. */
  #offered = false
  #appendMs: number | undefined
  #committedAtMs = 0

  constructor(env: Env) {
    this.#env = env
  }

  /**
   * Returns how many milliseconds the next commit has to wait, less the time since the last one.
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

  /** Records a commit of this process, whose append took this many milliseconds. */
  committed(appendMs: number): void {
    const before = this.#appendMs
    // A single late append says little about others.
    this.#appendMs =
      before === undefined ? appendMs : before + (Math.min(appendMs, 4 * before) - before) * NEWS
    this.#committedAtMs = this.#env.monotonic()
    this.#streak++
    if (!this.#offered) return
    this.#offered = false
    this.#longestStreak = Math.min(LONGEST_STREAK, this.#longestStreak * 2)
  }

  /** Records that another process was first. */
  lost(): void {
    this.#streak = 0
    this.#offered = false
    this.#longestStreak = SHORTEST_STREAK
  }
}
