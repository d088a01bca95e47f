const NAME = /^(\d{20})\.log$/

/** `log/<20-digit first version>.log`: names sort as versions do. */
export function segmentName(firstVersion: number): string {
  return `${String(firstVersion).padStart(20, '0')}.log`
}

/** The first versions of the segments among these names, in order. */
export function segmentVersions(names: readonly string[]): number[] {
  const versions: number[] = []
  for (const name of names) {
    const match = NAME.exec(name)
    if (match !== null) versions.push(Number(match[1]))
  }
  return versions.sort((a, b) => a - b)
}

/** Whether the file was still being written when its process ended. */
export function isUnfinished(name: string): boolean {
  return name.endsWith('.tmp')
}

const MARK = /^(\d{20})\.truncated$/

/** `log/<20-digit version>.truncated`, an empty file: entries up to this version are tombstones. */
export function markName(through: number): string {
  return `${String(through).padStart(20, '0')}.truncated`
}

/** The versions of the marks among these names, in order. */
export function markedVersions(names: readonly string[]): number[] {
  const versions: number[] = []
  for (const name of names) {
    const match = MARK.exec(name)
    if (match !== null) versions.push(Number(match[1]))
  }
  return versions.sort((a, b) => a - b)
}
