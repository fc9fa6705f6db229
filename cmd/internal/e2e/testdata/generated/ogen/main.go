// Ogen plays a link with a client that ogen made.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"generated/ogen/api"
)

const (
	provider = "tv"
	tv       = "fingerprint dHY="
	phone    = "fingerprint cGhvbmU="
)

// bearer is the access token, once there is one.
type bearer struct{ token string }

func (b *bearer) BearerAuth(context.Context, api.OperationName) (api.BearerAuth, error) {
	return api.BearerAuth{Token: b.token}, nil
}

func main() {
	ctx, access := context.Background(), &bearer{}
	client, err := api.NewClient(os.Args[1], access)
	must(err)

	registered := is[*api.RegistrationHeaders](client.RegisterClient(ctx, &api.RegistrationRequest{SoftwareStatement: api.Compact(os.Args[2])}, api.RegisterClientParams{})).Response
	grant := api.NewOptTokenRequest(api.TokenRequest{
		GrantType: "client_credentials",
		ClientID:  api.NewOptString(registered.ClientID), ClientSecret: api.NewOptString(registered.ClientSecret),
	})
	access.token = string(is[*api.AccessTokenHeaders](client.CreateAccessToken(ctx, grant, api.CreateAccessTokenParams{})).Response.AccessToken)

	minted := is[*api.TokenHeaders](client.CreateServiceToken(ctx, api.CreateServiceTokenParams{ServiceProvider: provider, APDeviceIdentifier: tv, XSSOID: api.NewOptString("viewer of " + os.Args[3])})).Response
	token := string(minted.ServiceToken)
	if until := time.UnixMilli(int64(minted.NotAfter)); time.Until(until) < time.Minute {
		log.Fatalf("the token is good until %v", until)
	}
	code := is[*api.CodeHeaders](client.CreateLinkCode(ctx, api.CreateLinkCodeParams{ServiceProvider: provider, ADServiceToken: token, APDeviceIdentifier: tv})).Response.Code
	redeemed := is[*api.TokenHeaders](client.CreateServiceToken(ctx, api.CreateServiceTokenParams{ServiceProvider: provider, APDeviceIdentifier: phone, XSSOLINK: api.NewOptString(code)})).Response
	listed := is[*api.DevicesHeaders](client.ListDevices(ctx, api.ListDevicesParams{ServiceProvider: provider, ADServiceToken: token, APDeviceIdentifier: tv})).Response.Devices
	unlinked := is[*api.UnlinkedHeaders](client.UnlinkDevices(ctx, &api.UnlinkRequest{Devices: []string{"cGhvbmU="}}, api.UnlinkDevicesParams{ServiceProvider: provider, ADServiceToken: token, APDeviceIdentifier: tv})).Response.UnlinkedDevices
	refused := is[interface{ GetResponse() api.Error }](client.ListDevices(ctx, api.ListDevicesParams{ServiceProvider: provider, ADServiceToken: string(redeemed.ServiceToken), APDeviceIdentifier: phone})).GetResponse()
	fmt.Println(len(listed), listed["cGhvbmU="].Type, unlinked, refused.Error.Code)
}

// is is the answer that is expected.
func is[Want, Got any](got Got, err error) Want {
	must(err)
	want, ok := any(got).(Want)
	if !ok {
		log.Fatalf("answered %T %+v", got, got)
	}
	return want
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
