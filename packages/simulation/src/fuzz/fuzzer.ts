import { utf8Encode } from '@firn/bytes'
import { isFirnError, systemEnv } from '@firn/env'
import { Random } from '../random.js'
import type { FuzzTarget } from './fuzz-target.js'
import { collectGarbage, takenBytes } from './memory.js'
import { mutate } from './mutate.js'
import { shrink } from './shrink.js'

/** The memory that a decoder may take in addition to its input. */
const MAX_TAKEN_BYTES: number = 64 * 1024 * 1024
/** A decoder that seems to have taken this much is measured again, alone. */
const SUSPECT_BYTES: number = 16 * 1024 * 1024
const YIELD_EVERY = 100
const REFUSALS: readonly string[] = ['FIRN_CORRUPTION', 'FIRN_FORMAT_VERSION']

export interface FuzzOptions {
  seed: number
  /** The number of the first input. Default 0. */
  first?: number
  /** Returns whether to make another input, after this many. */
  more: (done: number) => boolean
  /**
   * Called with the input's number before every call of the decoder: once, and again while the
   * input is made smaller.
   */
  onCall?: (number: number) => void
}

export interface FuzzReport {
  target: string
  inputs: number
  /** How many of them the decoder accepted. */
  taken: number
  failure?: FuzzFailure
}

interface FuzzFailure {
  /** The number of the input; with seed and target, it makes the input again. */
  number: number
  problem: string
  /** The smallest input found that fails in this way. */
  bytes: Uint8Array
}

/**
 * Feeds a decoder with damaged, hostile and random inputs, until one fails or there are no more. An
 * input follows from the target, the seed and its number, and from nothing else.
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, first = 0, more, onCall } = options
  const inputOf = await fuzzInputs(target, seed)
  const report: FuzzReport = { target: target.name, inputs: 0, taken: 0 }
  for (let number = first; more(report.inputs); number++) {
    const { bytes, valid } = inputOf(number)
    onCall?.(number)
    report.inputs++
    // Things that a decoder leaves to the event loop, such as zlib's handles, would add up
    // otherwise.
    if (report.inputs % YIELD_EVERY === 0) await systemEnv.yield()
    const outcome = await decodeOnce(target, bytes)
    if (outcome.taken) report.taken++
    const problem =
      outcome.problem ?? (valid && !outcome.taken ? 'what the encoder made is refused' : undefined)
    if (problem === undefined) continue
    const failsAlike = async (smaller: Uint8Array): Promise<boolean> => {
      onCall?.(number)
      const { problem: other } = await decodeOnce(target, smaller)
      return other !== undefined && kindOf(other) === kindOf(problem)
    }
    const smallest = valid ? bytes : await shrink(bytes, failsAlike, target.seal)
    report.failure = { number, problem, bytes: smallest }
    return report
  }
  return report
}

/** Makes the inputs of a target and a seed, by number. */
export async function fuzzInputs(
  target: FuzzTarget,
  seed: number,
): Promise<(number: number) => { bytes: Uint8Array; valid: boolean }> {
  const corpus = await target.corpus(new Random(seed, `corpus of ${target.name}`))
  const words = (target.words ?? []).map((word) => utf8Encode(word))
  return (number) => {
    const random = new Random(seed, `${target.name} ${number}`)
    const pick = (): Uint8Array => corpus[random.below(corpus.length)] as Uint8Array
    const kind = random.below(40)
    // All valid inputs are among the first ones: a decoder that refuses them isn't being fuzzed.
    const valid = corpus[number / 3]
    if (valid !== undefined) return { bytes: valid.slice(), valid: true }
    if (kind === 0) return { bytes: random.bytes(random.below(200)), valid: false }
    const bytes = mutate(pick().slice(), pick(), random, words)
    if (kind > 8) target.seal?.(bytes)
    return { bytes, valid: false }
  }
}

interface Outcome {
  taken: boolean
  problem?: string
}

async function decodeOnce(target: FuzzTarget, bytes: Uint8Array): Promise<Outcome> {
  const outcome = await decodeMeasured(target, bytes)
  if (outcome.takenBytes <= bytes.length + SUSPECT_BYTES) return outcome
  // Collected first, so that memory of earlier inputs doesn't count.
  collectGarbage()
  const alone = await decodeMeasured(target, bytes)
  if (alone.takenBytes <= bytes.length + MAX_TAKEN_BYTES) return alone
  const mebibytes = Math.round(alone.takenBytes / 2 ** 20)
  return { taken: false, problem: `memory: ${mebibytes} MiB for ${bytes.length} bytes of input` }
}

async function decodeMeasured(
  target: FuzzTarget,
  bytes: Uint8Array,
): Promise<Outcome & { takenBytes: number }> {
  const before = takenBytes()
  try {
    const pending = target.decode(bytes)
    // A decoder that returns no promise isn't awaited: this is ten times as fast.
    if (pending !== undefined) await pending
    return { taken: true, takenBytes: takenBytes() - before }
  } catch (error) {
    const refusals = target.refusals ?? REFUSALS
    const refused = refusals.some((code) => isFirnError(error, code))
    const problem = refused ? {} : { problem: told(error) }
    return { taken: false, ...problem, takenBytes: takenBytes() - before }
  }
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`
  const at = error.stack?.split('\n').find((line) => line.includes('    at '))
  return `${error.name}: ${error.message}${at === undefined ? '' : `,${at.replace(/ +/g, ' ')}`}`
}

/** Numbers in a message change while an input shrinks; the kind of failure doesn't. */
function kindOf(problem: string): string {
  return problem.replace(/\d+/g, '#').slice(0, 60)
}
