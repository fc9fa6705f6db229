// Package floor is the yardstick of the bench: what a bare fasthttp handler
// with golang-jwt does on the same machine in the same minute.
//
// It verifies the bearer token, on a refresh also the service token, both
// HS256 with jwt.ParseWithClaims, and signs a new service token: no routes, no
// actors, no storage, no limits, no caches. A real service does more and may be
// smarter; the ratio of the two rates says how much of the speed of the
// libraries is left.
package floor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"
)

// The floor serves nobody, so its keys are public.
var (
	accessKey  = []byte("the access key of the floor: 32+ bytes")
	serviceKey = []byte("the service key of the floor: 32+ bytes")
)

const serviceTTL = time.Hour

type accessClaims struct {
	Scopes string `json:"scopes"`
	jwt.RegisteredClaims
}

type serviceClaims struct {
	Device     string `json:"did"`
	Membership int64  `json:"mbr"`
	jwt.RegisteredClaims
}

// AccessToken signs a bearer token of client.
func AccessToken(client string) (string, error) {
	now := time.Now()
	claims := accessClaims{Scopes: "api:client:v2", RegisteredClaims: jwt.RegisteredClaims{
		Issuer: "ssod", Subject: client, IssuedAt: jwt.NewNumericDate(now),
		NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(6 * time.Hour)),
	}}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	token.Header["typ"] = "at+jwt"
	return token.SignedString(accessKey)
}

// ServiceToken signs a service token for subject on a device.
func ServiceToken(subject, device string) (string, error) {
	token, _, err := sign(subject, device, time.Now().UnixMilli())
	return token, err
}

func sign(subject, device string, membership int64) (token string, claims serviceClaims, err error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	now := time.Now()
	claims = serviceClaims{Device: device, Membership: membership, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: "ssoservicetoken", Subject: subject, ID: base64.RawURLEncoding.EncodeToString(id[:]),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(serviceTTL)),
	}}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(serviceKey)
	return token, claims, err
}

// Handle serves GET (refresh) and POST (mint) on every path.
func Handle(ctx *fasthttp.RequestCtx) {
	if err := authorize(ctx); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusUnauthorized)
		return
	}
	var err error
	if ctx.IsGet() {
		err = refresh(ctx)
	} else {
		err = mint(ctx)
	}
	if err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
	}
}

func authorize(ctx *fasthttp.RequestCtx) error {
	bearer, ok := strings.CutPrefix(string(ctx.Request.Header.Peek("Authorization")), "Bearer ")
	if !ok {
		return jwt.ErrTokenMalformed
	}
	var claims accessClaims
	_, err := jwt.ParseWithClaims(bearer, &claims, func(*jwt.Token) (any, error) { return accessKey, nil },
		jwt.WithValidMethods([]string{"HS256"}))
	return err
}

func refresh(ctx *fasthttp.RequestCtx) error {
	var old serviceClaims
	_, err := jwt.ParseWithClaims(string(ctx.Request.Header.Peek("AD-Service-Token")), &old,
		func(*jwt.Token) (any, error) { return serviceKey, nil }, jwt.WithValidMethods([]string{"HS256"}))
	if err != nil {
		return err
	}
	token, claims, err := sign(old.Subject, old.Device, old.Membership)
	if err != nil {
		return err
	}
	respond(ctx, fasthttp.StatusOK, "OK", token, claims)
	return nil
}

func mint(ctx *fasthttp.RequestCtx) error {
	device, err := deviceID(string(ctx.Request.Header.Peek("AP-Device-Identifier")))
	if err != nil {
		return err
	}
	token, claims, err := sign(string(ctx.Request.Header.Peek("X-SSO-ID")), device, time.Now().UnixMilli())
	if err != nil {
		return err
	}
	respond(ctx, fasthttp.StatusCreated, "CREATED", token, claims)
	return nil
}

func deviceID(header string) (string, error) {
	value, ok := strings.CutPrefix(header, "fingerprint ")
	if !ok {
		return "", fmt.Errorf("AP-Device-Identifier: want fingerprint")
	}
	if _, err := base64.StdEncoding.DecodeString(value); err != nil {
		return "", fmt.Errorf("AP-Device-Identifier: %w", err)
	}
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16]), nil
}

func respond(ctx *fasthttp.RequestCtx, code int, status, token string, claims serviceClaims) {
	ctx.SetStatusCode(code)
	ctx.SetContentType("application/json")
	body := append(make([]byte, 0, 2*len(token)+128), `{"status":"`...)
	body = append(append(body, status...), `","serviceToken":"`...)
	body = append(append(body, token...), `","jws":"`...)
	body = append(append(body, token...), `","notBefore":`...)
	body = strconv.AppendInt(body, claims.NotBefore.UnixMilli(), 10)
	body = append(body, `,"notAfter":`...)
	body = strconv.AppendInt(body, claims.ExpiresAt.UnixMilli(), 10)
	ctx.SetBody(append(body, '}'))
}
