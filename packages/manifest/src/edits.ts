import { ByteReader, ByteWriter } from '@firn/bytes'
import { SPILLED_PAYLOAD_FORMAT } from '@firn/commit-log'
import { FormatVersionError, ULID_BYTES, ulidFromBytes, ulidToBytes } from '@firn/env'
import { readFileMeta, readFiles, writeFileMeta, writeFiles } from './internal/file-meta-codec.js'
import { MAX_FILE_ID_BYTES, MAX_NAME_BYTES, MAX_OBJECT_KEY_BYTES } from './internal/limits.js'
import { readPin, writePin } from './internal/pin-codec.js'
import { readTableOptions, writeTableOptions } from './internal/table-options-codec.js'
import {
  EDIT_ADD_FILES,
  EDIT_ALTER_TABLE,
  EDIT_CHECKPOINT,
  EDIT_COMPACT,
  EDIT_CREATE_DATABASE,
  EDIT_CREATE_TABLE,
  EDIT_DROP_TABLE,
  EDIT_FLUSH,
  EDIT_GC_FLOOR,
  EDIT_PIN,
  EDIT_RECORDS,
  EDIT_UNPIN,
  PAYLOAD_FORMAT,
} from './payload.js'
import type { Edit } from './state.js'

const TYPE_NUMBERS: Readonly<Record<Edit['type'], number>> = {
  'create-database': EDIT_CREATE_DATABASE,
  records: EDIT_RECORDS,
  'create-table': EDIT_CREATE_TABLE,
  'alter-table': EDIT_ALTER_TABLE,
  'drop-table': EDIT_DROP_TABLE,
  'add-files': EDIT_ADD_FILES,
  flush: EDIT_FLUSH,
  compact: EDIT_COMPACT,
  'gc-floor': EDIT_GC_FLOOR,
  pin: EDIT_PIN,
  unpin: EDIT_UNPIN,
  checkpoint: EDIT_CHECKPOINT,
}

/** Encodes edits, in order, as the payload of an entry. Without edits the payload is empty. */
export function encodeEdits(edits: readonly Edit[]): Uint8Array {
  if (edits.length === 0) return new Uint8Array(0)
  const out = new ByteWriter()
  writeEdits(out, edits)
  return out.take()
}

/** Starts a payload (its format byte) and appends these edits; more may follow. */
export function writeEdits(out: ByteWriter, edits: readonly Edit[]): void {
  out.u8(PAYLOAD_FORMAT)
  for (const edit of edits) {
    out.u8(TYPE_NUMBERS[edit.type])
    const lengthAt = out.reserve(4)
    writeBody(out, edit)
    out.setU32(lengthAt, out.length - lengthAt - 4)
  }
}

/**
 * Decodes the edits of a payload, in order. The bytes of `records` are a view of the payload;
 * everything else is copied. Throws `FormatVersionError` for a format or an edit that this release
 * doesn't know, and `CorruptionError` for invalid bytes. `what` names the payload in messages.
 */
export function decodeEdits(payload: Uint8Array, what = 'commit log entry'): Edit[] {
  if (payload.length === 0) return []
  const reader = new ByteReader(payload, what)
  const format = reader.u8()
  if (format === SPILLED_PAYLOAD_FORMAT) {
    throw new FormatVersionError(
      `${what}: the payload is in a separate object; read the log through SpillingCommitLog`,
    )
  }
  if (format !== PAYLOAD_FORMAT) {
    throw new FormatVersionError(
      `${what}: payload format ${format}, this release knows ${PAYLOAD_FORMAT}; open the database with a newer release`,
    )
  }
  const edits: Edit[] = []
  while (!reader.atEnd) {
    const type = reader.u8()
    const body = reader.take(reader.u32())
    if (type === EDIT_RECORDS) {
      edits.push({ type: 'records', bytes: body })
      continue
    }
    const bodyReader = new ByteReader(body, `${what}, edit ${edits.length} (type ${type})`)
    edits.push(readBody(bodyReader, type))
    bodyReader.expectEnd()
  }
  return edits
}

function writeBody(out: ByteWriter, edit: Edit): void {
  switch (edit.type) {
    case 'create-database':
      out.bytes(ulidToBytes(edit.incarnation))
      break
    case 'records':
      out.bytes(edit.bytes)
      break
    case 'create-table':
      out.varint(edit.id)
      out.text(edit.name)
      writeTableOptions(out, edit.options)
      break
    case 'alter-table':
      out.varint(edit.id)
      writeTableOptions(out, edit.options)
      break
    case 'drop-table':
      out.varint(edit.id)
      break
    case 'add-files':
      writeFiles(out, edit.files)
      break
    case 'flush':
      out.varint(edit.from)
      out.varint(edit.through)
      writeFiles(out, edit.files)
      break
    case 'compact':
      writeCompact(out, edit)
      break
    case 'gc-floor':
      out.varint(edit.version)
      break
    case 'pin':
      writePin(out, edit.pin)
      break
    case 'unpin':
      out.text(edit.name)
      break
    case 'checkpoint':
      out.varint(edit.version)
      out.text(edit.key)
      break
  }
}

function readBody(reader: ByteReader, type: number): Edit {
  switch (type) {
    case EDIT_CREATE_DATABASE:
      return { type: 'create-database', incarnation: ulidFromBytes(reader.take(ULID_BYTES)) }
    case EDIT_CREATE_TABLE:
      return {
        type: 'create-table',
        id: reader.varint(),
        name: reader.text(MAX_NAME_BYTES),
        options: readTableOptions(reader),
      }
    case EDIT_ALTER_TABLE:
      return { type: 'alter-table', id: reader.varint(), options: readTableOptions(reader) }
    case EDIT_DROP_TABLE:
      return { type: 'drop-table', id: reader.varint() }
    case EDIT_ADD_FILES:
      return { type: 'add-files', files: readFiles(reader) }
    case EDIT_FLUSH:
      return {
        type: 'flush',
        from: reader.varint(),
        through: reader.varint(),
        files: readFiles(reader),
      }
    case EDIT_COMPACT:
      return readCompact(reader)
    case EDIT_GC_FLOOR:
      return { type: 'gc-floor', version: reader.varint() }
    case EDIT_PIN:
      return { type: 'pin', pin: readPin(reader) }
    case EDIT_UNPIN:
      return { type: 'unpin', name: reader.text(MAX_NAME_BYTES) }
    case EDIT_CHECKPOINT:
      return {
        type: 'checkpoint',
        version: reader.varint(),
        key: reader.text(MAX_OBJECT_KEY_BYTES),
      }
    default:
      throw new FormatVersionError(
        `${reader.what} is unknown to this release; open the database with a newer release`,
      )
  }
}

type CompactEdit = Extract<Edit, { type: 'compact' }>

function writeCompact(out: ByteWriter, edit: CompactEdit): void {
  out.varint(edit.removed.length)
  for (const id of edit.removed) out.text(id)
  out.varint(edit.added.length)
  for (const { table, file } of edit.added) {
    out.varint(table)
    writeFileMeta(out, file)
  }
  out.varint(edit.floors.length)
  for (const { table, timestamp } of edit.floors) {
    out.varint(table)
    out.varint(timestamp)
  }
}

function readCompact(reader: ByteReader): CompactEdit {
  const removed: string[] = []
  for (let left = reader.varint(); left > 0; left--) removed.push(reader.text(MAX_FILE_ID_BYTES))
  const added: CompactEdit['added'][number][] = []
  for (let left = reader.varint(); left > 0; left--) {
    added.push({ table: reader.varint(), file: readFileMeta(reader) })
  }
  const floors: CompactEdit['floors'][number][] = []
  for (let left = reader.varint(); left > 0; left--) {
    floors.push({ table: reader.varint(), timestamp: reader.varint() })
  }
  return { type: 'compact', removed, added, floors }
}
