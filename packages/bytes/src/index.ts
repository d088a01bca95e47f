export { fromBase64, toBase64 } from './base64.js'
export { ByteReader } from './byte-reader.js'
export { ByteWriter } from './byte-writer.js'
export {
  commonPrefixLength,
  compareBytes,
  compareRanges,
  equalRanges,
  prefixEnd,
} from './compare.js'
export { concatBytes } from './concat.js'
export { copyBytes } from './copy.js'
export { crc32 } from './crc32.js'
export { hashRange } from './hash.js'
export { fromHex, toHex } from './hex.js'
export { parsePrintable, printable } from './printable.js'
export { keepFromTransfer } from './transfer.js'
export { decodeTuple, encodeTuple, type TupleValue, tuplePrefix } from './tuple.js'
export { utf8Decode, utf8Encode } from './utf8.js'
export { MAX_VARINT_BYTES, varintLength } from './varint.js'
