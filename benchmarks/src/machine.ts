import { statfsSync } from 'node:fs'
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os'

/** What a result was measured on. Nothing in it names the machine or its user. */
export interface Machine {
  cpu: string
  cores: number
  memoryBytes: number
  system: string
  architecture: string
  fileSystem: string
  node: string
}

// From <linux/magic.h>.
const FILE_SYSTEMS: Record<number, string> = {
  16914836: 'tmpfs',
  801189825: 'zfs',
  1481003842: 'xfs',
  26985: 'nfs',
  2035054128: 'overlayfs',
  2435016766: 'btrfs',
  61267: 'ext4',
}

export function describeMachine(directory: string): Machine {
  const fileSystem = statfsSync(directory).type
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    architecture: arch(),
    fileSystem: FILE_SYSTEMS[fileSystem] ?? `type 0x${fileSystem.toString(16)}`,
    node: process.versions.node,
  }
}
