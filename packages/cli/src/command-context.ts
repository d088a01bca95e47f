import { type Env, systemEnv } from '@firn/env'
import type { Command } from 'commander'
import type { Io } from './io.js'
import { type DatabaseLocation, resolveLocation } from './location.js'
import type { Output } from './output.js'

/** Context that every command gets in addition to its own arguments. */
export interface CommandContext {
  readonly io: Io
  readonly output: Output
  readonly clock: Env
}

/** Options that every command has. */
export interface GlobalOptions {
  db?: string
  path?: string
  table?: string
  json?: boolean
}

export const DEFAULT_TABLE = 'default'

export function makeContext(io: Io, output: Output): CommandContext {
  return { io, output, clock: io.clock ?? systemEnv }
}

export function locationOf(command: Command, context: CommandContext): DatabaseLocation {
  return resolveLocation(command.optsWithGlobals<GlobalOptions>(), context.io)
}

/** The name that `--table` sets. */
export function givenTable(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().table
}

/** The table that a command works on. */
export function tableOf(command: Command): string {
  return givenTable(command) ?? DEFAULT_TABLE
}
