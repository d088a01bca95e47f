import { concatBytes } from '@firn/bytes'
import { CommandError } from '../errors.js'

/** Longer than any line that holds the engine's largest value in JSON. */
const MAX_LINE_BYTES = 400 * 1024 * 1024
const NEWLINE = 0x0a

/** The lines of a stream without their ends, a chunk's at a time; a last line needs no end. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Uint8Array[]> {
  // The pieces of a line that isn't complete yet: joined once, however many there are.
  let pieces: Uint8Array[] = []
  let pending = 0
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end)
      lines.push(pieces.length === 0 ? piece : concatBytes([...pieces, piece]))
      pieces = []
      pending = 0
      start = end + 1
    }
    if (start < chunk.length) {
      pieces.push(chunk.subarray(start))
      pending += chunk.length - start
      if (pending > MAX_LINE_BYTES) {
        throw new CommandError(
          'FIRN_BAD_INPUT',
          `a line of more than ${MAX_LINE_BYTES} bytes; JSON lines hold one record each`,
        )
      }
    }
    if (lines.length > 0) yield lines
  }
  if (pieces.length > 0) yield [concatBytes(pieces)]
}
