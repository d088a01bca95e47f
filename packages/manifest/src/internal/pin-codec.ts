import type { ByteReader, ByteWriter } from '@firn/bytes'
import type { Pin } from '../state.js'
import { MAX_NAME_BYTES } from './limits.js'

// A pin has the same bytes in entries and in checkpoints. FORMAT.md, "Pin".

export function writePin(out: ByteWriter, pin: Pin): void {
  out.text(pin.name)
  out.varint(pin.version)
  out.varint(pin.timestamp)
  out.u8(pin.expiresAt === undefined ? 0 : 1)
  if (pin.expiresAt !== undefined) out.varint(pin.expiresAt)
}

export function readPin(reader: ByteReader): Pin {
  const name = reader.text(MAX_NAME_BYTES)
  const version = reader.varint()
  const timestamp = reader.varint()
  const expires = reader.u8()
  if (expires > 1) throw reader.corrupt(`a pin with flags ${expires}`)
  return expires === 0
    ? { name, version, timestamp }
    : { name, version, timestamp, expiresAt: reader.varint() }
}
