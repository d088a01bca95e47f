import { BadRowError } from './bad-row.js'
import { assertAsWritten } from './source-text.js'

/** Finds the key in a record: in one field, or in several. */
export class KeyFields {
  readonly count: number
  readonly #paths: readonly { name: string; steps: readonly string[] }[]

  /** `a.b` means the field `a.b`, or else the field `b` of `a`. */
  constructor(names: readonly string[]) {
    this.count = names.length
    this.#paths = names.map((name) => ({ name, steps: name.split('.') }))
  }

  /**
   * Returns the values of the fields. `json` is the record's text, if it has one. Throws
   * `BadRowError` if a field is missing, null or empty, or isn't what the text says.
   */
  of(record: unknown, json: string | undefined): unknown[] {
    return this.#paths.map(({ name, steps }) => {
      const whole = own(record, name)
      const value = whole ?? steps.reduce(own, record)
      if (value === undefined) throw new BadRowError(`no field ${JSON.stringify(name)}`)
      if (value === null || value === '') {
        throw new BadRowError(`the field ${JSON.stringify(name)} is empty`)
      }
      if (json !== undefined) {
        assertAsWritten(json, (whole ?? undefined) === undefined ? steps : [name], value)
      }
      return value
    })
  }
}

function own(record: unknown, name: string): unknown {
  if (typeof record !== 'object' || record === null) return undefined
  return Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined
}
