import { concatBytes } from '@firn/bytes'
import { CommandError } from '../errors.js'
import { decodeUtf16, isWellFormed } from '../text/utf16.js'
import { kindOfBinary, recode } from './binary-kinds.js'
import type { InputFile } from './input-file.js'

/** The length of the longest mark or magic number. */
const HEAD_BYTES = 16
/**
 * The length of most of them: enough if a first line ends in it, because more may take long to
 * come.
 */
const SHORT_HEAD_BYTES = 4
const NEWLINE = 0x0a

/** The text of a file as UTF-8, without a byte-order mark. */
export interface TextInput {
  readonly chunks: AsyncIterable<Uint8Array>
  /**
   * Where in the file the text begins. `undefined` if the file isn't UTF-8: then offsets in
   * `chunks` aren't offsets in the file.
   */
  readonly start: number | undefined
}

/**
 * Reads the beginning of a file and decides how to read the rest: as UTF-8, or as UTF-16 with a
 * byte-order mark, which is converted to UTF-8. Throws `CommandError` with the code
 * `FIRN_BAD_INPUT` for anything else. Later bytes that aren't UTF-8 are left for the reader of
 * lines to find.
 */
export async function textOf(input: Pick<InputFile, 'name' | 'chunks'>): Promise<TextInput> {
  const chunks = new Lookahead(input.chunks())
  const head = await chunks.peek(enoughToJudge)
  const refused = (kind: string, advice: string): CommandError =>
    new CommandError(
      'FIRN_BAD_INPUT',
      `${input.name}: this is ${kind}, not UTF-8 text; nothing is loaded; ${advice}`,
    )
  if (begins(head, [0xef, 0xbb, 0xbf])) {
    return { chunks: chunks.from(3), start: 3 }
  }
  if (begins(head, [0xff, 0xfe, 0, 0]) || begins(head, [0, 0, 0xfe, 0xff])) {
    throw refused('UTF-32', recode('UTF-32'))
  }
  for (const order of ['le', 'be'] as const) {
    if (!begins(head, order === 'le' ? [0xff, 0xfe] : [0xfe, 0xff])) continue
    return { chunks: utf8Of(chunks.from(2), order, input.name), start: undefined }
  }
  const binary = kindOfBinary(head)
  if (binary !== undefined) throw refused(binary.kind, binary.advice)
  return { chunks: chunks.from(0), start: 0 }
}

function begins(head: Uint8Array, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => head[i] === byte)
}

function enoughToJudge(head: Uint8Array): boolean {
  if (head.length >= HEAD_BYTES) return true
  return head.length >= SHORT_HEAD_BYTES && head.includes(NEWLINE)
}

/** A stream whose beginning can be examined first. */
class Lookahead {
  readonly #chunks: AsyncIterator<Uint8Array>
  #head: Uint8Array = new Uint8Array(0)
  #failure: { error: unknown } | undefined

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Returns the beginning, until it is `enough`, or all there is. */
  async peek(enough: (head: Uint8Array) => boolean): Promise<Uint8Array> {
    try {
      while (!enough(this.#head)) {
        const next = await this.#chunks.next()
        if (next.done === true) break
        this.#head = this.#head.length === 0 ? next.value : concatBytes([this.#head, next.value])
      }
    } catch (error) {
      // Thrown again after the bytes that were read before it.
      this.#failure = { error }
    }
    return this.#head
  }

  /** Yields everything from byte `start` on, which must be in the beginning. */
  async *from(start: number): AsyncGenerator<Uint8Array> {
    try {
      const head = this.#head.subarray(start)
      this.#head = new Uint8Array(0)
      if (head.length > 0) yield head
      if (this.#failure !== undefined) throw this.#failure.error
      for (let next = await this.#chunks.next(); next.done !== true; ) {
        yield next.value
        next = await this.#chunks.next()
      }
    } finally {
      await this.#chunks.return?.()
    }
  }
}

async function* utf8Of(
  chunks: AsyncIterable<Uint8Array>,
  order: 'le' | 'be',
  name: string,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  // Half a unit, or the first half of a pair, that waits for its other half.
  let held: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : concatBytes([held, chunk])
    let end = bytes.length & ~1
    const last = bytes[end - (order === 'le' ? 1 : 2)] ?? 0
    if (end > 0 && (last & 0xfc) === 0xd8) end -= 2
    held = bytes.subarray(end)
    const text = decodeUtf16(bytes.subarray(0, end), order)
    if (!isWellFormed(text)) throw brokenUtf16(name)
    if (text !== '') yield encoder.encode(text)
  }
  if (held.length > 0) throw brokenUtf16(name)
}

function brokenUtf16(name: string): CommandError {
  return new CommandError(
    'FIRN_BAD_INPUT',
    `${name}: the file begins as UTF-16, but contains half a character; check whether it is cut off`,
  )
}
