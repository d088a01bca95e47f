import { type DecisionMap, EVERYWHERE } from './decisions.js'

/** The result of a run, as far as shrinking needs it. */
export interface Outcome {
  /** Whether it failed like the run that is shrunk. */
  fails: boolean
  /** Its decisions that aren't 0: the given ones, without those that never came up. */
  made: DecisionMap
}

export interface ShrinkOptions {
  /** Ends after this many runs, with the best result so far. Default: 4000. */
  mostRuns?: number
  /** Called for each smaller run that is found. */
  onSmaller?: (size: number, runs: number) => void
}

export interface Shrunk {
  /** The smallest set of decisions found that fails. */
  decisions: DecisionMap
  /** How many runs it took. */
  runs: number
}

/** With fewer decisions than this, numbers are raised. */
const MEDIUM = 500
/** With fewer decisions than this, single ones are also lowered, and removed in pairs. */
const SMALL = 60
/** At least this many decisions of one kind are made alike, or raised. */
const ALIKE = 3
/** How many numbers are tried for all decisions of a kind. */
const VALUES_TRIED = 3
/** Larger than any bound of a number. */
const LARGE = 2 ** 31

/**
 * Makes a failing run smaller: removes decisions (a decision that isn't named is 0, the dull
 * choice), as many at once as it can, and asks `run` whether it still fails.
 *
 * 1. Cuts off what came late.
 * 2. Removes whole scopes, and all decisions of one kind, the largest first.
 * 3. Makes all decisions of one kind alike, by one in place of many: it is easier to read that
 *    everything takes this long, or that only puts are done, than what each of them is.
 * 4. Raises all numbers of one kind to their bound, which adds no decision: if a sum matters, such
 *    as the bytes that fill a memtable, fewer of them are enough.
 * 5. Removes runs of neighbours, by halves and quarters down to single ones (ddmin), late ones
 *    first, which leaves everything before them as it is.
 * 6. Lowers the remaining numbers, and removes pairs.
 *
 * Repeats from the second step, until nothing is removed any more.
 */
export async function shrink(
  decisions: DecisionMap,
  run: (decisions: DecisionMap) => Promise<Outcome>,
  options: ShrinkOptions = {},
): Promise<Shrunk> {
  const shrinker = new Shrinker(decisions, run, options)
  await shrinker.cut()
  for (let size = -1; size !== shrinker.size; ) {
    size = shrinker.size
    await shrinker.dropGroups()
    await shrinker.makeAlike()
    if (shrinker.size <= MEDIUM) await shrinker.raise()
    await shrinker.dropRuns()
    if (shrinker.size > SMALL) continue
    await shrinker.lower()
    await shrinker.dropPairs()
  }
  return { decisions: shrinker.best, runs: shrinker.runs }
}

class Shrinker {
  /** The smallest failing decisions so far, in the order in which they came up. */
  best: DecisionMap
  runs = 0
  readonly #run: (decisions: DecisionMap) => Promise<Outcome>
  readonly #options: ShrinkOptions
  readonly #mostRuns: number
  /** Candidates that didn't fail. */
  readonly #tried: Set<string> = new Set()

  constructor(
    start: DecisionMap,
    run: (decisions: DecisionMap) => Promise<Outcome>,
    options: ShrinkOptions,
  ) {
    this.best = start
    this.#run = run
    this.#options = options
    this.#mostRuns = options.mostRuns ?? 4000
  }

  get size(): number {
    return this.best.size
  }

  /** Keeps as few of the first decisions as it can. */
  async cut(): Promise<void> {
    let least = 0
    while (least < this.size) {
      const kept = (least + this.size) >>> 1
      const first = [...this.best].slice(0, kept)
      if (!(await this.#try(new Map(first)))) least = kept + 1
    }
  }

  async dropGroups(): Promise<void> {
    const failed = new Set<string>()
    for (;;) {
      const groups = [...groupsOf(this.best)].filter(([name]) => !failed.has(name))
      // Of two groups of one size, takes the later one.
      const [largest] = groups.reverse().sort(([, a], [, b]) => b.length - a.length)
      if (largest === undefined || largest[1].length < 2) return
      const [name, keys] = largest
      failed.add(name)
      await this.#drop(keys)
    }
  }

  /** Replaces all decisions of a kind by one, with one of the numbers that come up most. */
  async makeAlike(): Promise<void> {
    const tried = new Set<string>()
    for (;;) {
      const kinds = [...kindsOf(this.best)].filter(([kind]) => !tried.has(kind))
      const [largest] = kinds.sort(([, a], [, b]) => b.length - a.length)
      if (largest === undefined || largest[1].length < ALIKE) return
      const [kind, keys] = largest
      tried.add(kind)
      const others = new Map(this.best)
      for (const key of keys) others.delete(key)
      for (const value of this.#commonest(keys)) {
        if (await this.#try(new Map([[EVERYWHERE + kind, value], ...others]))) break
      }
    }
  }

  #commonest(keys: readonly string[]): number[] {
    const counts = new Map<number, number>()
    for (const key of keys) {
      const value = this.best.get(key) ?? 0
      counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    return [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, VALUES_TRIED)
      .map(([value]) => value)
  }

  /** Raises the numbers of each kind, except times, which only order what happens. */
  async raise(): Promise<void> {
    const kinds = kindsOf(this.best)
    kinds.delete('at')
    for (const keys of kinds.values()) {
      if (keys.length < ALIKE) continue
      const raised = keys.map((key) => [key, LARGE] as const)
      await this.#try(new Map([...this.best, ...raised]))
    }
  }

  async dropRuns(): Promise<void> {
    for (let length = this.size >>> 1; length > 0; length >>>= 1) {
      for (let end = this.size; end > 0; end = Math.min(end - length, this.size)) {
        const keys = [...this.best.keys()].slice(Math.max(0, end - length), end)
        await this.#drop(keys)
      }
    }
  }

  async dropPairs(): Promise<void> {
    for (const first of [...this.best.keys()].reverse()) {
      for (const second of [...this.best.keys()].reverse()) {
        if (first === second) break
        if (await this.#drop([first, second])) break
      }
    }
  }

  /** Makes each number as small as a few tries find. */
  async lower(): Promise<void> {
    for (const key of [...this.best.keys()].reverse()) {
      let least = 1
      for (let value = this.best.get(key) ?? 0; least < value; value = this.best.get(key) ?? 0) {
        const lower = least === 1 ? 1 : Math.floor((least + value) / 2)
        if (!(await this.#try(new Map([...this.best, [key, lower]])))) least = lower + 1
      }
    }
  }

  #drop(keys: readonly string[]): Promise<boolean> {
    const fewer = new Map(this.best)
    for (const key of keys) fewer.delete(key)
    return this.#try(fewer)
  }

  /** Returns whether these decisions fail as well; if so, they are the best so far. */
  async #try(candidate: DecisionMap): Promise<boolean> {
    const name = JSON.stringify([...candidate])
    if (this.runs >= this.#mostRuns || this.#tried.has(name)) return false
    this.runs++
    const { fails, made } = await this.#run(candidate)
    if (!fails) {
      this.#tried.add(name)
      return false
    }
    const isSmaller = made.size < this.size
    this.best = made
    if (isSmaller) this.#options.onSmaller?.(made.size, this.runs)
    return true
  }
}

/**
 * Returns decisions that may be removed together: those of each scope, and those of one kind,
 * everywhere or in one scope.
 */
function groupsOf(decisions: DecisionMap): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const [kind, keys] of kindsOf(decisions)) groups.set(`all ${kind}`, keys)
  for (const key of decisions.keys()) {
    for (let end = key.indexOf('/'); end >= 0; end = key.indexOf('/', end + 1)) {
      const scope = key.slice(0, end + 1)
      add(groups, scope, key)
      add(groups, `${scope} ${kindOf(key)}`, key)
    }
  }
  return groups
}

/** Groups decisions by what is decided, each with its places. */
function kindsOf(decisions: DecisionMap): Map<string, string[]> {
  const kinds = new Map<string, string[]>()
  for (const key of decisions.keys()) {
    if (!key.startsWith(EVERYWHERE)) add(kinds, kindOf(key), key)
  }
  return kinds
}

function kindOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1).replace(/#\d+$/, '')
}

function add(groups: Map<string, string[]>, group: string, key: string): void {
  const keys = groups.get(group)
  if (keys === undefined) groups.set(group, [key])
  else keys.push(key)
}
