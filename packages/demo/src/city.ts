/** A city: the parts of its key, and its value. */
export interface City {
  country: string
  name: string
  id: number
  facts: CityFacts
}

export interface CityFacts {
  region: string
  population: number
  latitude: number
  longitude: number
}

/**
 * A key that sorts cities by country, then by name; the id distinguishes cities of one name. Bounds
 * and prefixes of ranges leave out the last parts.
 */
export type CityKey = [country: string, name?: string, id?: number]

/** A key that sorts cities by population. */
export type RankKey = [population: number, country?: string, name?: string, id?: number]

export function cityKey(city: Omit<City, 'facts'>): CityKey {
  return [city.country, city.name, city.id]
}

export function rankKey(city: City): RankKey {
  return [city.facts.population, city.country, city.name, city.id]
}
