import type { SlowReport } from './task.js'

/** What the database holds in the end. */
export interface Ending {
  /** The keys of the commits' records. */
  commits: ReadonlySet<string>
  lists: ReadonlyMap<string, readonly string[]>
}

/**
 * What contradicts that every acknowledged commit is in the log once, and every other one at most
 * once; and that no transaction overwrote what another one appended.
 */
export function findAnomalies(reports: readonly SlowReport[], ending: Ending): string[] {
  const anomalies: string[] = []
  for (const { id, commits, appended, unknown } of reports) {
    for (const n of commits) {
      for (const i of [0, 1]) {
        if (!ending.commits.has(`${id}/${n}/${i}`)) anomalies.push(`commit ${id}/${n} is lost`)
      }
    }
    for (const [list, elements] of Object.entries(appended)) {
      const found = (ending.lists.get(list) ?? []).filter((e) => e.startsWith(`${id}.`))
      const known = new Set(elements)
      const maybe = new Set(unknown)
      for (const element of elements) {
        if (!found.includes(element)) anomalies.push(`${list}: ${element} is lost`)
      }
      if (new Set(found).size !== found.length) anomalies.push(`${list}: ${id} appended twice`)
      for (const element of found) {
        if (!known.has(element) && !maybe.has(element)) {
          anomalies.push(`${list}: ${element} was refused, and is there`)
        }
      }
      const order = found.map((element) => Number(element.split('.')[1]))
      if (order.some((n, i) => i > 0 && n < (order[i - 1] as number))) {
        anomalies.push(`${list}: what ${id} appended is out of order`)
      }
    }
  }
  return anomalies
}
