import { ByteReader, ByteWriter, crc32 } from '@firn/bytes'
import {
  CorruptionError,
  FormatVersionError,
  ULID_BYTES,
  ulidFromBytes,
  ulidToBytes,
} from '@firn/env'
import { readFiles, writeFiles } from './internal/file-meta-codec.js'
import { MAX_LEVEL, MAX_NAME_BYTES, MAX_OBJECT_KEY_BYTES } from './internal/limits.js'
import { readPin, writePin } from './internal/pin-codec.js'
import { readTableOptions, writeTableOptions } from './internal/table-options-codec.js'
import { levelIsDisjoint } from './invariants.js'
import type { DatabaseState, FileMeta, Pin, TableState } from './state.js'

// The layout is in FORMAT.md, "Checkpoint".

const MAGIC = Uint8Array.of(0x46, 0x49, 0x52, 0x4e, 0x43, 0x4b, 0x50, 0x0a) // "FIRNCKP\n"
const FORMAT = 1
const HEADER_BYTES = 12
const CHECKSUM_BYTES = 4

/** Encodes a state as a checkpoint. Equal states have equal bytes. */
export function encodeCheckpoint(state: DatabaseState): Uint8Array {
  const out = new ByteWriter(4096)
  out.bytes(MAGIC)
  out.u16(FORMAT)
  out.u16(0)
  out.bytes(ulidToBytes(state.incarnation))
  for (const number of [
    state.version,
    state.timestamp,
    state.nextTableId,
    state.flushedThrough,
    state.gcFloor,
  ]) {
    out.varint(number)
  }
  out.u8(state.checkpoint === undefined ? 0 : 1)
  if (state.checkpoint !== undefined) {
    out.varint(state.checkpoint.version)
    out.text(state.checkpoint.key)
  }
  out.varint(state.tables.size)
  for (const table of [...state.tables.values()].sort((a, b) => a.id - b.id)) writeTable(out, table)
  writeFiles(out, state.level0)
  out.varint(state.pins.size)
  for (const pin of [...state.pins.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    writePin(out, pin)
  }
  out.u32(crc32(out.view()))
  return out.take()
}

/**
 * Decodes a checkpoint. Throws `CorruptionError` for anything that `encodeCheckpoint` didn't write,
 * and `FormatVersionError` for a newer format. `what` names the bytes in messages.
 */
export function decodeCheckpoint(bytes: Uint8Array, what = 'checkpoint'): DatabaseState {
  const end = bytes.length - CHECKSUM_BYTES
  if (end < HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new CorruptionError(`${what}: these ${bytes.length} bytes are not a checkpoint`)
  }
  const body = bytes.subarray(0, end)
  if (new ByteReader(bytes.subarray(end), what).u32() !== crc32(body)) {
    throw new CorruptionError(`${what}: the checkpoint is damaged or truncated`)
  }
  const reader = new ByteReader(body, what)
  reader.take(MAGIC.length)
  const format = reader.u16()
  reader.u16()
  if (format !== FORMAT) {
    throw new FormatVersionError(
      `${what}: checkpoint format ${format}, this release knows ${FORMAT}; open the database with a newer release`,
    )
  }
  const state = readState(reader)
  reader.expectEnd()
  return state
}

function readState(reader: ByteReader): DatabaseState {
  const incarnation = ulidFromBytes(reader.take(ULID_BYTES))
  const version = reader.varint()
  const timestamp = reader.varint()
  const nextTableId = reader.varint()
  const flushedThrough = reader.varint()
  const gcFloor = reader.varint()
  if (flushedThrough > version) throw reader.corrupt('flushed past its own version')
  const checkpoint =
    readFlag(reader) === 0
      ? undefined
      : { version: reader.varint(), key: reader.text(MAX_OBJECT_KEY_BYTES) }
  const tables = new Map<number, TableState>()
  const tableIds = new Map<string, number>()
  for (let left = reader.varint(); left > 0; left--) {
    const table = readTable(reader)
    if (
      table.id < 1 ||
      table.id >= nextTableId ||
      tables.has(table.id) ||
      tableIds.has(table.name)
    ) {
      throw reader.corrupt(`table ${table.id} is duplicate or out of range`)
    }
    tables.set(table.id, table)
    tableIds.set(table.name, table.id)
  }
  const level0 = readFiles(reader)
  for (const [i, file] of level0.entries()) {
    const newer = level0[i - 1]?.maxTimestamp ?? Infinity
    if (file.level !== 0 || file.maxTimestamp > newer) {
      throw reader.corrupt(`file ${file.id} is out of place in level 0`)
    }
  }
  const pins = new Map<string, Pin>()
  for (let left = reader.varint(); left > 0; left--) {
    const pin = readPin(reader)
    if (pins.has(pin.name)) throw reader.corrupt('a duplicate pin')
    pins.set(pin.name, pin)
  }
  return {
    version,
    timestamp,
    incarnation,
    tables,
    tableIds,
    nextTableId,
    level0,
    flushedThrough,
    gcFloor,
    pins,
    checkpoint,
  }
}

function writeTable(out: ByteWriter, table: TableState): void {
  out.varint(table.id)
  out.text(table.name)
  writeTableOptions(out, table.options)
  out.varint(table.createdAt)
  out.varint(table.historyFloor)
  out.u8(table.levels.length)
  for (const files of table.levels) writeFiles(out, files)
}

function readTable(reader: ByteReader): TableState {
  const id = reader.varint()
  const name = reader.text(MAX_NAME_BYTES)
  const options = readTableOptions(reader)
  const createdAt = reader.varint()
  const historyFloor = reader.varint()
  const count = reader.u8()
  if (count > MAX_LEVEL) throw reader.corrupt(`table ${id} has ${count} levels`)
  const levels: FileMeta[][] = []
  for (let level = 1; level <= count; level++) {
    const files = readFiles(reader)
    const stray = files.find((file) => file.level !== level)
    const problem =
      stray === undefined ? levelIsDisjoint(files) : `file ${stray.id} is of another level`
    if (problem !== undefined) throw reader.corrupt(`table ${id}, level ${level}: ${problem}`)
    levels.push(files)
  }
  return { id, name, options, createdAt, historyFloor, levels }
}

function readFlag(reader: ByteReader): number {
  const flag = reader.u8()
  if (flag > 1) throw reader.corrupt(`a flag of ${flag}`)
  return flag
}
