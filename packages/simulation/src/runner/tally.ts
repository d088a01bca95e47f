import type { SeedResult } from './seed-result.js'

const MINUTE_MS = 60_000

/** Sums up many runs. */
export class Tally {
  runs = 0
  events = 0
  readonly operations: Map<string, number> = new Map()
  readonly faults: Map<string, number> = new Map()
  readonly failed: SeedResult[] = []

  add(result: SeedResult): void {
    this.runs++
    this.events += result.events
    addAll(this.operations, result.operations)
    addAll(this.faults, result.faults)
    if (result.failure !== undefined) this.failed.push(result)
  }

  /** Returns a few lines for people; `ms` is how long the runs took. */
  inWords(ms: number): string {
    const { runs, failed } = this
    const rate = Math.round((runs * MINUTE_MS) / Math.max(1, ms))
    const seeds = failed.map(({ seed }) => seed).sort((a, b) => a - b)
    return [
      `${runs} runs in ${Math.round(ms / 1000)} s (${rate} a minute), ${failed.length} failed`,
      this.countsInWords(),
      ...(seeds.length > 0 ? [`failed: ${seeds.join(' ')}`] : []),
    ].join('\n')
  }

  countsInWords(): string {
    const { events, operations, faults } = this
    return `events: ${events}\noperations: ${inWords(operations)}\nfaults: ${inWords(faults)}`
  }
}

function addAll(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count)
}

function inWords(counts: ReadonlyMap<string, number>): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const parts = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return `${total} (${parts.map(([name, count]) => `${name} ${count}`).join(', ')})`
}
