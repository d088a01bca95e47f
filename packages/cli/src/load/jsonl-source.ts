import { utf8OrUndefined } from '../text/byte-text.js'
import { linesOf } from './lines.js'
import type { RowSource, SourceRow } from './row-source.js'

/** Rows of JSON lines: one JSON object on each line; empty lines are nothing. */
export async function* jsonlSource(chunks: AsyncIterable<Uint8Array>): RowSource {
  let line = 0
  for await (const lines of linesOf(chunks)) {
    const rows: SourceRow[] = []
    for (const bytes of lines) {
      line++
      const row = rowOf(bytes, line)
      if (row !== undefined) rows.push(row)
    }
    yield rows
  }
}

function rowOf(line: Uint8Array, number: number): SourceRow | undefined {
  const bytes = trimmed(line, number)
  if (bytes.length === 0) return undefined
  const json = utf8OrUndefined(bytes)
  if (json === undefined) return { line: number, problem: 'not UTF-8 text' }
  let record: unknown
  try {
    record = JSON.parse(json)
  } catch {
    return { line: number, problem: `not JSON${hint(json, number)}` }
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { line: number, problem: `not a JSON object${hint(json, number)}` }
  }
  return { line: number, record, json, bytes }
}

/** Without white space around it, nor the byte-order mark that some programs begin a file with. */
function trimmed(line: Uint8Array, number: number): Uint8Array {
  const marked = number === 1 && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf
  let start = marked ? 3 : 0
  let end = line.length
  while (start < end && isSpace(line[start])) start++
  while (end > start && isSpace(line[end - 1])) end--
  return start === 0 && end === line.length ? line : line.subarray(start, end)
}

/** White space as JSON has it. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a
}

/** The usual reason why the first line is no record. */
function hint(json: string, line: number): string {
  if (line !== 1) return ''
  if (json.startsWith('[')) return ' but an array; `jq -c .[]` makes JSON lines of one'
  if (json === '{') return '; `jq -c .` puts each record on one line'
  return '; --format csv or tsv reads other files'
}
