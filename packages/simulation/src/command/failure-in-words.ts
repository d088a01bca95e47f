const PROGRAM = 'node packages/simulation/dist/main.js'

/**
 * Describes what went wrong in a seed's run, with the commands that replay it and make it smaller.
 */
export function failureInWords(seed: number, failure: string): string {
  return [
    `seed ${seed} failed: ${failure}`,
    `  replay: ${PROGRAM} --seed ${seed} --trace`,
    `  shrink: ${PROGRAM} --seed ${seed} --shrink seed-${seed}.json`,
  ].join('\n')
}
