import type { ByteReader, ByteWriter } from '@firn/bytes'
import type { FileMeta } from '../state.js'
import { MAX_FILE_ID_BYTES, MAX_LEVEL, MAX_NAME_BYTES } from './limits.js'

// A file's description has the same bytes in entries and in checkpoints. FORMAT.md, "Files".

const FLAG_COMMIT_FILE = 1

export function writeFileMeta(out: ByteWriter, file: FileMeta): void {
  out.text(file.id)
  out.varint(file.bytes)
  out.u8(file.level)
  out.prefixed(file.smallest)
  out.prefixed(file.largest)
  out.varint(file.minTimestamp)
  out.varint(file.maxTimestamp)
  out.u8(file.commitFile ? FLAG_COMMIT_FILE : 0)
  out.varint(file.records)
  out.varint(file.deletes)
  out.varint(file.rawKeyBytes)
  out.varint(file.rawValueBytes)
  out.varint(file.tailBytes)
  const statistics = Object.entries(file.statistics)
  out.varint(statistics.length)
  for (const [name, summary] of statistics) {
    out.text(name)
    out.prefixed(summary)
  }
}

export function readFileMeta(reader: ByteReader): FileMeta {
  const id = reader.text(MAX_FILE_ID_BYTES)
  const bytes = reader.varint()
  const level = reader.u8()
  if (level > MAX_LEVEL) throw reader.corrupt(`a file on level ${level}`)
  // Copies, since views would keep the whole entry in memory as long as the file is live.
  const smallest = reader.prefixed().slice()
  const largest = reader.prefixed().slice()
  const minTimestamp = reader.varint()
  const maxTimestamp = reader.varint()
  const flags = reader.u8()
  if (flags > FLAG_COMMIT_FILE) throw reader.corrupt(`a file with flags ${flags}`)
  return {
    id,
    bytes,
    level,
    smallest,
    largest,
    minTimestamp,
    maxTimestamp,
    commitFile: flags === FLAG_COMMIT_FILE,
    records: reader.varint(),
    deletes: reader.varint(),
    rawKeyBytes: reader.varint(),
    rawValueBytes: reader.varint(),
    tailBytes: reader.varint(),
    statistics: readStatistics(reader),
  }
}

export function writeFiles(out: ByteWriter, files: readonly FileMeta[]): void {
  out.varint(files.length)
  for (const file of files) writeFileMeta(out, file)
}

// The count isn't trusted: nothing is allocated for it in advance.
export function readFiles(reader: ByteReader): FileMeta[] {
  const files: FileMeta[] = []
  for (let left = reader.varint(); left > 0; left--) files.push(readFileMeta(reader))
  return files
}

function readStatistics(reader: ByteReader): Record<string, Uint8Array> {
  const entries: [string, Uint8Array][] = []
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.text(MAX_NAME_BYTES)
    entries.push([name, reader.prefixed().slice()])
  }
  // `fromEntries` defines properties, so a collector named `__proto__` works like any other.
  return Object.fromEntries(entries)
}
