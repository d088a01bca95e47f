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
  0x01021994: 'tmpfs',
  0x2fc12fc1: 'zfs',
  0x58465342: 'xfs',
  0x6969: 'nfs',
  0x794c7630: 'overlayfs',
  0x9123683e: 'btrfs',
  0xef53: 'ext4',
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
