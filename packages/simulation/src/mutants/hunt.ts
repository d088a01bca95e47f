import { type Failed, inParallel, type Outcome, runJob } from './job.js'
import { MUTANTS } from './mutants.js'

/** The result of a hunt for mutants. */
export interface Hunt {
  /** Mutants that were found, by name. */
  found: Map<string, Failed>
  /** Mutants that passed every seed. */
  survivors: string[]
  /** A failure of the unchanged code with a seed that found a mutant; no seed if all passed. */
  control: Outcome
}

export interface HuntOptions {
  /** Mutants to look for. Default: all. */
  names?: readonly string[]
  /** Seeds that are tried first. */
  known?: ReadonlyMap<string, number>
  /** Tries the seeds from 1 to this one. */
  mostSeeds: number
  /** How many processes run at a time. */
  jobs: number
  /** Whether to make failing runs smaller. */
  shrinks: boolean
  onOutcome?: (name: string, outcome: Outcome) => void
}

/**
 * Looks for a seed that finds each mutant. The unchanged code must pass all these seeds: otherwise
 * they found something else.
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
