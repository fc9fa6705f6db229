package config_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
)

// contract is every key of cmd/ssod/docs/configuration.md#configuration-file, without the
// files that it names.
const contract = `issuer: https://sso.example.com
publicURL: https://sso.example.com/
helpURL: https://help.example.com
accessToken: {algorithm: HS256, ttl: 6h}
throttle: {enabled: true, rate: 1, burst: 10, perAddressConnections: 1000, trustedProxies: [127.0.0.1/32]}
memberRetention: 9600h
realms:
  - id: acme
    serviceProviders:
      - {id: acme-tv, displayName: Acme TV, domains: [acme.example, "acmetv://"], authPerAggregator: false, metadataCertFile: keys/tv.crt}
      - acme-kids
    serviceToken: {algorithm: HS256, ttl: 1h, refreshWindow: 168h, maxAge: 9600h, bindDevice: true}
    ssoId: {mode: asserted}
    deviceDefaultSsoId: false
    maxDevices: 50
    linkCode: {length: 6, alphabet: digits, ttl: 15m, maxPerProfile: 5, maxIssued: 10, maxLive: 200000, otherNetwork: allow}
    guessing: {perDevice: 5, perAddress: 60, wrongHitsPerDay: 0.25, perRealm: 100}
    cors: {origins: ["https://tv.acme.example"]}
    trustedIssuers:
      - {issuer: "https://id.acme.example", audience: Adobe, jwksFile: keys/acme.json}
    platforms:
      - {name: firetv, issuer: amazon, audience: adobe, algorithms: [RS256, HS256], jwksFile: keys/firetv.json, decryptionKeyFile: keys/firetv-jwe.pem}
    mvpds:
      - {id: sandbox, displayName: Sandbox TV, kind: sandbox, allowPublic: true}
      - {id: cable, displayName: Cable Co, logoUrl: "https://static.cable.example/logo.svg", kind: oidc, issuer: "https://login.cable.example", clientId: sso, clientSecretFile: keys/cable.secret,
         scopes: [openid, profile], attributes: {userID: sub, zip: "address.postal_code"}, hba: at_home, encrypted: [zip], caFile: keys/ca.pem,
         authzURL: "https://pdp.cable.example/access/v1/evaluation", decision: pdp, authnTTL: 720h, authzTTL: 1h, disabledFor: [acme-kids]}
      - {id: dish, displayName: Dish Two, kind: saml, metadataFile: keys/dish.xml,   # or metadataURL
         keyFile: keys/sp.key, certFile: keys/sp.crt, nextKeyFile: keys/next.key, nextCertFile: keys/next.crt, entityId: "urn:acme", providerEntityId: "urn:dish",
         allowCBC: true, attributes: {householdID: "urn:example:household"}, xacmlURL: "https://pdp.dish.example/"}
      - {id: trial, displayName: Free trial, kind: temppass, ttl: 24h, maxResources: 0, trialsPerAddress: 20}
    partners: [{name: Apple, providers: {DishTwo: dish}}]
    webhooks:
      - {url: "https://hooks.acme.example/", secretFile: keys/hook.secret, events: [], mvpd: cable, serviceProviders: [acme-tv], caFile: keys/ca.pem, allowPrivate: true}
    degradation: [{serviceProvider: acme-tv, mvpd: cable, rule: AuthNAll}]
    session: {ttl: 30m, confirm: otherNetwork}
    mediaToken: {ttl: 7m}
    limits: {authorize: 1, preauthorize: 5}
    strictTokens: false
`

func TestParseReadsEveryKeyOfTheContract(t *testing.T) {
	c, err := config.Parse([]byte(contract), config.Options{File: "etc/ssod.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	realm, sp, ok := c.ServiceProvider("acme-tv")
	if !ok || realm.ID != "acme" || sp.DisplayName != "Acme TV" {
		t.Fatalf("acme-tv: got realm %v, service provider %v, %v", realm, sp, ok)
	}
	if c.PublicURL != "https://sso.example.com" {
		t.Errorf("publicURL: got %q, want it without the slash", c.PublicURL)
	}
	if got, want := realm.TrustedIssuers[0].JWKSFile, filepath.FromSlash("etc/keys/acme.json"); got != want {
		t.Errorf("jwksFile: got %q, want %q: relative to the file", got, want)
	}
	if got, want := realm.MVPDs[1].DisabledFor, []string{"acme-kids"}; !cmp.Equal(got, want) {
		t.Errorf("disabledFor: got %q, want %q", got, want)
	}
	if _, sp, _ := c.ServiceProvider("acme-kids"); sp == nil || sp.DisplayName != "acme-kids" {
		t.Errorf("acme-kids: got %v, want a service provider shown under its id", sp)
	}
}

const smallest = "realms: [{id: a, serviceProviders: [tv]}]"

func TestParseFillsInTheDefaults(t *testing.T) {
	c, err := config.Parse([]byte(smallest), config.Options{PublicURL: "http://127.0.0.1:9999"})
	if err != nil {
		t.Fatal(err)
	}
	type values struct {
		Issuer, PublicURL string
		AccessToken       config.AccessToken
		Throttle          config.Throttle
		MemberRetention   time.Duration
		ServiceToken      config.ServiceToken
		Mode              string
		MaxDevices        int
		LinkCode          config.LinkCode
		Guessing          config.Guessing
		Session           config.Session
		MediaToken        time.Duration
		Limits            config.Limits
	}
	r := c.Realms[0]
	got := values{
		c.Issuer, c.PublicURL, c.AccessToken, c.Throttle, c.MemberRetention, r.ServiceToken, r.SSOID.Mode,
		r.MaxDevices, r.LinkCode, r.Guessing, r.Session, r.MediaToken.TTL, r.Limits,
	}
	want := values{
		"ssod", "http://127.0.0.1:9999",
		config.AccessToken{Algorithm: "HS256", TTL: 6 * time.Hour},
		config.Throttle{
			Enabled: true, Rate: 1, Burst: 10, PerAddressConnections: 1000,
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		},
		9600 * time.Hour,
		config.ServiceToken{Algorithm: "HS256", TTL: time.Hour, RefreshWindow: 168 * time.Hour, BindDevice: true},
		"asserted", 50,
		config.LinkCode{Length: 6, Alphabet: "digits", TTL: 15 * time.Minute, MaxPerProfile: 5, MaxIssued: 10, MaxLive: 200000, OtherNetwork: "allow"},
		config.Guessing{PerDevice: 5, PerAddress: 60, WrongHitsPerDay: 0.5},
		config.Session{TTL: 30 * time.Minute, Confirm: "otherNetwork"},
		7 * time.Minute,
		config.Limits{Authorize: 1, Preauthorize: 5},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Fatalf("defaults (-want +got):\n%s", diff)
	}
}

func TestParseTellsZeroFromAbsent(t *testing.T) {
	c, err := config.Parse([]byte(`
throttle: {enabled: false, burst: 0, trustedProxies: []}
realms: [{id: a, serviceProviders: [tv], serviceToken: {refreshWindow: 0s, bindDevice: false}}]`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Throttle.Enabled || c.Throttle.Burst != 0 || len(c.Throttle.TrustedProxies) != 0 {
		t.Errorf("throttle: got %+v, want everything off", c.Throttle)
	}
	if s := c.Realms[0].ServiceToken; s.RefreshWindow != 0 || s.BindDevice || s.TTL != time.Hour {
		t.Errorf("serviceToken: got %+v, want no window, no binding and the default ttl", s)
	}
}

// domains is a configuration whose service provider has one domain.
func domains(domain string) string {
	return fmt.Sprintf("realms: [{id: a, serviceProviders: [{id: x, domains: [%q]}]}]", domain)
}

func TestParseReportsEachMistakeWithItsLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "1: the file is empty; it needs at least one realm"},
		{"only a comment", "# nothing\n", "1: the file is empty; it needs at least one realm"},
		{"a list", "- a\n", "1: is a list, must be a mapping"},
		{"not YAML", "issuer: a\n  b: [\n", "2: not YAML: mapping values are not allowed in this context"},
		{"two documents", smallest + "\n---\na: b\n", "2: a second document; one file holds one configuration"},
		{"unknown key", smallest + "\nrealm: x\n", "2: realm: unknown key"},
		{"unknown key below", "realms:\n  - id: a\n    serviceProviders: [tv]\n    linkCode:\n      lenght: 6\n", "5: realms[0].linkCode.lenght: unknown key"},
		{"twice", "issuer: a\nissuer: b\n" + smallest, "2: issuer: is there twice"},
		{"no value", "issuer:\n" + smallest, "1: issuer: has no value; leave the key out to get its default"},
		{"alias", "issuer: &x a\nhelpURL: *x\n" + smallest, "2: helpURL: aliases are not supported; write the value out"},
		{"text for a duration", "memberRetention: long\n" + smallest, `1: memberRetention: "long" is not a duration such as 90s, 15m or 720h`},
		{"number for a duration", "memberRetention: 900\n" + smallest, `1: memberRetention: "900" is not a duration such as 90s, 15m or 720h`},
		{"text for a number", "throttle: {rate: fast}\n" + smallest, `1: throttle.rate: "fast" is not a number`},
		{"text for a switch", "throttle: {enabled: maybe}\n" + smallest, `1: throttle.enabled: "maybe" is not true or false`},
		{"prefix", "throttle:\n  trustedProxies:\n    - 10.0.0.0/8\n    - ten\n" + smallest, `4: throttle.trustedProxies[1]: "ten" is not an address or a prefix such as 10.0.0.0/8`},
		{"no realms", "issuer: a\n", "1: realms: is missing: at least one realm is needed"},
		{"realm without id", "realms:\n  - serviceProviders: [tv]\n", "2: realms[0].id: is missing"},
		{"realm null", "realms:\n  -\n", "2: realms[0]: has no value; leave the key out to get its default"},
		{"realm id", "realms: [{id: a b, serviceProviders: [tv]}]", `1: realms[0].id: "a b" is not 1 to 64 letters, digits, - and _`},
		{"realm twice", "realms:\n- {id: a, serviceProviders: [x]}\n- {id: a, serviceProviders: [y]}\n", `3: realms[1].id: "a" is taken by realms[0].id in line 2`},
		{"no service providers", "realms: [{id: a}]", "1: realms[0].serviceProviders: is missing: a realm needs at least one service provider"},
		{"reserved service provider", "realms: [{id: a, serviceProviders: [v2]}]", `1: realms[0].serviceProviders[0].id: "v2" is reserved: it is a word of the API's paths`},
		{"service provider in two realms", "realms:\n- {id: a, serviceProviders: [x]}\n- id: b\n  serviceProviders:\n  - {id: x}\n", `5: realms[1].serviceProviders[0].id: "x" is taken by realms[0].serviceProviders[0].id in line 2`},
		{"domain", "realms: [{id: a, serviceProviders: [{id: x, domains: ['https://a.b/c']}]}]", `1: realms[0].serviceProviders[0].domains[0]: "https://a.b/c" is neither a host name, nor one behind *., nor an app's scheme such as acmetv://`},
		{"wildcard in a domain", domains("a.*.example"), `1: realms[0].serviceProviders[0].domains[0]: "a.*.example" is neither a host name, nor one behind *., nor an app's scheme such as acmetv://`},
		{"everything below com", domains("*.com"), `1: realms[0].serviceProviders[0].domains[0]: "*.com" has names of strangers below it; write *. before a domain that is yours`},
		{"everything below a suffix", domains("*.co.uk"), `1: realms[0].serviceProviders[0].domains[0]: "*.co.uk" has names of strangers below it; write *. before a domain that is yours`},
		{"everything at a host of pages", domains("*.GitHub.io"), `1: realms[0].serviceProviders[0].domains[0]: "*.GitHub.io" has names of strangers below it; write *. before a domain that is yours`},
		{"below an address", domains("*.127.0.0.1"), `1: realms[0].serviceProviders[0].domains[0]: "*.127.0.0.1" has names of strangers below it; write *. before a domain that is yours`},
		{"scheme of browsers", domains("javascript://"), `1: realms[0].serviceProviders[0].domains[0]: "javascript://" is a scheme of browsers and not of an app; of a site, write the host alone`},
		{"every site", domains("https://"), `1: realms[0].serviceProviders[0].domains[0]: "https://" is a scheme of browsers and not of an app; of a site, write the host alone`},
		{"other networks", realm("linkCode: {otherNetwork: ask}"), `4: realms[0].linkCode.otherNetwork: "ask" is not one of allow, confirm, deny`},
		{"algorithm", realm("serviceToken: {algorithm: none}"), `4: realms[0].serviceToken.algorithm: "none" is not one of HS256, RS256`},
		{"token too long", realm("serviceToken: {ttl: 25h}"), "4: realms[0].serviceToken.ttl: 25h0m0s is too long; at most 24h0m0s"},
		{"token without life", realm("serviceToken: {ttl: 0s}"), "4: realms[0].serviceToken.ttl: 0s is not a lifetime; it must be more than 0"},
		{"negative window", realm("serviceToken: {refreshWindow: -1h}"), "4: realms[0].serviceToken.refreshWindow: -1h0m0s is not between 0 and 8760h0m0s"},
		{"chain without life", realm("serviceToken: {maxAge: 0s}"), "4: realms[0].serviceToken.maxAge: 0s is not a lifetime; it must be more than 0"},
		{"chain for ever", realm("serviceToken: {maxAge: 876000h}"), "4: realms[0].serviceToken.maxAge: 876000h0m0s is too long; at most 87600h0m0s"},
		{"code too long a life", realm("linkCode: {ttl: 61m}"), "4: realms[0].linkCode.ttl: 1h1m0s is too long; at most 1h0m0s"},
		{"code too short", realm("linkCode: {length: 3}"), "4: realms[0].linkCode.length: 3 is not between 4 and 10"},
		{"alphabet", realm("linkCode: {alphabet: emoji}"), `4: realms[0].linkCode.alphabet: "emoji" is not one of digits, alphanumeric`},
		{"signed by nobody", realm("ssoId: {mode: signed}"), "4: realms[0].ssoId.mode: signed needs trustedIssuers: nobody's signature would be accepted"},
		{"wildcard origin", realm(`cors: {origins: ["*"]}`), `4: realms[0].cors.origins[0]: "*" is not an origin such as https://tv.example.com, without a path or a wildcard, nor that of a packaged app: "null", file:// or app://name`},
		{"origin with path", realm(`cors: {origins: ["https://a.example/"]}`), `4: realms[0].cors.origins[0]: "https://a.example/" is not what browsers send as their origin; write "https://a.example"`},
		{"issuer without keys", realm("trustedIssuers: [{issuer: i}]"), "4: realms[0].trustedIssuers[0]: has 0 of jwksFile, jwksURL and pemFile, must have exactly one"},
		{"issuer with two keys", realm("trustedIssuers: [{issuer: i, jwksFile: a, pemFile: b}]"), "4: realms[0].trustedIssuers[0]: has 2 of jwksFile, jwksURL and pemFile, must have exactly one"},
		{"issuer too long", realm("trustedIssuers: [{issuer: " + strings.Repeat("i", 513) + ", jwksFile: a}]"), "4: realms[0].trustedIssuers[0].issuer: is longer than 512 bytes"},
		{"issuer is us", realm("trustedIssuers: [{issuer: ssoservicetoken, jwksFile: a}]"), `4: realms[0].trustedIssuers[0].issuer: "ssoservicetoken" is a name that this service uses itself`},
		{"keys over plain HTTP", realm(`trustedIssuers: [{issuer: i, jwksURL: "http://id.example/keys"}]`), "4: realms[0].trustedIssuers[0].jwksURL: must be https: whoever is on the way could change the answer"},
		{"reserved MVPD", realm("mvpds: [{id: sso, kind: sandbox}]"), `4: realms[0].mvpds[0].id: "sso" is reserved: it is a word of the API's paths`},
		{"when viewers are asked", realm("session: {confirm: sometimes}"), `4: realms[0].session.confirm: "sometimes" is not one of otherNetwork, always, never`},
		{"kind of MVPD", realm("mvpds: [{id: m, kind: cas}]"), `4: realms[0].mvpds[0].kind: "cas" is not one of sandbox, oidc, saml, temppass`},
		{"logo", realm("mvpds: [{id: m, kind: sandbox, logoUrl: /logo.png}]"), "4: realms[0].mvpds[0].logoUrl: is not an http or https URL with a host"},
		{"key of another kind", realm("mvpds: [{id: m, kind: sandbox, clientId: x}]"), "4: realms[0].mvpds[0].clientId: is a key of kind oidc"},
		{"trials of an address", realm("mvpds: [{id: m, kind: temppass, ttl: 1h, trialsPerAddress: 1001}]"), "4: realms[0].mvpds[0].trialsPerAddress: 1001 is not between 0 and 1000"},
		{"resources of a trial", realm("mvpds: [{id: m, kind: temppass, ttl: 1h, maxResources: 1001}]"), "4: realms[0].mvpds[0].maxResources: 1001 is not between 0 and 1000"},
		{"whose trial at a sandbox", realm("mvpds: [{id: m, kind: sandbox, identityKey: email}]"), "4: realms[0].mvpds[0].identityKey: is a key of kind temppass"},
		{"temppass without end", realm("mvpds: [{id: m, kind: temppass}]"), "4: realms[0].mvpds[0].ttl: is missing"},
		{"foreign service provider", realm("mvpds: [{id: m, kind: sandbox, disabledFor: [x]}]"), `4: realms[0].mvpds[0].disabledFor[0]: "x" is not a service provider of the realm`},
		{"decision point that is not asked", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: authenticated, authzURL: 'https://a.example'}]"), `4: realms[0].mvpds[0].authzURL: is not asked with decision: authenticated`},
		{"decision point twice", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, authzURL: 'https://a.example', xacmlURL: 'https://a.example'}]"), `4: realms[0].mvpds[0].xacmlURL: there is an authzURL already: one of them decides`},
		{"decision point without TLS", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, xacmlURL: 'http://a.example'}]"), `4: realms[0].mvpds[0].xacmlURL: must be https: whoever is on the way could change the answer`},
		{"decision point of another kind", realm("mvpds: [{id: m, kind: sandbox, xacmlURL: 'https://a.example'}]"), `4: realms[0].mvpds[0].xacmlURL: is a key of kind oidc and saml`},
		{"obligations of nobody", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, authzURL: 'https://a.example', obligations: ['urn:a']}]"), `4: realms[0].mvpds[0].obligations: needs xacmlURL: they are obligations of XACML`},
		{"patience", realm("mvpds: [{id: m, kind: sandbox, decisionTimeout: 10s}]"), `4: realms[0].mvpds[0].decisionTimeout: 10s is too long; at most 9s`},
		{"decision", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: always}]"), `4: realms[0].mvpds[0].decision: "always" is not one of pdp, authenticated`},
		{"response mode", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: authenticated, responseMode: fragment}]"), `4: realms[0].mvpds[0].responseMode: "fragment" is not one of query, form_post`},
		{"response mode of another kind", realm("mvpds: [{id: m, kind: sandbox, responseMode: form_post}]"), "4: realms[0].mvpds[0].responseMode: is a key of kind oidc"},
		{"scope", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: authenticated, scopes: ['a b']}]"), `4: realms[0].mvpds[0].scopes[0]: "a b" is no scope`},
		{"claims", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: authenticated, attributes: [zip]}]"), `4: realms[0].mvpds[0].attributes: is a list, must be a mapping`},
		{"claim twice", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: authenticated, attributes: {a: b, a: c}}]"), `4: realms[0].mvpds[0].attributes.a: is no name, or is there twice`},
		{"claim", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: authenticated, attributes: {zip: ''}}]"), `4: realms[0].mvpds[0].attributes.zip: is missing`},
		{"degradation", realm("degradation: [{serviceProvider: tv, mvpd: m, rule: AuthNAll}]"), `4: realms[0].degradation[0].mvpd: "m" is not an MVPD of the realm`},
		{"public URL", "publicURL: sso.example.com\n" + smallest, "1: publicURL: is not an http or https URL with a host"},
		{"password in a URL", "helpURL: https://me:secret@a.example\n" + smallest, "1: helpURL: must not hold a password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Parse([]byte(tt.text), config.Options{})
			if err == nil {
				t.Fatalf("got no mistake, want %q", tt.want)
			}
			if err.Error() != tt.want {
				t.Fatalf("got  %q\nwant %q", err, tt.want)
			}
		})
	}
}

// realm is a file whose fourth line is a key of its realm.
func realm(key string) string {
	return "realms:\n  - id: a\n    serviceProviders: [tv]\n    " + key + "\n"
}

func TestParseReportsAllMistakesAtOnceInOrder(t *testing.T) {
	_, err := config.Parse([]byte("isuer: x\nmemberRetention: 1\nrealms:\n- id: v v\n  maxDevices: 0\n"), config.Options{File: "ssod.yaml"})
	want := strings.Join([]string{
		`ssod.yaml:1: isuer: unknown key`,
		`ssod.yaml:2: memberRetention: "1" is not a duration such as 90s, 15m or 720h`,
		`ssod.yaml:4: realms[0].id: "v v" is not 1 to 64 letters, digits, - and _`,
		`ssod.yaml:4: realms[0].serviceProviders: is missing: a realm needs at least one service provider`,
		`ssod.yaml:5: realms[0].maxDevices: 0 is not between 1 and 1000`,
	}, "\n")
	if err == nil {
		t.Fatal("got no mistakes")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Fatalf("mistakes (-want +got):\n%s", diff)
	}
	var mistakes config.Mistakes
	if !errors.As(err, &mistakes) || mistakes[0].Line != 1 || mistakes[4].Line != 5 {
		t.Fatalf("got %v, want mistakes in the order of their lines", err)
	}
}

// TestTheSandboxStaysAtHome: whoever sees its page is in, so the public must
// not, unless the operator means it.
func TestTheSandboxStaysAtHome(t *testing.T) {
	const mistake = "realms[0].mvpds[0].allowPublic: kind sandbox lets everybody in and publicURL is a public address; set allowPublic: true if that is meant"
	for text, want := range map[string]string{
		"publicURL: https://sso.example.com\n" + realm("mvpds: [{id: m, kind: sandbox}]"):                    "5: " + mistake,
		"publicURL: https://sso.example.com\n" + realm("mvpds: [{id: m, kind: sandbox, allowPublic: true}]"): "",
		"publicURL: http://192.168.0.2:8080\n" + realm("mvpds: [{id: m, kind: sandbox}]"):                    "",
		realm("mvpds: [{id: m, kind: sandbox}]"):                                                             "",
		realm("mvpds: [{id: m, kind: temppass, ttl: 1h, logoutEndpoint: false}]"):                            "4: realms[0].mvpds[0].logoutEndpoint: is a key of kind sandbox",
	} {
		got := ""
		if _, err := config.Parse([]byte(text), config.Options{}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func TestParseWarnsOfWhatIsUnwise(t *testing.T) {
	signed := realm("ssoId: {mode: signed}\n    trustedIssuers: [{issuer: i, jwksFile: a}]")
	tests := []struct{ name, text, want string }{
		{"short token", realm("serviceToken: {ttl: 2s}"), "4: realms[0].serviceToken.ttl: 2s is short; at least 5m0s is advised"},
		{"a viewer who is never asked", realm("session: {confirm: never}"), "4: realms[0].session.confirm: never asks viewers whose device it is: whoever sends them a link gets a login of theirs"},
		{"short code life", realm("linkCode: {ttl: 1s}"), "4: realms[0].linkCode.ttl: 1s is short; at least 1m0s is advised"},
		{"few digits", realm("linkCode: {length: 4}"), "4: realms[0].linkCode.length: 4 characters are guessed easily; 6 or more are advised"},
		{"a budget of the realm", realm("guessing: {perRealm: 100}"), "4: realms[0].guessing.perRealm: has no effect: what guessers may hit in the realm is bounded by wrongHitsPerDay"},
		{"no decision point", realm("mvpds: [{id: m, kind: oidc, issuer: 'https://a.example', clientId: c}]"), "4: realms[0].mvpds[0]: nobody decides what viewers may watch, so they watch nothing: set authzURL or xacmlURL, or decision: authenticated, which lets them watch everything"},
		{"a short trial", realm("mvpds: [{id: m, kind: temppass, ttl: 1s}]"), "4: realms[0].mvpds[0].ttl: 1s is short; at least 1m0s is advised"},
		{"plain http", "publicURL: http://sso.example.com\n" + signed, "1: publicURL: is plain http at a public address: tokens, codes and logins can be read and changed on the way. Use https, with --http-tls-cert or a proxy that ends TLS"},
		{"every app is believed", "publicURL: https://sso.example.com\n" + smallest, "2: realms[0].ssoId.mode: asserted believes every app who its viewer is, and publicURL is a public address: whoever takes a software statement out of an app can name any viewer. Use signed, or make the statements that are shipped in apps with ssoctl statement --no-assert-identity"},
		{"retention", "memberRetention: 48h\n" + smallest, "1: memberRetention: 48h0m0s is shorter than the life of a token of realm a (169h0m0s): devices are dropped that could still refresh"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.Parse([]byte(tt.text), config.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Warnings) != 1 || c.Warnings[0].String() != tt.want {
				t.Fatalf("got %q, want %q", c.Warnings, tt.want)
			}
		})
	}
}

// TestWhoIsBelievedAtHome: an app on a private network, or in a realm of signed
// identifiers, is no reason to warn.
func TestWhoIsBelievedAtHome(t *testing.T) {
	for _, text := range []string{
		smallest, "publicURL: http://127.0.0.1:8080\n" + smallest, "publicURL: http://10.1.2.3\n" + smallest, "publicURL: http://sso.internal\n" + smallest,
		"publicURL: https://sso.example.com\n" + realm("ssoId: {mode: signed}\n    trustedIssuers: [{issuer: i, jwksFile: a}]"),
	} {
		c, err := config.Parse([]byte(text), config.Options{})
		if err != nil || len(c.Warnings) > 0 {
			t.Errorf("%s: got %v, %v", text, c.Warnings, err)
		}
	}
}

func TestDemoHasTwoTenants(t *testing.T) {
	c := config.Demo(config.Options{PublicURL: "http://127.0.0.1:1"})
	for sp, want := range map[string]string{"demo": "demo", "demo-kids": "demo", "other": "other"} {
		realm, _, ok := c.ServiceProvider(sp)
		if !ok || realm.ID != want || len(realm.MVPDs) != 1 || realm.MVPDs[0].ID != "sandbox" {
			t.Errorf("service provider %s: got realm %+v, want %s with the sandbox", sp, realm, want)
		}
	}
	if c := config.Demo(config.Options{PublicURL: "http://192.0.2.1:8080"}); len(c.Warnings) != 3 {
		t.Errorf("at a public address: got warnings %v, want one of plain http and one of each realm", c.Warnings)
	}
	if !c.Throttle.Enabled || len(c.Warnings) != 0 {
		t.Errorf("got throttle %v and warnings %v, want it on and none", c.Throttle.Enabled, c.Warnings)
	}
}

func TestLoadChecksTheFilesItNames(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ssod.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ssod.yaml", realm("trustedIssuers: [{issuer: i, jwksFile: keys.json}]"))
	if _, err := config.Load(config.Options{File: file}); err == nil || !strings.Contains(err.Error(), "ssod.yaml:4: realms[0].trustedIssuers[0].jwksFile:") {
		t.Fatalf("without the key file: got %v, want a mistake in line 4", err)
	}
	write("keys.json", "{}")
	write("key.pem", "hush")
	secret := func(text, key string) {
		t.Helper()
		write("secret.yaml", realm(text))
		o := config.Options{File: filepath.Join(dir, "secret.yaml")}
		for mode, exposed := range map[os.FileMode]bool{0o600: false, 0o644: true} {
			if err := os.Chmod(filepath.Join(dir, "key.pem"), mode); err != nil {
				t.Fatal(err)
			}
			_, err := config.Load(o)
			if told := err != nil && strings.Contains(err.Error(), key+":") && strings.Contains(err.Error(), "others have access"); told != exposed {
				t.Errorf("%s of mode %04o: got %v", key, mode, err)
			}
		}
	}
	secret("platforms: [{name: p, issuer: p, jwksFile: keys.json, decryptionKeyFile: key.pem}]", "realms[0].platforms[0].decryptionKeyFile")
	secret("mvpds: [{id: m, kind: oidc, issuer: 'https://m.example', clientId: c, clientSecretFile: key.pem}]", "realms[0].mvpds[0].clientSecretFile")
	c, err := config.Load(config.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Hash) != 64 {
		t.Errorf("hash: got %q, want a SHA-256", c.Hash)
	}
	if _, err := config.Load(config.Options{File: filepath.Join(dir, "none.yaml")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: got %v, want that it does not exist", err)
	}
	write("large.yaml", strings.Repeat("# padding\n", 200_000)+smallest)
	if _, err := config.Load(config.Options{File: filepath.Join(dir, "large.yaml")}); err == nil {
		t.Error("a file of 2 MB was read")
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	c, err := config.Parse([]byte(smallest), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := "tv"
	if n := testing.AllocsPerRun(100, func() { c.ServiceProvider(id) }); n != 0 {
		t.Fatalf("got %v allocations, want none", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{contract, smallest, "", "a: [", "? [a]\n: b", "realms: [~]", "realms:\n- &a {id: x}\n- *a", "throttle: {rate: .nan, burst: -1e400}", "{issuer: {}}", "a: b\n---\n", "\x00", "<<: {issuer: a}", "!!binary a: b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(data, config.Options{File: "f"})
		var mistakes config.Mistakes
		switch {
		case err == nil && len(c.Realms) == 0:
			t.Fatal("a configuration without realms was accepted")
		case err != nil && (!errors.As(err, &mistakes) || len(mistakes) == 0):
			t.Fatalf("got %T, want mistakes", err)
		}
		for _, m := range mistakes {
			if m.Line < 1 || strings.Contains(m.String(), "\n") && !strings.Contains(m.Text, "not YAML") {
				t.Fatalf("mistake %q has line %d", m, m.Line)
			}
		}
	})
}
