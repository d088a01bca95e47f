/** A city as its key and its value make it up. */
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
 * Cities of a country lie together, by name; the id tells those of one name apart. Bounds and
 * prefixes of ranges leave out what comes last.
 */
export type CityKey = [country: string, name?: string, id?: number]

/** Cities by how many people live there. */
export type RankKey = [population: number, country?: string, name?: string, id?: number]

export function cityKey(city: Omit<City, 'facts'>): CityKey {
  return [city.country, city.name, city.id]
}

export function rankKey(city: City): RankKey {
  return [city.facts.population, city.country, city.name, city.id]
}
