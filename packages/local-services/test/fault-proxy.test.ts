import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  CUT_REPLY,
  denied,
  type FaultProxy,
  HANG,
  type HttpAnswer,
  type HttpFault,
  LOST_REPLY,
  LOST_REQUEST,
  late,
  randomFault,
  refused,
  SILENT_SUCCESS,
  startFaultProxy,
  TWICE,
} from '../src/index.js'

const BUSY: HttpAnswer = { status: 503, headers: { 'x-why': 'busy' }, body: 'later' }

describe('a proxy that makes faults', () => {
  let arrived: string[]
  let server: http.Server
  let proxy: FaultProxy | undefined

  beforeEach(async () => {
    arrived = []
    server = http.createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      arrived.push(`${request.method} ${request.url} ${request.headers['x-name']} ${body.length}`)
      response.writeHead(201, { 'x-host': request.headers.host, 'x-count': arrived.length })
      response.end('an answer that is long enough to be cut')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    await proxy?.stop()
    proxy = undefined
    server.close()
    server.closeAllConnections()
  })

  async function start(fault?: HttpFault): Promise<FaultProxy> {
    const { port } = server.address() as AddressInfo
    proxy = await startFaultProxy(`http://127.0.0.1:${port}`, () => fault)
    return proxy
  }

  /** Puts a body through the proxy, and waits for the answer at most as long as the signal says. */
  async function put({ endpoint }: FaultProxy, body = 'hello', signal?: AbortSignal) {
    const init = { method: 'PUT', headers: { 'x-name': 'wren' }, body }
    const response = await fetch(
      `${endpoint}/a/b?c=d`,
      signal === undefined ? init : { ...init, signal },
    )
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  test('lets through what it has no fault for, whole, with the host that the client meant', async () => {
    const proxy = await start()
    const { status, headers, text } = await put(proxy, 'x'.repeat(3_000_000))
    expect([status, text]).toEqual([201, 'an answer that is long enough to be cut'])
    expect(`http://${headers.get('x-host')}`).toBe(proxy.endpoint)
    expect(arrived).toEqual(['PUT /a/b?c=d wren 3000000'])
    expect([proxy.requests, proxy.faults]).toEqual([1, 0])
  })

  test('loses requests, replies, and halves of replies', async () => {
    for (const [fault, arrivals] of [
      [LOST_REQUEST, 0],
      [LOST_REPLY, 1],
      [CUT_REPLY, 2],
    ] as const) {
      const proxy = await start(fault)
      await expect(put(proxy)).rejects.toThrow()
      expect(arrived).toHaveLength(arrivals)
      expect([proxy.requests, proxy.faults]).toEqual([1, 1])
      await proxy.stop()
    }
  })

  test('delivers twice', async () => {
    const { headers } = await put(await start(TWICE))
    expect(headers.get('x-count')).toBe('2')
    expect(new Set(arrived)).toEqual(new Set(['PUT /a/b?c=d wren 5']))
  })

  test('delivers late, after the client was told that the connection broke', async () => {
    const proxy = await start(late(30))
    await expect(put(proxy)).rejects.toThrow()
    expect(arrived).toEqual([])
    await proxy.settled()
    expect(arrived).toHaveLength(1)
  })

  test('delivers what is late before it stops', async () => {
    const proxy = await start(late(30))
    await expect(put(proxy)).rejects.toThrow()
    await proxy.stop()
    expect(arrived).toHaveLength(1)
  })

  test('never answers, with or without having delivered', async () => {
    for (const [fault, arrivals] of [
      [HANG, 0],
      [SILENT_SUCCESS, 1],
    ] as const) {
      const proxy = await start(fault)
      const caller = new AbortController()
      const answer = put(proxy, 'hello', caller.signal)
      while (proxy.faults === 0 || arrived.length < arrivals) await systemEnv.sleep(1)
      await proxy.settled()
      caller.abort(new Error('enough'))
      await expect(answer).rejects.toThrow('enough')
      expect(arrived).toHaveLength(arrivals)
      await proxy.stop()
    }
  })

  test('answers by itself, with or without having delivered', async () => {
    for (const [fault, arrivals] of [
      [refused(BUSY), 0],
      [denied(BUSY), 1],
    ] as const) {
      const { status, headers, text } = await put(await start(fault))
      expect([status, headers.get('x-why'), text]).toEqual([503, 'busy', 'later'])
      expect(arrived).toHaveLength(arrivals)
      await proxy?.stop()
    }
  })

  test('breaks the connection where the server does', async () => {
    const proxy = await start()
    server.close()
    server.closeAllConnections()
    await expect(put(proxy)).rejects.toThrow()
  })
})

test('draws faults as a seed has it', () => {
  const draw = (seed: number) => {
    const env = new TestEnv({ seed })
    const faults = [LOST_REPLY, TWICE]
    return Array.from({ length: 1000 }, () => randomFault(() => env.random(), 0.1, faults))
  }
  expect(draw(1)).toEqual(draw(1))
  const drawn = draw(2).filter((fault) => fault !== undefined)
  expect(drawn.length).toBeGreaterThan(60)
  expect(drawn.length).toBeLessThan(140)
  expect(new Set(drawn).size).toBe(2)
})
