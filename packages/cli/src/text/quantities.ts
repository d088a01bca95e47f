const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return COUNT.format(count)
}

/** `1 record`, `2 records`. */
export function countOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`
}

/** `1536` as `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`
}

/** `2300` milliseconds as `2.3 s`, `90000` as `1 min 30 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const rest = seconds % 60
  return `${Math.floor(seconds / 60)} min${rest === 0 ? '' : ` ${rest} s`}`
}

/** Formats a share as a percentage. */
export function formatShare(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((part / whole) * 100).toFixed(1)} %`
}

/** Formats microseconds since the epoch as ISO 8601 in UTC; `--at` can read it back. */
export function formatTimestamp(micros: number): string {
  const ms = Math.floor(micros / 1000)
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return `${micros} µs`
  const rest = String(micros - ms * 1000).padStart(3, '0')
  return date.toISOString().replace('Z', `${rest}Z`)
}
