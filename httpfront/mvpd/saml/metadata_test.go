package saml_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
)

// TestTheServiceDescribesItself reads its metadata as providers do.
func TestTheServiceDescribesItself(t *testing.T) {
	f := connect(t)
	text, err := f.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	by := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*certificate{parties()["service"].certificate}})
	by.Clock = dsig.NewFakeClockAt(now)
	if _, err := by.Validate(parse(string(text))); err != nil {
		t.Errorf("its signature: %v", err)
	}
	var d crewjam.EntityDescriptor
	if err := xml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	sp := d.SPSSODescriptors[0]
	var keys []string
	for _, k := range sp.KeyDescriptors {
		keys = append(keys, k.Use+" "+k.KeyInfo.X509Data.X509Certificates[0].Data)
	}
	first, next := parties()["service"].base64(), parties()["service next"].base64()
	if diff := cmp.Diff([]string{"signing " + first, "signing " + next, "encryption " + first, "encryption " + next}, keys); diff != "" {
		t.Errorf("certificates (-want +got):\n%s", diff)
	}
	got := []string{d.EntityID, sp.AssertionConsumerServices[0].Location, sp.AssertionConsumerServices[0].Binding, sp.SingleLogoutServices[0].Location, sp.SingleLogoutServices[1].Binding}
	want := []string{entityID, acs, crewjam.HTTPPostBinding, slo, crewjam.HTTPPostBinding}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
}

// TestMetadataThatIsRefused ends logins, and --check says why.
func TestMetadataThatIsRefused(t *testing.T) {
	good := metadata(parties()["provider"])
	edit := func(from, to string) string { return replace(t, good, from, to) }
	weak := newParty("weak", 1024)
	tests := map[string]struct{ text, cause string }{
		"no XML":                  {"{}", "text outside"},
		"a document type":         {"<!DOCTYPE a>" + good, "a document type"},
		"another document":        {`<a xmlns="urn:a"/>`, "neither an EntityDescriptor"},
		"an empty list":           {`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"/>`, "no provider"},
		"a service":               {strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"), "0 elements IDPSSODescriptor"},
		"SAML 1.1":                {edit("SAML:2.0:protocol", "SAML:1.1:protocol"), "does not speak"},
		"no name":                 {edit(`entityID="`+providerID+`"`, ""), "no entityID"},
		"no key":                  {strings.ReplaceAll(good, `use="signing"`, `use="encryption"`), "0 certificates"},
		"a weak key":              {metadata(weak), "1024 bits"},
		"no certificate":          {edit(parties()["provider"].base64(), "MIIC"), "cannot be read"},
		"no place for logins":     {strings.ReplaceAll(good, "SingleSignOnService", "ArtifactResolutionService"), "no SingleSignOnService"},
		"a place without TLS":     {edit("https://idp.dish.example/sso/post", "http://idp.dish.example/sso/post"), "no https URL"},
		"a script for a place":    {edit("https://idp.dish.example/sso?", "javascript:alert()?"), "no https URL"},
		"a time that is none":     {edit("<md:IDPSSODescriptor ", `<md:IDPSSODescriptor validUntil="soon" `), "no time"},
		"a duration that is none": {edit("<md:IDPSSODescriptor ", `<md:IDPSSODescriptor cacheDuration="soon" `), "no duration"},
		"too long":                {good + strings.Repeat(" ", 2<<20), "more than"},
	}
	for name, tt := range tests {
		f := connect(t, func(m *config.MVPD) { m.MetadataFile = file(t, t.TempDir(), "idp.xml", []byte(tt.text)) })
		if _, err := f.Begin(t.Context(), f.login); code(err) != mvpd.TemporarilyUnavailable || !strings.Contains(fmt.Sprint(err), tt.cause) {
			t.Errorf("%s: %v, want temporarily_unavailable for %q", name, err, tt.cause)
		}
		if _, err := saml.Check(*f.config); err == nil || !strings.Contains(err.Error(), tt.cause) {
			t.Errorf("%s: the check says %v, want %q", name, err, tt.cause)
		}
	}
}

func TestSignedMetadata(t *testing.T) {
	provider := parties()["provider"]
	good := write(provider.signed(parse(metadata(provider))))
	tests := map[string]struct {
		text string
		ok   bool
	}{
		"signed":           {good, true},
		"with a BOM":       {"\ufeff" + good, true},
		"unsigned":         {metadata(provider), false},
		"signed by others": {write(parties()["mallory"].signed(parse(metadata(provider)))), false},
		"changed":          {replace(t, good, "https://idp.dish.example/sso/post", "https://mallory.example/sso"), false},
	}
	for name, tt := range tests {
		f := connect(t, func(m *config.MVPD) {
			dir := t.TempDir()
			m.MetadataFile, m.MetadataCertFile = file(t, dir, "idp.xml", []byte(tt.text)), file(t, dir, "idp.crt", provider.certPEM())
		})
		if _, err := f.Begin(t.Context(), f.login); (err == nil) != tt.ok {
			t.Errorf("%s: %v, want ok %v", name, err, tt.ok)
		}
	}
}

func TestMetadataInAFileIsReadAgain(t *testing.T) {
	f := connect(t)
	if _, err := f.Begin(t.Context(), f.login); err != nil {
		t.Fatal(err)
	}
	file(t, "", f.config.MetadataFile, []byte("broken"))
	if _, err := f.Begin(t.Context(), f.login); err != nil {
		t.Errorf("a broken file counts: %v", err)
	}
	f.provider = parties()["mallory"] // the provider has another key from now on
	file(t, "", f.config.MetadataFile, []byte(metadata(f.provider)))
	if _, _, err := f.post(write(f.answer())); err != nil {
		t.Errorf("the new key: %v", err)
	}
	file(t, "", f.config.MetadataFile, []byte(replace(t, metadata(f.provider), "<md:IDPSSODescriptor ", `<md:IDPSSODescriptor validUntil="`+stamp(now.Add(time.Hour))+`" `)))
	if _, err := f.Begin(t.Context(), f.login); err != nil {
		t.Errorf("an hour before it ends: %v", err)
	}
	f.ahead = time.Hour
	if _, err := f.Begin(t.Context(), f.login); code(err) != mvpd.TemporarilyUnavailable {
		t.Errorf("when it has ended: %v, want temporarily_unavailable", err)
	}
}

// publisher has metadata at a URL.
type publisher struct {
	*httptest.Server
	text  atomic.Value // string; "" answers 503
	asked atomic.Int64
}

func publish(t *testing.T, text string) *publisher {
	p := &publisher{}
	p.text.Store(text)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.asked.Add(1)
		if text := p.text.Load().(string); text != "" {
			_, _ = w.Write([]byte(text))
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(p.Close)
	return p
}

func atURL(p *publisher) func(*config.MVPD) {
	return func(m *config.MVPD) { m.MetadataFile, m.MetadataURL = "", p.URL }
}

func limited(t *testing.T, attributes string) string {
	return replace(t, metadata(parties()["provider"]), "<md:IDPSSODescriptor ", "<md:IDPSSODescriptor "+attributes+" ")
}

// TestMetadataIsFetchedAgain within the bounds of an hour and a day.
func TestMetadataIsFetchedAgain(t *testing.T) {
	tests := map[string]time.Duration{
		``:                     time.Hour,
		`cacheDuration="PT5M"`: time.Hour,
		`cacheDuration="PT3H"`: 3 * time.Hour,
		`cacheDuration="P30D"`: 24 * time.Hour,
		`validUntil="` + stamp(now.Add(10*time.Hour)) + `"`:                     5 * time.Hour,
		`validUntil="` + stamp(now.Add(30*time.Minute)) + `"`:                   15 * time.Minute,
		`cacheDuration="PT6H" validUntil="` + stamp(now.Add(4*time.Hour)) + `"`: 2 * time.Hour,
	}
	for limit, want := range tests {
		p := publish(t, limited(t, limit))
		f := connect(t, atURL(p))
		begin := func(at time.Duration) int64 {
			f.ahead = at
			if _, err := f.Begin(t.Context(), f.login); err != nil {
				t.Errorf("%s, after %v: %v", limit, at, err)
			}
			return p.asked.Load()
		}
		if n := begin(0); n != 1 {
			t.Errorf("%s: asked %d times at first", limit, n)
		}
		if n := begin(want - time.Second); n != 1 {
			t.Errorf("%s: asked again before %v", limit, want)
		}
		if n := begin(want); n != 2 {
			t.Errorf("%s: asked %d times after %v, want 2", limit, n, want)
		}
	}
}

// TestAProviderThatIsDown: what it said last is good until the time that it named.
func TestAProviderThatIsDown(t *testing.T) {
	p := publish(t, "")
	f := connect(t, atURL(p))
	begin := func() error { _, err := f.Begin(t.Context(), f.login); return err }
	if err := begin(); code(err) != mvpd.TemporarilyUnavailable {
		t.Errorf("never reached: %v, want temporarily_unavailable", err)
	}
	if err := begin(); err == nil || p.asked.Load() != 1 {
		t.Errorf("it was asked %d times in a moment: %v", p.asked.Load(), err)
	}
	p.text.Store(limited(t, `validUntil="`+stamp(now.Add(30*time.Hour))+`"`))
	f.ahead = 10 * time.Second
	if err := begin(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "garbage", strings.ReplaceAll(metadata(parties()["provider"]), "signing", "encryption")} {
		p.text.Store(text)
		f.ahead += 9 * time.Hour
		if err := begin(); err != nil {
			t.Errorf("after %v it answers %.10q: %v", f.ahead, text, err)
		}
	}
	f.ahead = 30 * time.Hour
	if err := begin(); code(err) != mvpd.TemporarilyUnavailable {
		t.Errorf("after its metadata has ended: %v, want temporarily_unavailable", err)
	}
	if !strings.Contains(f.log.String(), "metadata of a TV provider cannot be used") {
		t.Errorf("the log says nothing of it:\n%s", &f.log)
	}
}

// TestAKeyThatIsNewIsFound: a provider that changes its key from one moment to the next.
func TestAKeyThatIsNewIsFound(t *testing.T) {
	p := publish(t, metadata(parties()["provider"]))
	f := connect(t, atURL(p))
	if _, _, err := f.post(write(f.answer())); err != nil {
		t.Fatal(err)
	}
	f.provider = parties()["provider next"]
	p.text.Store(metadata(f.provider))
	if _, _, err := f.post(write(f.answer())); err == nil || p.asked.Load() != 1 {
		t.Errorf("asked %d times within a minute: %v", p.asked.Load(), err)
	}
	f.ahead = time.Minute
	if _, _, err := f.post(write(f.answer())); err != nil || p.asked.Load() != 2 {
		t.Errorf("after a minute: %v, asked %d times, want 2", err, p.asked.Load())
	}
	for range 3 { // forged signatures do not make the service ask all the time
		_, _, _ = f.post(signedBy("mallory")(f))
	}
	if p.asked.Load() != 2 {
		t.Errorf("forged answers made it ask %d times", p.asked.Load()-2)
	}
}

func TestTheCheckWarns(t *testing.T) {
	f := connect(t)
	check := func(m config.MVPD) string {
		warning, err := saml.CheckAt(m, now.Add(990*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return warning
	}
	if warning, err := saml.CheckAt(*f.config, now); err != nil || strings.Contains(warning, "metadata") {
		t.Errorf("now: %q, %v", warning, err)
	}
	m := *f.config
	m.MetadataFile = file(t, t.TempDir(), "idp.xml", []byte(limited(t, `validUntil="`+stamp(now)+`"`)))
	for _, want := range []string{m.CertFile + " expires on", m.NextCertFile + " expires on", "metadata has expired", "certificate of the provider expires"} {
		if warning := check(m); !strings.Contains(warning, want) {
			t.Errorf("it does not say %q: %s", want, warning)
		}
	}
	m.CertFile = file(t, t.TempDir(), "sp.crt", parties()["mallory"].certPEM())
	if _, err := saml.Check(m); err == nil || !strings.Contains(err.Error(), "is not the certificate of") {
		t.Errorf("a foreign certificate: %v", err)
	}
}
