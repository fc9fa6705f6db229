package config_test

import (
	"testing"

	"ssod/httpfront/config"
)

const dishOne = "mvpds: [{id: dish, kind: saml, metadataFile: a, keyFile: b, certFile: c, decision: authenticated}, {id: box, kind: sandbox}]\n    "

func TestMistakesInPartners(t *testing.T) {
	const at = "5: realms[0].partners[0]"
	for name, tt := range map[string]struct{ text, want string }{
		"another maker":    {"partners: [{name: Maker, providers: {DishOne: dish}}]", at + `.name: "Maker" is not one of Apple`},
		"nobody known":     {"partners: [{name: Apple}]", at + ".providers: is missing: the partner would know no TV provider"},
		"no such MVPD":     {"partners: [{name: Apple, providers: {DishOne: none}}]", at + `.providers.DishOne: "none" is not an MVPD of the realm`},
		"not over SAML":    {"partners: [{name: Apple, providers: {DishOne: box}}]", at + `.providers.DishOne: "box" is not of kind saml, which the partner's framework speaks`},
		"what it is about": {"partners: [{name: Apple, providers: {DishOne: dish}}]", ""},
	} {
		got := ""
		if _, err := config.Parse([]byte(realm(dishOne+tt.text)), config.Options{}); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}
