/**
 * One spelling for the names that a node written in Go takes for the same: its JSON package falls back to comparing
 * names without case (https://pkg.go.dev/encoding/json#Unmarshal), where `ſ` (U+017F) is an s and the Kelvin sign
 * (U+212A) a k.
 */
export function foldName(name: string): string {
  return name.toUpperCase().toLowerCase();
}
