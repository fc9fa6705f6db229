package config

import "time"

// What is stored of a trial is bounded: the names of its resources, and the trials of an
// address.
const (
	maxTrialResources       = 1000
	maxTrialsPerAddress     = 1000
	defaultTrialsPerAddress = 20
)

// temppass checks temporary access.
func (k *checker) temppass(key string, m MVPD) {
	if m.TTL == 0 {
		k.mistake(key+".ttl", "is missing")
	}
	k.lifetime(key+".ttl", m.TTL, bounds{time.Minute, maxLifetime})
	k.between(key+".maxResources", m.MaxResources, 0, maxTrialResources)
	k.between(key+".trialsPerAddress", m.TrialsPerAddress, 0, maxTrialsPerAddress)
	if m.IdentityKey != "" {
		k.text(key+".identityKey", m.IdentityKey)
	}
}
