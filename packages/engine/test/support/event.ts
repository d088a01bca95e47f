/** What a test waits for, until it happens: `happen` resolves `happened`. */
export function event(): { happen: () => void; happened: Promise<void> } {
  let happen = (): void => {}
  const happened = new Promise<void>((resolve) => {
    happen = resolve
  })
  return { happen, happened }
}
