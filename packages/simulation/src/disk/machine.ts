import type { Life } from '../sim-process.js'
import { Disk } from './disk.js'
import { DiskUser, type DiskWeather } from './disk-user.js'
import type { Survival } from './survival.js'

/** Identifies a process of a machine, even after the machine restarted. */
export interface ProcessId {
  readonly boot: number
  readonly pid: number
}

/** A machine: its disk, and the processes that run on it. */
export class Machine {
  #disk: Disk
  #boot: number
  #pids = 0
  readonly #lives: Map<number, Life> = new Map()
  readonly #sockets: Set<string> = new Set()

  /** Makes a machine with another one's disk: every process of that one is dead. */
  constructor(disk: Disk = new Disk(), boot = 1) {
    this.#disk = disk
    this.#boot = boot
  }

  get disk(): Disk {
    return this.#disk
  }

  get boot(): number {
    return this.#boot
  }

  /** Starts a process's use of the disk. */
  userFor(life: Life, weather: DiskWeather): DiskUser {
    const id = { boot: this.#boot, pid: ++this.#pids }
    this.#lives.set(id.pid, life)
    return new DiskUser(this, id, life, weather)
  }

  isAlive({ boot, pid }: ProcessId): boolean {
    return boot === this.#boot && this.#lives.get(pid)?.alive === true
  }

  listen(id: ProcessId, name: string): void {
    this.#sockets.add(socketOf(id, name))
  }

  endListening(id: ProcessId, name: string): void {
    this.#sockets.delete(socketOf(id, name))
  }

  /** Whether a running process listens on this socket. */
  isListening(id: ProcessId, name: string): boolean {
    return this.isAlive(id) && this.#sockets.has(socketOf(id, name))
  }

  /** The power fails and comes back. All its processes must be dead. */
  crash(survival: Survival): void {
    this.#disk = this.#disk.afterCrash(survival)
    this.#boot++
    this.#lives.clear()
    this.#sockets.clear()
  }
}

function socketOf({ boot, pid }: ProcessId, name: string): string {
  return `${boot}/${pid}/${name}`
}
