package config

import "fmt"

// CodeSettings are the settings that all nodes of a cluster must have alike, by
// a name for operators: a code that one node made another one must read.
func (c *Config) CodeSettings() map[string]string {
	settings := make(map[string]string, len(c.Realms))
	for _, realm := range c.Realms {
		codes := &realm.LinkCode
		settings["link codes of realm "+realm.ID] = fmt.Sprintf("of length %d and alphabet %s", codes.Length, codes.Alphabet)
	}
	return settings
}
