package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"ssod/httpfront/client"
)

// service stands for an ssod in the examples: it answers by method and path.
func service() *httptest.Server {
	answers := map[string]string{
		"POST /o/client/register":        `{"client_id":"app-1","client_secret":"s3cret"}`,
		"POST /o/client/token":           `{"access_token":"a.b.c","expires_in":21600}`,
		"POST /api/acme-tv/serviceToken": `{"serviceToken":"d.e.f","notBefore":1767384000000,"notAfter":1767387600000}`,
		"POST /api/acme-tv/link":         `{"code":"228128","notBefore":1767384000000,"notAfter":1767384900000}`,
		"GET /api/acme-tv/link/228128":   `{"status":"REDEEMED","notAfter":1767384900000,"device":{"deviceType":"smartTV","network":"same"}}`,
		"POST /api/v2/acme-tv/sessions": `{"actionName":"authenticate","url":"/api/v2/authenticate/acme-tv/8ER64HM","code":"8ER64HM",
			"notBefore":"1767384000000","notAfter":"1767385800000"}`,
		"GET /api/v2/acme-tv/profiles/code/8ER64HM":      `{"profiles":{"cable":{"type":"regular","notAfter":1769976000000}}}`,
		"POST /api/v2/acme-tv/decisions/authorize/cable": `{"decisions":[{"resource":"channel-1","authorized":true,"token":{"serializedToken":"PHNpZ25hdHVyZUluZm8+"}}]}`,
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[r.Method+" "+r.URL.Path]
		if answer == "" || r.Header.Get("X-SSO-LINK") == "000000" {
			w.WriteHeader(http.StatusBadRequest)
			answer = `{"status":"BAD_REQUEST","error":{"status":400,"code":"token_invalid","message":"The provided token is invalid","action":"get_new_token"}}`
		}
		fmt.Fprint(w, answer)
	}))
}

// app is a client that has registered.
func app(base string) *client.Client {
	c, err := client.New(client.Options{
		BaseURL: base, ServiceProvider: "acme-tv", Credentials: client.Credentials{ClientID: "app-1", ClientSecret: "s3cret"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// An installation registers once, with the software statement that its developers
// were given, and keeps the credentials.
func ExampleClient_Register() {
	s := service()
	defer s.Close()
	c, err := client.New(client.Options{BaseURL: s.URL})
	if err != nil {
		log.Fatal(err)
	}
	r, err := c.Register(context.Background(), "the.software.statement", "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.ClientID)
	// Output: app-1
}

// A phone, whose viewer is signed in to the app, shows a code and learns that a TV
// has joined.
func ExampleDevice_Link() {
	s := service()
	defer s.Close()
	ctx := context.Background()
	phone := app(s.URL).Device(client.DeviceOptions{
		ID: "installation-4711", Info: client.Info{PrimaryHardwareType: "MobilePhone", Model: "Pocket", OSName: "Android"},
	})
	if _, err := phone.Mint(ctx, "viewer-4711"); err != nil {
		log.Fatal(err)
	}
	code, err := phone.Link(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("type this on the TV:", code.Code, "for", code.NotAfter.Sub(code.NotBefore.Time))
	state, err := phone.AwaitLink(ctx, code, client.LinkOpen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(state.Status, "by a", state.Device.DeviceType)
	// Output:
	// type this on the TV: 228128 for 15m0s
	// REDEEMED by a smartTV
}

// A TV redeems what its viewer types, and tells apart what may go wrong.
func ExampleDevice_Redeem() {
	s := service()
	defer s.Close()
	tv := app(s.URL).Device(client.DeviceOptions{ID: "tv-1"})
	for _, typed := range []string{"000000", "228 128"} {
		_, err := tv.AwaitRedeem(context.Background(), typed)
		e, refused := errors.AsType[*client.Error](err)
		switch {
		case err == nil:
			fmt.Println("joined")
		case refused && e.Code == client.CodeTokenInvalid:
			fmt.Println("wrong code, or too late")
		case refused && e.Code == client.CodeTooManyRequests:
			fmt.Println("try again in", e.RetryAfter)
		default:
			log.Fatal(err)
		}
	}
	// Output:
	// wrong code, or too late
	// joined
}

// A TV logs its viewer in at a TV provider and asks for a channel.
func ExampleDevice_CreateSession() {
	s := service()
	defer s.Close()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Minute)
	defer stop()
	tv := app(s.URL).Device(client.DeviceOptions{ID: "tv-1"})
	login, err := tv.CreateSession(ctx, client.SessionParameters{
		MVPD: "cable", DomainName: "tv.example", RedirectURL: "https://tv.example/done",
	})
	if err != nil {
		log.Fatal(err)
	}
	if login.Action == client.ActionAuthenticate { // show login.URL as a QR code
		profile, err := tv.AwaitProfile(ctx, login)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("logged in:", profile.Type)
	}
	decisions, err := tv.Authorize(ctx, "cable", "channel-1")
	if err != nil {
		log.Fatal(err)
	}
	if d := decisions[0]; d.Authorized {
		fmt.Println("play", d.Resource, "with the media token", d.Token.Serialized)
	} else {
		fmt.Println("denied:", d.Error.Code)
	}
	// Output:
	// logged in: regular
	// play channel-1 with the media token PHNpZ25hdHVyZUluZm8+
}
