import { isUtf8 } from 'node:buffer'

/** Describes a file that isn't text, and what to do with it. */
export interface BinaryKind {
  kind: string
  advice: string
}

/** Advice for text in another encoding. */
export function recode(from: string): string {
  return `\`iconv -f ${from} -t UTF-8 <file> | firn load -\` converts it`
}

const unpack = (command: string): string => `\`${command} <file> | firn load -\` unpacks it`
const EXPORT = 'export it as CSV or JSON lines'

/** Magic numbers: the first bytes of a file, as Latin-1. */
const MAGIC: readonly (readonly [bytes: string, kind: string, advice: string])[] = [
  ['\x1f\x8b', 'gzip-compressed', unpack('gunzip -c')],
  ['\x1f\x9d', 'compressed with compress', unpack('uncompress -c')],
  ['PK\x03\x04', 'a zip archive, as .xlsx files are too', unpack('unzip -p')],
  ['PK\x05\x06', 'an empty zip archive', 'name another file'],
  ['\x28\xb5\x2f\xfd', 'zstd-compressed', unpack('zstd -dc')],
  ['BZh', 'bzip2-compressed', unpack('bzip2 -dc')],
  ['\xfd7zXZ\x00', 'xz-compressed', unpack('xz -dc')],
  ['\x5d\x00\x00', 'lzma-compressed', unpack('xz -dc')],
  ['\x04\x22\x4d\x18', 'lz4-compressed', unpack('lz4 -dc')],
  ['\xff\x06\x00\x00sNaPpY', 'snappy-compressed', unpack('snzip -dc')],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip archive', unpack('7z x -so')],
  ['Rar!\x1a\x07', 'a RAR archive', unpack('unrar p -inul')],
  ['PAR1', 'a Parquet file', EXPORT],
  ['ORC', 'an ORC file', EXPORT],
  ['Obj\x01', 'an Avro file', EXPORT],
  ['ARROW1', 'an Arrow file', EXPORT],
  ['\x89HDF', 'an HDF5 file', EXPORT],
  ['SQLite format 3\x00', 'a SQLite database', EXPORT],
  ['\xd0\xcf\x11\xe0', 'an Office document', EXPORT],
  ['%PDF-', 'a PDF document', EXPORT],
  ['\x89PNG', 'a PNG picture', 'name a file of records'],
  ['\xff\xd8\xff', 'a JPEG picture', 'name a file of records'],
  ['GIF8', 'a GIF picture', 'name a file of records'],
  ['\x7fELF', 'a program', 'name a file of records'],
]

/** How many bytes of a chunk are examined. */
const LOOKED_AT = 64 * 1024

/**
 * Recognizes a file that isn't text by its beginning; returns `undefined` for text. Text with a few
 * damaged bytes, or in an encoding of one byte per character, passes as UTF-8 here.
 */
export function kindOfBinary(head: Uint8Array): BinaryKind | undefined {
  const bytes = head.subarray(0, LOOKED_AT)
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  for (const [magic, kind, advice] of MAGIC) {
    if (start.startsWith(magic) && (!isWords(magic) || !isText(bytes))) return { kind, advice }
  }
  const nuls = nulsByPlace(bytes)
  const all = nuls.reduce((sum, count) => sum + count, 0)
  // A few NULs in a file that is text otherwise are in rows that can't be loaded.
  if (all * 64 > bytes.length) return kindByNuls(nuls, all, bytes.length)
  if (isUtf8(bytes)) return undefined
  return controls(bytes) * 50 > bytes.length
    ? { kind: 'binary data', advice: 'name a file of text' }
    : undefined
}

/** Whether the header of a CSV file might begin with this magic, too. */
function isWords(magic: string): boolean {
  return /^[\x20-\x7e]+$/.test(magic) && magic !== '%PDF-'
}

function isText(bytes: Uint8Array): boolean {
  return controls(bytes) === 0 && !bytes.includes(0) && invalidOnlyAtEnd(bytes)
}

/** Whether the bytes are UTF-8, except for a character that the end cuts in two. */
function invalidOnlyAtEnd(bytes: Uint8Array): boolean {
  for (let cut = 0; cut < 4; cut++) {
    if (isUtf8(bytes.subarray(0, bytes.length - cut))) return true
  }
  return false
}

/** Counts control characters that don't occur in text. */
function controls(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 0x1b && (byte < 0x09 || byte > 0x0d)) count++
  }
  return count
}

/** Counts NULs by their position in units of four bytes. */
function nulsByPlace(bytes: Uint8Array): [number, number, number, number] {
  const nuls: [number, number, number, number] = [0, 0, 0, 0]
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) {
    nuls[(at & 3) as 0 | 1 | 2 | 3]++
  }
  return nuls
}

/** Recognizes UTF-16 and UTF-32 without a mark: every ASCII character has NULs in the same half. */
function kindByNuls(
  [first, second, third, fourth]: readonly [number, number, number, number],
  all: number,
  length: number,
): BinaryKind {
  // Nearly all characters are below 0x10000: two bytes of each are NULs.
  const units = Math.floor(length / 4) * 0.9
  if (third >= units && fourth >= units && first < units / 4) return unmarked('UTF-32LE')
  if (first >= units && second >= units && fourth < units / 4) return unmarked('UTF-32BE')
  const most = all * 0.9
  if (all > 2 || all * 4 > length) {
    if (second + fourth >= most) return unmarked('UTF-16LE')
    if (first + third >= most) return unmarked('UTF-16BE')
  }
  return { kind: 'binary data', advice: 'name a file of text' }
}

function unmarked(encoding: string): BinaryKind {
  return { kind: `${encoding} without a byte-order mark`, advice: recode(encoding) }
}
