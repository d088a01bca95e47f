import { decodeLine } from '../text/byte-text.js'
import { notUtf8, tooLong } from './bad-row.js'
import { type Line, linesOf } from './lines.js'
import type { RowSource, SourceRow } from './row-source.js'
import type { TextInput } from './text-input.js'

const OPEN_BRACKET = 0x5b
const TO_LINES = '`jq -c .[]` converts an array to JSON lines'

/** Reads rows of JSON lines: one JSON object on each line. Empty lines are skipped. */
export async function* jsonlSource(text: TextInput, maxRecordBytes: number): RowSource {
  for await (const lines of linesOf(text, maxRecordBytes)) {
    const rows: SourceRow[] = []
    for (const line of lines) {
      const row = line.tooLong ? longRow(line, maxRecordBytes) : rowOf(line)
      if (row !== undefined) rows.push(row)
    }
    if (rows.length > 0) yield rows
  }
}

function longRow({ number, bytes }: Line, maxRecordBytes: number): SourceRow {
  const [first] = trimmed(bytes)
  const problem = `a line ${tooLong(maxRecordBytes)}`
  if (first !== OPEN_BRACKET) return { line: number, problem }
  return { line: number, problem: `an array on ${problem}; ${TO_LINES}` }
}

function rowOf(line: Line): SourceRow | undefined {
  const { number } = line
  const bytes = trimmed(line.bytes)
  if (bytes.length === 0) return undefined
  const { text: json, invalidAt } = decodeLine(bytes)
  if (invalidAt !== undefined) {
    const at = bytes.byteOffset - line.bytes.byteOffset + invalidAt
    return { line: number, problem: notUtf8(line, at) }
  }
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

/** Removes white space at both ends. */
function trimmed(line: Uint8Array): Uint8Array {
  let start = 0
  let end = line.length
  while (start < end && isSpace(line[start])) start++
  while (end > start && isSpace(line[end - 1])) end--
  return start === 0 && end === line.length ? line : line.subarray(start, end)
}

/** Whether the byte is white space in JSON. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a
}

/** Suggests the usual reason why the first line is no record. */
function hint(json: string, line: number): string {
  if (line !== 1) return ''
  if (json.startsWith('[')) return ` but an array; ${TO_LINES}`
  if (json === '{') return '; `jq -c .` puts each record on one line'
  if (/[^\r]\r[^\r]/.test(json)) {
    return "; if its lines end with CR alone, `tr '\\r' '\\n'` converts them"
  }
  return '; --format csv or tsv reads other files'
}
