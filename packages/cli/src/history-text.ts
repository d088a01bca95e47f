import type { HistoryRetention } from '@firn/mvcc'

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** Says how much history a table keeps, in a word or two. */
export function historyText(history: HistoryRetention): string {
  if (history === 'none' || history === 'all') return history
  if ('versions' in history) return `${history.versions} versions`
  const { durationMs } = history
  const [unit, ms] = UNITS.find((entry) => durationMs % entry[1] === 0) ?? ['ms', 1]
  return `${durationMs / ms} ${unit}`
}
