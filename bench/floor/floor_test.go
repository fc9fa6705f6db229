package floor

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"
)

// call runs one request through Handle without a socket.
func call(method string, headers map[string]string) *fasthttp.RequestCtx {
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetRequestURI("/api/stream/serviceToken")
	for name, value := range headers {
		ctx.Request.Header.Set(name, value)
	}
	Handle(&ctx)
	return &ctx
}

func bearer(t *testing.T) string {
	t.Helper()
	token, err := AccessToken("client")
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

func TestRefreshVerifiesBothTokens(t *testing.T) {
	service, err := ServiceToken("viewer", "device")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, bearer, service string
		want                  int
	}{
		{"both good", bearer(t), service, 200},
		{"no bearer", "", service, 401},
		{"service token as bearer", "Bearer " + service, service, 401},
		{"forged service token", bearer(t), service + "x", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx := call("GET", map[string]string{"Authorization": tt.bearer, "AD-Service-Token": tt.service})
			if got := ctx.Response.StatusCode(); got != tt.want {
				t.Fatalf("refresh: got %d %s, want %d", got, ctx.Response.Body(), tt.want)
			}
		})
	}
}

func TestMintAnswersLikeTheService(t *testing.T) {
	ctx := call("POST", map[string]string{
		"Authorization": bearer(t), "AP-Device-Identifier": "fingerprint cGhvbmUtMDAwMg==", "X-SSO-ID": "viewer",
	})
	var got struct {
		Status       string `json:"status"`
		ServiceToken string `json:"serviceToken"`
		JWS          string `json:"jws"`
		NotBefore    int64  `json:"notBefore"`
		NotAfter     int64  `json:"notAfter"`
	}
	if err := json.Unmarshal(ctx.Response.Body(), &got); err != nil {
		t.Fatal(err)
	}
	var claims serviceClaims
	if _, err := jwt.ParseWithClaims(got.JWS, &claims, func(*jwt.Token) (any, error) { return serviceKey, nil }); err != nil {
		t.Fatalf("the token does not verify: %v", err)
	}
	life := time.Duration(got.NotAfter-got.NotBefore) * time.Millisecond
	if got.Status != "CREATED" || got.ServiceToken != got.JWS || claims.Subject != "viewer" || life != serviceTTL {
		t.Fatalf("mint: got %s %s for %q, want CREATED, equal tokens, viewer, %v", got.Status, life, claims.Subject, serviceTTL)
	}
}

func TestMintRefusesABadDevice(t *testing.T) {
	for _, device := range []string{"", "cGhvbmU=", "fingerprint ***"} {
		ctx := call("POST", map[string]string{"Authorization": bearer(t), "AP-Device-Identifier": device})
		if got := ctx.Response.StatusCode(); got != 400 {
			t.Errorf("mint for device %q: got %d, want 400", device, got)
		}
	}
}
