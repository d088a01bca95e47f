const PROGRAM = 'node packages/simulation/dist/main.js'

/**
 * What went wrong in the run of a seed, and the commands that show it again and make it smaller.
 */
export function failureInWords(seed: number, failure: string): string {
  return [
    `seed ${seed} failed: ${failure}`,
    `  replay: ${PROGRAM} --seed ${seed} --trace`,
    `  shrink: ${PROGRAM} --seed ${seed} --shrink seed-${seed}.json`,
  ].join('\n')
}
