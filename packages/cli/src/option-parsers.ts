import { Option, InvalidArgumentError as WrongArgument } from 'commander'
import { UsageError } from './errors.js'
import type { ByteFormat } from './text/byte-text.js'

/** Parses a whole number, 0 or greater. */
export function parseCount(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new WrongArgument('use a whole number, 0 or greater.')
  return value
}

export interface ByteFormatOptions {
  hex?: boolean
  base64?: boolean
}

/** Makes the options `--hex` and `--base64`, which exclude each other. */
export function byteFormatOptions(): Option[] {
  return [
    new Option('--hex', 'keys and values as hexadecimal digits of the stored bytes'),
    new Option('--base64', 'keys and values as Base64 of the stored bytes'),
  ]
}

export function byteFormatOf(options: ByteFormatOptions): ByteFormat {
  if (options.hex === true && options.base64 === true) {
    throw new UsageError('--hex and --base64 exclude each other; use only one of them')
  }
  if (options.hex === true) return 'hex'
  return options.base64 === true ? 'base64' : 'text'
}

/**
 * Makes the options `--keys` and `--values`: the encodings of a table that the first write creates.
 */
export function encodingOptions(): Option[] {
  return [
    new Option('--keys <encoding>', 'how a new table encodes its keys').choices([
      'bytes',
      'utf8',
      'tuple',
    ]),
    new Option('--values <encoding>', 'how a new table encodes its values').choices([
      'bytes',
      'utf8',
      'json',
      'tuple',
    ]),
  ]
}

export interface EncodingOptions {
  keys?: string
  values?: string
}
