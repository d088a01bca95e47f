import {
  type Cell,
  type Gap,
  higherIsBetter,
  isGap,
  type PeerResult,
  type Results,
} from '../results.js'
import { TARGETS } from '../targets.js'
import { WORKLOAD_IDS, type WorkloadId } from '../workloads/ids.js'
import { formatBytes, formatValue } from './format.js'
import { TITLES } from './titles.js'

const FIRN = 'firn'

/** The results as Markdown: what was measured on what, the table, and what its gaps mean. */
export function toMarkdown(results: Results, note?: string): string {
  const { machine, peers } = results
  const rows = WORKLOAD_IDS.filter((id) => peers.some((peer) => peer.cells[id] !== undefined))
  const header = ['', ...peers.map((p) => `${p.name} ${p.version}`), 'Firn ÷ best native', 'target']
  const notes = new Notes()
  const lines = [
    `${results.keys.toLocaleString('en')} records of ${results.keyBytes} + ${results.valueBytes} bytes; ` +
      `median of ${results.runs} ${results.runs === 1 ? 'run' : 'runs'}; measured ${results.measuredAt.slice(0, 10)} on ` +
      `${machine.cpu}, ${machine.cores} cores, ${formatBytes(machine.memoryBytes)} of memory, ` +
      `${machine.fileSystem}, ${machine.system}, Node ${machine.node}.` +
      loadText(results.loadAverages),
    '',
    ...(note === undefined ? [] : [note, '']),
    row(header),
    row(header.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map((id) =>
      row([
        TITLES[id],
        ...peers.map((peer) => cellText(peer.cells[id], notes)),
        ratioText(id, peers),
        targetText(id, peers),
      ]),
    ),
    '',
    ...notes.lines(),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

/** Firn's value divided by the best native peer's, if both were measured. */
export function ratio(id: WorkloadId, peers: readonly PeerResult[]): number | undefined {
  const firn = peers.find((peer) => peer.name === FIRN)?.cells[id]
  if (firn === undefined || isGap(firn)) return undefined
  let best: number | undefined
  for (const peer of peers) {
    const cell = peer.cells[id]
    if (!peer.native || cell === undefined || isGap(cell)) continue
    const better = higherIsBetter(cell.unit) ? Math.max : Math.min
    best = best === undefined ? cell.median : better(best, cell.median)
  }
  return best === undefined ? undefined : firn.median / best
}

function loadText(averages: readonly number[] = []): string {
  if (averages.length === 0) return ''
  return ` Load average when a run began: ${averages.map((load) => load.toFixed(1)).join(', ')}.`
}

function ratioText(id: WorkloadId, peers: readonly PeerResult[]): string {
  return ratio(id, peers)?.toFixed(2) ?? ''
}

function targetText(id: WorkloadId, peers: readonly PeerResult[]): string {
  const target = TARGETS[id]
  if (target === undefined) return ''
  const atMost = id === 'open' || id === 'disk-bytes'
  const reached = ratio(id, peers)
  const text = `${atMost ? '≤' : '≥'} ${target}`
  if (reached === undefined) return text
  return (atMost ? reached <= target : reached >= target) ? `${text} ✓` : `${text} ✗`
}

function cellText(cell: Cell | Gap | undefined, notes: Notes): string {
  if (cell === undefined) return ''
  return isGap(cell) ? `–${notes.mark(cell.missing)}` : formatValue(cell.median, cell.unit)
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** The reasons of gaps, each written out once below the table. */
class Notes {
  readonly #texts: string[] = []

  mark(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text)
    return `<sup>${this.#texts.indexOf(text) + 1}</sup>`
  }

  lines(): string[] {
    return this.#texts.map((text, i) => `${i + 1}. ${text}`)
  }
}
