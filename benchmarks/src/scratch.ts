import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Runs `work` with a fresh directory, in `parent` or where the system keeps temporary files, and
 * removes it afterwards: also when `work` fails, and when the process is told to end.
 */
export async function inScratch<T>(
  prefix: string,
  parent: string | undefined,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(parent ?? tmpdir(), prefix))
  const end = (signal: NodeJS.Signals): void => {
    rmSync(directory, { recursive: true, force: true })
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  for (const signal of SIGNALS) process.once(signal, end)
  try {
    return await work(directory)
  } finally {
    for (const signal of SIGNALS) process.off(signal, end)
    await rm(directory, { recursive: true, force: true })
  }
}
