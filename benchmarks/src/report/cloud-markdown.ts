import { dollars, totalOf } from '../cloud/bill.js'
import type { CloudCell, CloudPeerResult, CloudResults } from '../cloud/cloud-results.js'
import { CLOUD_WORKLOAD_IDS, CLOUD_WORKLOADS, type CloudWorkloadId } from '../cloud/workloads.js'
import { formatBytes, formatValue } from './format.js'

type Measure = CloudCell['measures'][number]

const MILLION = 1e6
const HOUR_SECONDS = 3600
const MONTH_HOURS = 730

/**
 * The results as Markdown: what was measured on what, costs, times, and which requests they were.
 */
export function cloudToMarkdown(results: CloudResults): string {
  const { machine, services, prices } = results
  const peers = results.peers.filter((peer) => peer.missing === undefined)
  const rows = CLOUD_WORKLOAD_IDS.filter((id) => peers.some((peer) => peer.cells[id]))
  const names = peers.map((peer) => `${peer.name} ${peer.version}`)
  const lines = [
    `${results.keys.toLocaleString('en')} records of ${results.keyBytes} + ${results.valueBytes} bytes; ` +
      `median of ${results.runs} ${results.runs === 1 ? 'run' : 'runs'}; measured ${results.measuredAt.slice(0, 10)} on ` +
      `${machine.cpu}, ${machine.cores} cores, ${formatBytes(machine.memoryBytes)} of memory, ` +
      `${machine.system}, Node ${machine.node}; S3 is ${services.s3}, DynamoDB ${services.dynamodb}, both on ` +
      `loopback and in memory, each behind a proxy that counts. Prices: ${prices.source}. Load average when a run began: ` +
      `${results.loadAverages.map((load) => load.toFixed(1)).join(', ')}.`,
    '',
    '**Requests and dollars per million operations**',
    '',
    row(['', ...names, 'firn ÷ cheapest slatedb']),
    row(['---', ...names.map(() => '---:'), '---:']),
    ...rows.map((id) =>
      row([titlePer(id), ...peers.map((p) => costText(p, id, results)), ratioText(id, peers)]),
    ),
    '',
    timesText(results),
    '',
    row(['', ...names]),
    row(['---', ...names.map(() => '---:')]),
    ...rows
      .filter((id) => CLOUD_WORKLOADS[id].time !== undefined)
      .map((id) => row([title(id), ...peers.map((peer) => timeText(peer, id))])),
    '',
    '**Which requests**: of one run, the one in the middle by cost',
    '',
    row(['', 'peer', 'operations', 'S3', 'DynamoDB', 'sent', 'received']),
    row(['---', '---', '---:', '---', '---', '---:', '---:']),
    ...rows.flatMap((id) =>
      peers.flatMap((peer) => {
        const measure = middle(peer.cells[id])
        return measure === undefined
          ? []
          : [row(detail(title(id), peer.name, measure, id, results))]
      }),
    ),
    '',
    meterText(peers, results),
  ]
  const troubles = results.peers.flatMap(({ name, missing, failures = [] }) =>
    [...(missing === undefined ? [] : [missing]), ...failures].map((text) => `- ${name}: ${text}`),
  )
  if (troubles.length > 0) lines.push('', ...troubles)
  return `${lines.join('\n')}\n`
}

function timesText({ delaysMs }: CloudResults): string {
  if (delaysMs.s3 === 0 && delaysMs.dynamodb === 0) return '**Times** on loopback'
  return `**Times** with each answer of S3 held back for ${delaysMs.s3} ms, of DynamoDB for ${delaysMs.dynamodb} ms`
}

/** The measure in the middle by cost. */
function middle(cell: CloudCell | undefined): Measure | undefined {
  const sorted = [...(cell?.measures ?? [])].sort(
    (a, b) => a.dollars / a.operations - b.dollars / b.operations,
  )
  return sorted[Math.floor((sorted.length - 1) / 2)]
}

function costText(peer: CloudPeerResult, id: CloudWorkloadId, results: CloudResults): string {
  const measure = middle(peer.cells[id])
  if (measure === undefined) return ''
  const scale = id === 'idle' ? HOUR_SECONDS / results.idleSeconds : MILLION / measure.operations
  const requests = totalOf(measure.counts, 'requests') * scale
  const cost = dollars(measure.counts, results.prices) * scale
  const money = id === 'idle' ? `${dollarText(cost * MONTH_HOURS)} a month` : dollarText(cost)
  return `${countText(requests)}, **${money}**`
}

/** In dollars. */
function ratioText(id: CloudWorkloadId, peers: readonly CloudPeerResult[]): string {
  const costs = (isOne: (name: string) => boolean): number[] =>
    peers
      .filter(({ name }) => isOne(name))
      .map((peer) => middle(peer.cells[id]))
      .flatMap((measure) => (measure ? [measure.dollars / measure.operations] : []))
  const [firn] = costs((name) => name === 'firn')
  const peer = Math.min(...costs((name) => name.startsWith('slatedb')))
  if (firn === undefined || !Number.isFinite(peer) || peer === 0) return ''
  const ratio = firn / peer
  return ratio === 0 ? '0' : ratio.toFixed(ratio < 0.1 ? 3 : 2)
}

function timeText(peer: CloudPeerResult, id: CloudWorkloadId): string {
  const measures = peer.cells[id]?.measures
  if (measures === undefined) return ''
  const { time } = CLOUD_WORKLOADS[id]
  const values = measures.map((measure) => {
    if (time === 'rate') return (measure.operations / measure.ms) * 1000
    return time === 'median' ? (measure.medianMs ?? measure.ms) : measure.ms
  })
  const sorted = values.sort((a, b) => a - b)
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
  return formatValue(median, time === 'rate' ? 'ops/s' : 'ms')
}

function detail(
  name: string,
  peer: string,
  { counts, operations }: Measure,
  id: CloudWorkloadId,
  results: CloudResults,
): string[] {
  const units = [
    ...(counts.writeUnits > 0 ? [`${count(counts.writeUnits)} write units`] : []),
    ...(counts.readUnits > 0 ? [`${count(counts.readUnits)} read units`] : []),
  ]
  const log = listed(counts.dynamodb)
  return [
    name,
    peer,
    id === 'idle' ? `${results.idleSeconds} s` : count(operations),
    listed(counts.s3),
    units.length > 0 ? `${log} (${units.join(', ')})` : log,
    sizeText(totalOf(counts, 'bytesSent')),
    sizeText(totalOf(counts, 'bytesReceived')),
  ]
}

function listed(by: Measure['counts']['dynamodb']): string {
  const texts = Object.entries(by).map(
    ([operation, one]) => `${count(one?.requests ?? 0)} ${operation}`,
  )
  return texts.length === 0 ? '–' : texts.join(', ')
}

/** Whether what Firn says of itself is what was seen on the wire. */
function meterText(peers: readonly CloudPeerResult[], { prices }: CloudResults): string {
  let compared = 0
  const differences: string[] = []
  for (const peer of peers) {
    for (const id of CLOUD_WORKLOAD_IDS) {
      for (const { counts, own } of peer.cells[id]?.measures ?? []) {
        if (own === undefined) continue
        compared++
        const requests = totalOf(counts, 'requests')
        const cost = dollars(counts, prices)
        const same = own.requests === requests && Math.abs(own.dollars - cost) < 1e-9
        if (same) continue
        differences.push(
          `${peer.name}, ${title(id)}: ${own.requests} requests and ${dollarText(own.dollars)} by ` +
            `\`stats()\`, ${requests} and ${dollarText(cost)} on the wire`,
        )
      }
    }
  }
  if (compared === 0) return ''
  if (differences.length === 0) {
    return `In all ${compared} sections in which Firn was asked, \`stats().requests\` had the same requests and dollars as the proxy.`
  }
  return [
    `Of ${compared} sections in which Firn was asked, \`stats().requests\` differed from the proxy in ${differences.length}:`,
    '',
    ...differences.map((text) => `- ${text}`),
  ].join('\n')
}

function title(id: CloudWorkloadId): string {
  return CLOUD_WORKLOADS[id].title
}

function titlePer(id: CloudWorkloadId): string {
  const { per } = CLOUD_WORKLOADS[id]
  return per === undefined ? title(id) : `${title(id)}, per ${per}`
}

function dollarText(value: number): string {
  if (value === 0) return '$0'
  if (value >= 1) return `$${value.toFixed(2)}`
  return `$${value.toPrecision(2)}`
}

function countText(value: number): string {
  if (value >= MILLION) return `${(value / MILLION).toFixed(2)} M`
  if (value >= 10_000) return `${Math.round(value / 1000)} k`
  return count(Math.round(value))
}

function count(value: number): string {
  return value.toLocaleString('en')
}

function sizeText(bytes: number): string {
  return bytes >= 100_000 ? formatBytes(bytes) : `${(bytes / 1000).toFixed(1)} kB`
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
