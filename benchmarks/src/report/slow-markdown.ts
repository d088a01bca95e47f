import type { SlowResult } from '../slow/run-slow.js'

/** A scene of late replies as a table: a row for each process, one for all. */
export function slowToMarkdown({ reports, anomalies, version }: SlowResult): string {
  const rows = reports.map((report) =>
    row(String(report.id), report.commitMs, report.transactionMs, report.failures),
  )
  const failures: Record<string, number> = {}
  for (const report of reports) {
    for (const [kind, count] of Object.entries(report.failures)) {
      failures[kind] = (failures[kind] ?? 0) + count
    }
  }
  const commits = reports.flatMap(({ commitMs }) => commitMs)
  const transactions = reports.flatMap(({ transactionMs }) => transactionMs)
  rows.push(row('all', commits, transactions, failures))
  const requests = reports.reduce((sum, report) => sum + report.requests, 0)
  const late = reports.reduce((sum, report) => sum + report.lateReplies, 0)
  const operations = commits.length + transactions.length
  return `${[
    '| process | commits | p50 ms | p99 | p99.9 | slowest | transactions | p50 | p99 | slowest | failed |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows,
    '',
    `${operations} operations, ${version} entries in the log, ${requests} requests of which ${late} were late, ${anomalies.length} anomalies.`,
    ...anomalies.slice(0, 20).map((anomaly) => `- ${anomaly}`),
  ].join('\n')}\n`
}

function row(
  name: string,
  commits: readonly number[],
  transactions: readonly number[],
  failures: Readonly<Record<string, number>>,
): string {
  const failed = Object.entries(failures).map(([kind, count]) => `${count} ${kind}`)
  const cells = [
    name,
    commits.length,
    ...[0.5, 0.99, 0.999, 1].map((share) => percentile(commits, share)),
    transactions.length,
    ...[0.5, 0.99, 1].map((share) => percentile(transactions, share)),
    failed.join(', '),
  ]
  return `| ${cells.join(' | ')} |`
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * share))
  return Math.round(sorted[index] ?? 0)
}
