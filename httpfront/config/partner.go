package config

import (
	"fmt"
	"slices"
)

// PartnerApple is the only partner; its name is in paths of the API.
const PartnerApple = "Apple"

// Partner is the maker of devices whose framework knows the TV provider of their viewers;
// httpfront/docs/entitlement.md#partner-single-sign-on.
type Partner struct {
	Name string `yaml:"name"`
	// Providers are the MVPDs by the ids that the partner has for them.
	Providers map[string]string `yaml:"providers"`
}

// Partner finds a partner of the realm; nil: none is configured.
func (r *Realm) Partner(name string) *Partner {
	i := slices.IndexFunc(r.Partners, func(p Partner) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Partners[i]
}

// MappingID is what a partner calls an MVPD; "" if it has none for it.
func (r *Realm) MappingID(mvpd string) string {
	for _, p := range r.Partners {
		for id, to := range p.Providers {
			if to == mvpd {
				return id
			}
		}
	}
	return ""
}

func (k *checker) partners(key string, r *Realm) {
	seen := map[string]string{}
	for i, p := range r.Partners {
		at := fmt.Sprintf("%s[%d]", key, i)
		k.oneOf(at+".name", p.Name, PartnerApple)
		k.unique(seen, at+".name", p.Name)
		if len(p.Providers) == 0 {
			k.mistake(at+".providers", "is missing: the partner would know no TV provider")
		}
		of := map[string]string{}
		for id, mvpd := range p.Providers {
			k.partnerProvider(at+".providers."+id, r, id, mvpd)
			k.unique(of, at+".providers."+id, mvpd)
		}
	}
}

// partnerProvider checks one id of a partner. The partner's framework speaks SAML.
func (k *checker) partnerProvider(key string, r *Realm, id, mvpd string) {
	k.text(key, id)
	i := slices.IndexFunc(r.MVPDs, func(m MVPD) bool { return m.ID == mvpd })
	switch {
	case i < 0:
		k.mistake(key, "%q is not an MVPD of the realm", clip(mvpd))
	case r.MVPDs[i].Kind != "saml":
		k.mistake(key, "%q is not of kind saml, which the partner's framework speaks", clip(mvpd))
	}
}
