package config

import (
	"net/netip"
	"time"
)

// Config is the configuration file; cmd/ssod/docs/configuration.md#configuration-file.
// The default tags are what a key that is not in the file stands for. A Config is made by
// [Parse], [Load] or [Demo] and never changes.
type Config struct {
	// Issuer is the iss of access tokens and software statements.
	Issuer string `yaml:"issuer" default:"ssod"`
	// PublicURL is the prefix of login and activation links, without a slash
	// at its end. Default http:// and the address of the public listener.
	PublicURL string `yaml:"publicURL"`
	// HelpURL is the helpUrl of every error; httpfront/docs/errors.md#shapes.
	HelpURL string `yaml:"helpURL" default:"https://experienceleague.adobe.com/docs/pass/authentication/auth-features/error-reportn/enhanced-error-codes.html"`
	// Docs says whether the public listener has the documentation pages at /docs.
	// They tell strangers nothing but what /openapi.yaml does.
	Docs        bool        `yaml:"docs" default:"true"`
	AccessToken AccessToken `yaml:"accessToken"`
	Throttle    Throttle    `yaml:"throttle"`
	// MemberRetention is after how long a device that was not seen is dropped
	// from its profile.
	MemberRetention time.Duration `yaml:"memberRetention" default:"9600h"`
	Realms          []*Realm      `yaml:"realms"`

	// Warnings are what works but is unwise, in the order of the file.
	Warnings []Mistake `yaml:"-"`
	// Hash is the SHA-256 of the file in hexadecimal: nodes compare it.
	Hash string `yaml:"-"`

	realms    map[string]*Realm
	providers map[string]provider
	origins   map[string]struct{} // of all realms
}

// AccessToken governs the bearer tokens of /o/client/token.
type AccessToken struct {
	Algorithm string        `yaml:"algorithm" default:"HS256"` // HS256 or RS256
	TTL       time.Duration `yaml:"ttl" default:"6h"`
}

// Throttle is the token bucket per client address, IPv6 by /64;
// httpfront/docs/limits.md#throttle.
type Throttle struct {
	Enabled bool    `yaml:"enabled" default:"true"`
	Rate    float64 `yaml:"rate" default:"1"`   // requests per second
	Burst   float64 `yaml:"burst" default:"10"` // extra requests
	// PerAddressConnections is how many an address may have open, IPv6 by /64; 0:
	// any number. Those of trusted proxies are not counted.
	PerAddressConnections int `yaml:"perAddressConnections" default:"1000"`
	// TrustedProxies are the peers whose X-Forwarded-For is believed, here and
	// where guesses are counted.
	TrustedProxies []netip.Prefix `yaml:"trustedProxies" default:"127.0.0.0/8,::1/128"`
}

// Realm is a tenant: its service providers share SSO identities.
type Realm struct {
	ID                 string            `yaml:"id"`
	ServiceProviders   []ServiceProvider `yaml:"serviceProviders"`
	ServiceToken       ServiceToken      `yaml:"serviceToken"`
	SSOID              SSOID             `yaml:"ssoId"`
	DeviceDefaultSSOID bool              `yaml:"deviceDefaultSsoId"`
	MaxDevices         int               `yaml:"maxDevices" default:"50"`
	LinkCode           LinkCode          `yaml:"linkCode"`
	Guessing           Guessing          `yaml:"guessing"`
	CORS               CORS              `yaml:"cors"`
	TrustedIssuers     []TrustedIssuer   `yaml:"trustedIssuers"`
	Platforms          []Platform        `yaml:"platforms"`
	Partners           []Partner         `yaml:"partners"`
	MVPDs              []MVPD            `yaml:"mvpds"`
	Degradation        []Degradation     `yaml:"degradation"`
	Webhooks           []Webhook         `yaml:"webhooks"`
	Session            Session           `yaml:"session"`
	MediaToken         MediaToken        `yaml:"mediaToken"`
	Limits             Limits            `yaml:"limits"`
	StrictTokens       bool              `yaml:"strictTokens"`
}

// ServiceProvider is one channel or brand; in the file also a plain string,
// which is its id.
type ServiceProvider struct {
	ID          string `yaml:"id"`
	DisplayName string `yaml:"displayName"` // default: the id
	// Domains are where browsers may be sent back to: a host, *. and a domain
	// for every host below it (not the domain itself), an app's own scheme.
	Domains           []string `yaml:"domains"`
	AuthPerAggregator bool     `yaml:"authPerAggregator"`
	// Listed says whether /activate names it to viewers who come without a link. Without
	// that they need the address of its own page.
	Listed bool `yaml:"listed" default:"true"`
	// MetadataCertFile has the certificate that attributes of viewers are encrypted to
	// which the service provider alone may read; see MVPD.Encrypted.
	MetadataCertFile string `yaml:"metadataCertFile"`
	// How the pages that viewers see look for it; see [Brand].
	LogoURL    string `yaml:"logoUrl"`
	FaviconURL string `yaml:"faviconUrl"`
	Color      string `yaml:"color"`
	DarkColor  string `yaml:"darkColor"`
}

// ServiceToken governs the realm's own service tokens.
type ServiceToken struct {
	Algorithm string        `yaml:"algorithm" default:"HS256"` // HS256 or RS256
	TTL       time.Duration `yaml:"ttl" default:"1h"`
	// RefreshWindow is how long after its end a token can still be refreshed.
	RefreshWindow time.Duration `yaml:"refreshWindow" default:"168h"`
	// MaxAge is how long tokens can be refreshed after the first token of the chain was
	// minted. Then the app has to assert or prove its viewer again. Longer is kinder to
	// devices that joined by a code; it is also how long a stolen token can be used whose
	// device is not unlinked. The default is DefaultMaxAge, or DefaultExternalMaxAge when
	// an external identity service vouches for the viewer, which cannot revoke otherwise.
	MaxAge time.Duration `yaml:"maxAge"`
	// BindDevice demands that the device a token was issued to presents it.
	BindDevice bool `yaml:"bindDevice" default:"true"`
}

// The defaults of maxAge.
const (
	DefaultMaxAge         = 9600 * time.Hour
	DefaultExternalMaxAge = 720 * time.Hour
)

// SSOID says whether X-SSO-ID is asserted by the app or a signed token of a
// trusted issuer.
type SSOID struct {
	Mode string `yaml:"mode" default:"asserted"` // asserted or signed
}

// LinkCode governs how a second device joins a profile; httpfront/docs/sso.md#link-codes.
type LinkCode struct {
	Length        int           `yaml:"length" default:"6"`
	Alphabet      string        `yaml:"alphabet" default:"digits"` // digits or alphanumeric
	TTL           time.Duration `yaml:"ttl" default:"15m"`
	MaxPerProfile int           `yaml:"maxPerProfile" default:"5"`
	MaxIssued     int           `yaml:"maxIssued" default:"10"`
	MaxLive       int           `yaml:"maxLive" default:"200000"`
	// OtherNetwork is what becomes of a device that types a code in another network
	// than the one where it is shown: allow, confirm (the device that shows the code
	// is asked) or deny.
	OtherNetwork string `yaml:"otherNetwork" default:"allow"`
}

// Guessing bounds failed redemptions: per device and address in 15 minutes, and
// by what those of the whole realm may be expected to hit in any 24 hours.
type Guessing struct {
	PerDevice  int `yaml:"perDevice" default:"5"`
	PerAddress int `yaml:"perAddress" default:"60"`
	// WrongHitsPerDay is how many codes of others guessers may be expected to hit
	// in 24 hours, wherever they guess from. Less means longer codes, and that an
	// attack closes the short ones sooner.
	WrongHitsPerDay float64 `yaml:"wrongHitsPerDay" default:"0.5"`
	// PerRealm is in older files; nothing goes by it.
	PerRealm *int `yaml:"perRealm"`
}

// CORS lists the origins whose web players may call the API, each as browsers
// send it.
type CORS struct {
	Origins []string `yaml:"origins"`
}

// TrustedIssuer is an external identity service. Exactly one of JWKSFile,
// JWKSURL and PEMFile is set.
type TrustedIssuer struct {
	Issuer   string `yaml:"issuer"`
	Audience string `yaml:"audience" default:"Adobe"` // compared case-insensitively
	JWKSFile string `yaml:"jwksFile"`
	JWKSURL  string `yaml:"jwksURL"`
	PEMFile  string `yaml:"pemFile"`
	KID      string `yaml:"kid"` // of PEMFile
}

// Platform is a device platform that supplies subject tokens. Exactly one of
// JWKSFile, JWKSURL and PEMFile is set.
type Platform struct {
	Name              string   `yaml:"name"`
	Issuer            string   `yaml:"issuer"`
	Audience          string   `yaml:"audience" default:"adobe"`
	Algorithms        []string `yaml:"algorithms" default:"RS256"`
	JWKSFile          string   `yaml:"jwksFile"`
	JWKSURL           string   `yaml:"jwksURL"`
	PEMFile           string   `yaml:"pemFile"`
	KID               string   `yaml:"kid"`
	DecryptionKeyFile string   `yaml:"decryptionKeyFile"`
}

// MVPD is a TV provider of the realm.
type MVPD struct {
	ID          string `yaml:"id"`
	DisplayName string `yaml:"displayName"` // default: the id
	LogoURL     string `yaml:"logoUrl"`     // what apps and pages show in their pickers
	FaviconURL  string `yaml:"faviconUrl"`  // this and the colours are for pages of its own
	Color       string `yaml:"color"`
	DarkColor   string `yaml:"darkColor"`
	Kind        string `yaml:"kind"`        // sandbox, oidc, saml or temppass
	AllowPublic bool   `yaml:"allowPublic"` // of a sandbox
	// LogoutEndpoint says that a sandbox has one; without it there is nothing
	// for a browser to do at logout.
	LogoutEndpoint   bool   `yaml:"logoutEndpoint" default:"true"`
	Issuer           string `yaml:"issuer"`   // of an oidc provider
	ClientID         string `yaml:"clientId"` // how it knows this service
	ClientSecretFile string `yaml:"clientSecretFile"`
	// Scopes are what a login asks for; openid is always among them.
	Scopes []string `yaml:"scopes"`
	// ResponseMode is how the browser brings the answer of an oidc provider: query, or
	// form_post, which keeps codes out of addresses.
	ResponseMode string `yaml:"responseMode" default:"query"`
	// Attributes names the claim of each attribute. A name with dots leads into
	// objects, unless there is a claim with just that name. Without userID the
	// viewer's id is the claim sub.
	Attributes map[string]string `yaml:"attributes"`
	// HBA names the claim or attribute that says whether the viewer logged in at home.
	HBA string `yaml:"hba"`
	// Encrypted are the attributes that only service providers may read, not their apps.
	Encrypted []string `yaml:"encrypted"`
	// CAFile has the certificate authorities of the provider, if they are private.
	CAFile string `yaml:"caFile"`
	// Decision is who decides what a viewer may watch; see the constants.
	Decision string `yaml:"decision" default:"pdp"`
	AuthzURL string `yaml:"authzURL"` // of the decision point: AuthZEN 1.0
	XACMLURL string `yaml:"xacmlURL"` // of the decision point: XACML 2.0, OLCA
	// AuthzTokenFile has the bearer token that the decision point knows this service by;
	// AuthzCertFile and AuthzKeyFile are a certificate in place of it, or besides. Without
	// any the decision point must know the service by its address.
	AuthzTokenFile string `yaml:"authzTokenFile"`
	AuthzCertFile  string `yaml:"authzCertFile"`
	AuthzKeyFile   string `yaml:"authzKeyFile"`
	// Obligations are ids of obligations that come with permits of the xacmlURL and that
	// apps or operators see to. A permit with one that nobody knows is a deny.
	Obligations []string `yaml:"obligations"`
	// DecisionTimeout is how long a question to the provider may take. Longer is
	// kinder to slow providers, and lets viewers wait.
	DecisionTimeout time.Duration `yaml:"decisionTimeout" default:"5s"`
	AuthnTTL        time.Duration `yaml:"authnTTL" default:"720h"`
	// UnknownTTL is authnTTL for devices that do not say of what platform they
	// are, if it is shorter. Longer is kinder to apps without X-Device-Info.
	UnknownTTL   time.Duration `yaml:"unknownTTL" default:"24h"`
	AuthzTTL     time.Duration `yaml:"authzTTL" default:"1h"`
	TTL          time.Duration `yaml:"ttl"`          // of a temppass: how long a trial lasts
	MaxResources int           `yaml:"maxResources"` // of a temppass; 0 means no limit
	// TrialsPerAddress is how many trials of a temppass may begin from one client address
	// in 24 hours, IPv6 by /64; 0 means no limit. Devices name themselves, so without a
	// limit whoever makes names up watches for ever; a low one denies trials to viewers
	// behind one address.
	TrialsPerAddress int `yaml:"trialsPerAddress" default:"20"`
	// IdentityKey is the member of AP-TempPass-Identity that names the viewer of a temppass;
	// apps must send it then. Empty: all members do, and apps may leave the header out.
	IdentityKey string   `yaml:"identityKey"`
	DisabledFor []string `yaml:"disabledFor"` // service providers

	// MetadataFile and MetadataURL are where a saml provider describes itself: one of
	// them is set.
	MetadataFile string `yaml:"metadataFile"`
	MetadataURL  string `yaml:"metadataURL"`
	// MetadataCertFile has the certificates that may sign its metadata. Without it
	// metadata counts as it is read.
	MetadataCertFile string `yaml:"metadataCertFile"`
	// ProviderEntityID names a saml provider in metadata that describes several. Empty: it is
	// the only one there.
	ProviderEntityID string `yaml:"providerEntityId"`
	// KeyFile signs what a saml provider is asked and opens what it encrypts; CertFile
	// is its certificate.
	KeyFile  string `yaml:"keyFile"`
	CertFile string `yaml:"certFile"`
	// NextKeyFile is published and opens too, during a roll-over.
	NextKeyFile  string `yaml:"nextKeyFile"`
	NextCertFile string `yaml:"nextCertFile"`
	// EntityID is what a saml provider knows this service by; default the URL of the
	// metadata that the service publishes.
	EntityID string `yaml:"entityId"`
	// AllowCBC accepts what was encrypted in CBC mode, which does not notice changes.
	AllowCBC bool `yaml:"allowCBC"`
}

// What [MVPD.ResponseMode] can be.
const (
	ResponseQuery    = "query"
	ResponseFormPost = "form_post" // OAuth 2.0 Form Post Response Mode
)

// What [MVPD.Decision] can be.
const (
	DecisionPDP           = "pdp"           // a policy decision point, at authzURL or xacmlURL
	DecisionAuthenticated = "authenticated" // whoever is logged in may watch everything
)

// Degradation is an operator's rule that bypasses an MVPD.
type Degradation struct {
	ServiceProvider string `yaml:"serviceProvider"`
	MVPD            string `yaml:"mvpd"`
	Rule            string `yaml:"rule"`
}

// What [Degradation.Rule] can be.
const (
	AuthNAll  = "AuthNAll"  // nobody has to log in, and everything is permitted
	AuthZAll  = "AuthZAll"  // whoever is logged in is permitted everything
	AuthZNone = "AuthZNone" // everything is denied
)

// Rules are all rules of degradation.
func Rules() []string { return []string{AuthNAll, AuthZAll, AuthZNone} }

// Session governs authentication sessions.
type Session struct {
	TTL time.Duration `yaml:"ttl" default:"30m"`
	// Confirm says when a viewer is asked whether the device is theirs before they log
	// in for it: always, never, or when it is in another network (otherNetwork). With
	// never, following a link is enough to log in the device of its sender.
	Confirm string `yaml:"confirm" default:"otherNetwork"`
}

// What [Session.Confirm] can be.
const (
	ConfirmAlways       = "always"
	ConfirmOtherNetwork = "otherNetwork"
	ConfirmNever        = "never"
)

// MediaToken governs media tokens.
type MediaToken struct {
	TTL time.Duration `yaml:"ttl" default:"7m"`
}

// Limits bounds the resources of one decision call.
type Limits struct {
	Authorize    int `yaml:"authorize" default:"1"`
	Preauthorize int `yaml:"preauthorize" default:"5"`
}
