import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import { hasNamespaces, isOutsideContainers, type ProcessIdentity } from './process-identity.js'

// The socket of an owner and its address, `<kind>:<name>`. A thread shares one socket among all
// directories that it owns, unless the socket is in the directory: making one takes a tenth of the
// time of opening a small database.
//
// abstract   in the network namespace, without a file. Linux, outside of containers.
// directory  a file in the directory. Linux, in containers: the next container that has the
//            directory has another network, another /tmp, and other process ids. Not used anywhere
//            else, because `fs.cp` can't copy a directory that holds a socket.
// path       a file in the system's temporary directory. macOS, BSD.
// pipe       a named pipe. Windows.

/**
 * sockaddr_un has room for 104 bytes on BSD and macOS and 108 on Linux, including the zero at the
 * end.
 */
const LONGEST_PATH = 103

/**
 * Length of an abstract name. Some versions of Node pad a name with zeros to the whole of sun_path
 * and others don't, so they would use two different names. A name that fills it is the same to all:
 * a zero in front, and this many characters.
 */
const ABSTRACT_LENGTH = 107

export type SocketKind = 'abstract' | 'directory' | 'path' | 'pipe'

/** A socket that listens and ignores its connections. */
export interface Listening {
  readonly address: string
  /** Closes it, unless it is the thread's shared one. */
  end(): void
}

/** Listens on a socket for the owner of a directory; `undefined` if the system doesn't allow it. */
export async function listenFor(
  directory: string,
  name: string,
  self: ProcessIdentity,
): Promise<Listening | undefined> {
  const kind = kindFor(self)
  try {
    if (kind === 'directory') {
      const end = await listenInDirectory(directory, name)
      return end && { address: `directory:${name}`, end }
    }
    ofThread ??= listen(kind, name)
    const listening = await ofThread
    // Let the next owner try again.
    if (listening === undefined) ofThread = undefined
    return listening
  } catch {
    return undefined
  }
}

/** Ends with the thread. */
let ofThread: Promise<Listening | undefined> | undefined

function kindFor(self: ProcessIdentity): SocketKind {
  if (self.platform === 'win32') return 'pipe'
  if (!hasNamespaces(self)) return 'path'
  return isOutsideContainers(self) ? 'abstract' : 'directory'
}

/** The kind and the name of an address; `undefined` for anything else. */
export function parseAddress(address: string): { kind: SocketKind; name: string } | undefined {
  // A name, never a path that leads elsewhere.
  const [, kind, name] = /^(abstract|directory|path|pipe):([\w.-]{1,64})$/.exec(address) ?? []
  return name === undefined ? undefined : { kind: kind as SocketKind, name }
}

/** `missing`: there is no such file. `unclear`: the system doesn't say. */
export type Answer = 'accepted' | 'refused' | 'missing' | 'unclear'

/** Connects to the socket of the owner of a directory. Throws EMFILE and ENFILE. */
export async function ask(directory: string, kind: SocketKind, name: string): Promise<Answer> {
  if (kind !== 'directory') {
    const answer = answerOf(await connect(pathFor(kind, name)))
    // A pipe is no file: if it is missing, no process listens.
    return kind === 'pipe' && answer === 'missing' ? 'refused' : answer
  }
  const short = shortPathOf(directory, name)
  try {
    return answerOf(await connect(short.path))
  } finally {
    short.release()
  }
}

function answerOf(code: string | undefined): Answer {
  switch (code) {
    case undefined:
    case 'EAGAIN': // Its queue is full.
      return 'accepted'
    case 'ECONNREFUSED':
      return 'refused'
    case 'ENOENT':
      return 'missing'
    default:
      return 'unclear'
  }
}

function pathFor(kind: Exclude<SocketKind, 'directory'>, name: string): string {
  if (kind === 'abstract') return `\0${`firn/${name}/`.padEnd(ABSTRACT_LENGTH, '.')}`
  return kind === 'pipe' ? `\\\\.\\pipe\\firn-${name}` : join(os.tmpdir(), `firn-${name}`)
}

async function listen(
  kind: Exclude<SocketKind, 'directory'>,
  name: string,
): Promise<Listening | undefined> {
  const path = pathFor(kind, name)
  if (kind === 'path' && Buffer.byteLength(path) > LONGEST_PATH) return undefined
  const server = await serverAt(path)
  if (server === undefined) return undefined
  if (kind === 'abstract' && server.address() !== path) {
    server.close()
    return undefined
  }
  // Any process that finds its name may ask.
  if (kind === 'path') fs.chmodSync(path, 0o666)
  return { address: `${kind}:${name}`, end: () => {} }
}

/** The name appears once the socket listens, so no process finds one that refuses before that. */
async function listenInDirectory(
  directory: string,
  name: string,
): Promise<(() => void) | undefined> {
  const path = join(directory, name)
  // When the server is closed, or its thread terminated, Node removes the path that it bound. This
  // path doesn't exist any more by then, so the socket stays and refuses. That proves more than a
  // missing one.
  const bound = `${name}.tmp`
  const temporary = join(directory, bound)
  const short = shortPathOf(directory, bound)
  let server: net.Server | undefined
  try {
    server = await serverAt(short.path)
    if (server === undefined) return undefined
    // Any process that may look into the directory may ask.
    fs.chmodSync(temporary, 0o666)
    fs.renameSync(temporary, path)
  } catch (error) {
    server?.close()
    remove(temporary)
    throw error
  } finally {
    short.release()
  }
  return () => {
    remove(path)
    server.close()
  }
}

function serverAt(path: string): Promise<net.Server | undefined> {
  const server = net.createServer({ pauseOnConnect: true }, (connection) => connection.destroy())
  return new Promise((resolve) => {
    // Later errors are those of connections that could not be accepted.
    server.on('error', () => resolve(undefined))
    // Exclusive: for a worker of node:cluster the primary would listen, and outlive the worker.
    server.listen({ path, exclusive: true }, () => resolve(server))
    server.unref()
  })
}

function connect(path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const connection = net.connect({ path })
    connection.on('connect', () => {
      connection.destroy()
      resolve(undefined)
    })
    connection.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EMFILE' || error.code === 'ENFILE') reject(error)
      else resolve(error.code ?? 'unknown')
    })
  })
}

interface ShortPath {
  readonly path: string
  release(): void
}

/** A path that is short enough for a socket, through a descriptor of the directory. */
function shortPathOf(directory: string, name: string): ShortPath {
  const path = join(directory, name)
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { path, release: () => {} }
  const fd = fs.openSync(directory, 'r')
  return { path: `/proc/self/fd/${fd}/${name}`, release: () => fs.closeSync(fd) }
}

function remove(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // Already gone, or left for the process that clears the directory.
  }
}
