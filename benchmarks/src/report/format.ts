import type { Unit } from '../workloads/workload.js'

/** A measured value as people write it: `1.23 M/s`, `456 k/s`, `7.8 ms`, `38.1 MB`. */
export function formatValue(value: number, unit: Unit): string {
  if (unit === 'ms') return `${significant(value)} ms`
  if (unit === 'bytes') return formatBytes(value)
  if (value >= 1e6) return `${significant(value / 1e6)} M/s`
  if (value >= 1e3) return `${significant(value / 1e3)} k/s`
  return `${significant(value)} /s`
}

export function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${significant(bytes / 1e9)} GB` : `${significant(bytes / 1e6)} MB`
}

/** Three significant digits, no exponent. */
function significant(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return value.toFixed(value >= 10 ? 1 : 2)
}
