/** Makes an error like those of `node:fs`. */
export function systemError(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), {
    code,
    errno: -1,
    syscall,
    path,
  })
}
