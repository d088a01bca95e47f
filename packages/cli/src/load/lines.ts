import { concatBytes } from '@firn/bytes'
import type { TextInput } from './text-input.js'

const NEWLINE = 0x0a

/** A line of a file. */
export interface Line {
  /** Counted from 1. */
  readonly number: number
  /** Where in the file the line begins; `undefined` if the file isn't UTF-8. */
  readonly offset: number | undefined
  /**
   * The line without its LF. A CR before the LF is kept: whether it belongs to the line's end
   * depends on the format. Valid until the next lines are requested.
   */
  readonly bytes: Uint8Array
  /** False only for a last line without an LF. */
  readonly ended: boolean
  /** Whether the line is longer than allowed: then `bytes` holds only the first few bytes. */
  readonly tooLong: boolean
}

const NOTHING = new Uint8Array(0)
const FIRST_FEW = 16

/**
 * Splits a text into lines, and yields the lines of one chunk at a time. The last line needs no LF.
 * Holds at most `maxBytes` and a chunk, however long a line is.
 */
export async function* linesOf(
  { chunks, start }: TextInput,
  maxBytes: number,
): AsyncGenerator<readonly Line[]> {
  let number = 1
  let lineStart = start ?? 0
  // The pieces of an incomplete line: joined once, however many they are.
  let pieces: Uint8Array[] = []
  let length = 0
  /** The first few bytes of a line that is too long. */
  let beginning: Uint8Array | undefined
  const end = (piece: Uint8Array, ended: boolean): Line => {
    const whole = length + piece.length
    const tooLong = whole > maxBytes
    if (tooLong) beginning ??= (pieces[0] ?? piece).slice(0, FIRST_FEW)
    const joined = pieces.length === 0 ? piece : concatBytes([...pieces, piece])
    const line = {
      number,
      offset: start === undefined ? undefined : lineStart,
      bytes: beginning ?? joined,
      ended,
      tooLong,
    }
    number++
    lineStart += whole + 1
    pieces = []
    length = 0
    beginning = undefined
    return line
  }
  for await (const chunk of chunks) {
    const lines: Line[] = []
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      lines.push(end(chunk.subarray(from, at), true))
      from = at + 1
    }
    if (from < chunk.length) {
      const rest = chunk.length - from
      length += rest
      if (length <= maxBytes) {
        pieces.push(chunk.subarray(from))
      } else {
        beginning ??= (pieces[0] ?? chunk.subarray(from)).slice(0, FIRST_FEW)
        pieces = []
      }
    }
    if (lines.length > 0) yield lines
  }
  if (length > 0) yield [end(NOTHING, false)]
}
