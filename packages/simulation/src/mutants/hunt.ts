import { type Failed, inParallel, type Outcome, runJob } from './job.js'
import { MUTANTS } from './mutants.js'

/** What became of the mutants. */
export interface Hunt {
  /** Those that were found, by name. */
  found: Map<string, Failed>
  /** Those that passed every seed. */
  survivors: string[]
  /** What the code as it is did with a seed that found a mutant, where that wasn't to pass. */
  control: Outcome
}

export interface HuntOptions {
  /** Mutants to look for. Default: all. */
  names?: readonly string[]
  /** Seeds that are tried first. */
  known?: ReadonlyMap<string, number>
  /** Seeds from 1 on that are tried. */
  mostSeeds: number
  /** Processes at a time. */
  jobs: number
  /** Whether to make failing runs small. */
  shrinks: boolean
  onOutcome?: (name: string, outcome: Outcome) => void
}

/**
 * Looks for a seed that finds each mutant. The code as it is must pass all those seeds: else they
 * found something else.
 */
export async function hunt(options: HuntOptions): Promise<Hunt> {
  const { known, mostSeeds, jobs, shrinks, onOutcome } = options
  const names = options.names ?? MUTANTS.map(({ name }) => name)
  const all = Array.from({ length: mostSeeds }, (_, i) => i + 1)
  const found = new Map<string, Failed>()
  const survivors: string[] = []
  const searches = names.map((name) => async () => {
    const first = known?.get(name)
    const seeds = first === undefined ? all : [first, ...all]
    const outcome = await runJob({ mutant: name, seeds, shrinks })
    if (outcome.seed === undefined) survivors.push(name)
    else found.set(name, outcome)
    onOutcome?.(name, outcome)
  })
  await inParallel(searches, jobs)
  const seeds = [...new Set([...found.values()].map(({ seed }) => seed))]
  const shares = Array.from({ length: jobs }, (_, share) =>
    seeds.filter((_, i) => i % jobs === share),
  )
  const controls = await inParallel(
    shares.map((share) => () => runJob({ mutant: undefined, seeds: share, shrinks: false })),
    jobs,
  )
  const failed = controls.find(({ seed }) => seed !== undefined)
  return { found, survivors, control: failed ?? { seed: undefined } }
}
