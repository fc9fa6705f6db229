// Oapicodegen plays a link with a client that oapi-codegen made.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"generated/oapicodegen/api"
)

const (
	provider = "tv"
	tv       = "fingerprint dHY="
	phone    = "fingerprint cGhvbmU="
)

func main() {
	ctx := context.Background()
	client, err := api.NewClientWithResponses(os.Args[1])
	must(err)

	registered, err := client.RegisterClientWithResponse(ctx, nil, api.RegistrationRequest{SoftwareStatement: os.Args[2]})
	must(err)
	grant := api.TokenRequest{GrantType: "client_credentials", ClientId: &registered.JSON201.ClientId, ClientSecret: &registered.JSON201.ClientSecret}
	access, err := client.CreateAccessTokenWithFormdataBodyWithResponse(ctx, nil, grant)
	must(err)
	bearer := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+access.JSON201.AccessToken)
		return nil
	}

	viewer := "viewer of " + os.Args[3]
	minted, err := client.CreateServiceTokenWithResponse(ctx, provider, &api.CreateServiceTokenParams{APDeviceIdentifier: tv, XSSOID: &viewer}, bearer)
	must(err)
	token := minted.JSON201.ServiceToken
	if until := time.UnixMilli(minted.JSON201.NotAfter); time.Until(until) < time.Minute {
		log.Fatalf("the token is good until %v", until)
	}
	code, err := client.CreateLinkCodeWithResponse(ctx, provider, &api.CreateLinkCodeParams{ADServiceToken: token, APDeviceIdentifier: tv}, bearer)
	must(err)
	redeemed, err := client.CreateServiceTokenWithResponse(ctx, provider, &api.CreateServiceTokenParams{APDeviceIdentifier: phone, XSSOLINK: &code.JSON201.Code}, bearer)
	must(err)
	listed, err := client.ListDevicesWithResponse(ctx, provider, &api.ListDevicesParams{ADServiceToken: token, APDeviceIdentifier: tv}, bearer)
	must(err)
	unlinked, err := client.UnlinkDevicesWithResponse(ctx, provider, &api.UnlinkDevicesParams{ADServiceToken: token, APDeviceIdentifier: tv}, api.UnlinkRequest{Devices: []string{"cGhvbmU="}}, bearer)
	must(err)
	refused, err := client.ListDevicesWithResponse(ctx, provider, &api.ListDevicesParams{ADServiceToken: redeemed.JSON201.ServiceToken, APDeviceIdentifier: phone}, bearer)
	must(err)
	fmt.Println(len(listed.JSON200.Devices), listed.JSON200.Devices["cGhvbmU="].Type, unlinked.JSON200.UnlinkedDevices, refused.JSON400.Error.Code)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
