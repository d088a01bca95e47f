import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * A port of the loopback interface that nobody listened on a moment ago. Somebody else may take it
 * before you do: a service that doesn't come up on it is worth another try on another port.
 */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
