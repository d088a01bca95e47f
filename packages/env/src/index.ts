export { isDate, isError, isUint8Array, messageOf } from './brands.js'
export type { Env, SleepOptions } from './env.js'
export { systemEnv } from './env-system.js'
export {
  ClosedError,
  CorruptionError,
  FirnError,
  type FirnErrorOptions,
  FormatVersionError,
  InvalidArgumentError,
  isFirnError,
} from './errors.js'
export { Flight, type FlightOptions } from './flight.js'
export { holding } from './holding.js'
export { readUndamaged } from './read-undamaged.js'
export { Retries, type RetriesOptions } from './retries.js'
export { linkedController, separateSignals } from './signals.js'
export { type SlotOptions, Slots, slotsOf } from './slots.js'
export { TimeSlice } from './time-slice.js'
export {
  assertUlid,
  isUlid,
  ULID_BYTES,
  ulid,
  ulidBytes,
  ulidFromBytes,
  ulidToBytes,
} from './ulid.js'
export { waitFor } from './wait-for.js'
